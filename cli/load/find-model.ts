/** Where a ModelDeployment's callers reach it, and how its replicas do meanwhile. */
import { modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import { isNotFound } from '../../kube/errors.ts';
import type { KubeObject, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';

/** For people on this machine, where a cluster address cannot be reached from outside the cluster. */
const urlAnnotation = 'local.ballast.dev/url';

export interface FoundModel {
  /** `http://host:port` of the callers' Service. */
  readonly url: string;
  readonly modelUri: string;
}

const get = async (api: KubeApi, namespace: string, name: string) =>
  (await api.get<KubeObject>(modelDeployments, { namespace, name })) as unknown as ModelDeployment;

/** Reads ModelDeployment and Service; throws a TypeError in plain words when there is nothing to send to. */
export async function findModel(api: KubeApi, namespace: string, name: string): Promise<FoundModel> {
  let deployment: ModelDeployment;
  try {
    deployment = await get(api, namespace, name);
  } catch (error) {
    if (isNotFound(error))
      throw new TypeError(
        `there is no ModelDeployment "${name}" in namespace "${namespace}": kubectl get md -A shows them`,
      );
    throw error;
  }
  let service: Service;
  try {
    service = await api.get<Service>(resources.services, { namespace, name });
  } catch (error) {
    if (isNotFound(error))
      throw new TypeError(`"${name}" has no Service yet: kubectl describe md ${name} says why`);
    throw error;
  }
  const annotated = service.metadata.annotations?.[urlAnnotation]
    ?.split(',')
    .find((url) => url.startsWith('http:'));
  const { clusterIP, ports } = service.spec;
  const port = ports?.find((one) => one.name === 'http')?.port ?? ports?.[0]?.port;
  if (annotated === undefined && (clusterIP === undefined || clusterIP === 'None' || port === undefined))
    throw new TypeError(`the Service "${name}" has no address yet`);
  const host = clusterIP?.includes(':') ? `[${clusterIP}]` : clusterIP;
  return {
    url: (annotated ?? `http://${host}:${port}`).replace(/\/+$/, ''),
    modelUri: deployment.spec.model.uri,
  };
}

/** `2/3` ready and wanted replicas as status says, `-` while it says nothing. */
export async function replicasOf(api: KubeApi, namespace: string, name: string): Promise<string> {
  const { status } = await get(api, namespace, name);
  return status?.summary?.ready ?? '-';
}
