/** The unmodified operator against the embedded cluster, in one process, for a test: with a fake kubelet, or with real pods. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import { loadAuth } from '../../kube/auth.ts';
import { createClient, type KubeClient } from '../../kube/client.ts';
import type { KubeObject, Pod } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { type Cluster, startCluster } from '../../local/cluster.ts';
import { localGatewayImage } from '../../local/gateway-image.ts';
import type { FakeAnswer } from '../../local/kubelet/fake-kubelet.ts';
import type { ImageMap } from '../../local/kubelet/image-map.ts';
import { parseConfig } from '../../operator/config.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import { operatorFlags } from '../operator-flags.ts';
import { until } from '../until.ts';

export const namespace = 'default';
const crdPath = join(import.meta.dirname, '../../crds/generated/modeldeployment.crd.yaml');

export interface OperatorBed {
  readonly cluster: Cluster;
  readonly api: KubeClient;
  operator: Operator;
  /** Ends the operator and starts another one, as an upgrade does. */
  restartOperator(flags?: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface BedOptions {
  readonly readyAfterMs?: (pod: Pod) => number;
  readonly initMessage?: (pod: Pod) => string;
  readonly answer?: (pod: Pod, port: string, path: string) => FakeAnswer | undefined;
  readonly flags?: readonly string[];
  /** Pods are processes of these images, instead of the fake kubelet's. */
  readonly images?: ImageMap;
  /** Bundles of the gateway, where its pods are to run. */
  readonly gatewayBundles?: string;
}

/** Polls every 20 ms until `probe` gives something; fails with what was missing after `timeoutMs`. */
export const eventually = <T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 15_000,
): Promise<T> => until(what, probe, timeoutMs, 20);

/** Starts cluster and operator. */
export async function startOperatorBed(options: BedOptions = {}): Promise<OperatorBed> {
  const stateDir = mkdtempSync(join(tmpdir(), 'ballast-operator-'));
  const cluster = await startCluster({
    stateDir,
    imageMap: {
      ...options.images,
      ...(options.gatewayBundles === undefined
        ? {}
        : { 'ballast/operator': localGatewayImage(options.gatewayBundles, stateDir) }),
    },
    // Restarts come at once: nobody waits ten seconds for a container that failed on purpose.
    backoff: { initialMs: 100, maxMs: 400 },
    node: { cpu: '64', memory: '256Gi', pods: 1_000 },
    ...(options.images !== undefined
      ? {}
      : {
          fakeKubelet: {
            readyAfterMs: options.readyAfterMs ?? (() => 20),
            ...(options.initMessage === undefined ? {} : { initMessage: options.initMessage }),
            ...(options.answer === undefined ? {} : { answer: options.answer }),
          },
        }),
  });
  const auth = await loadAuth({ kubeconfig: cluster.kubeconfigPath });
  const api = createClient(auth);
  await api.create(resources.customResourceDefinitions, load(readFileSync(crdPath, 'utf8')) as KubeObject);
  await eventually('the CRD is served', async () => await api.list(modelDeployments, { namespace }));
  const start = async (flags: readonly string[] = []) => {
    const config = parseConfig([...operatorFlags, ...(options.flags ?? []), ...flags], {});
    const operator = await startOperator(config, { auth });
    await operator.whenRunning();
    return operator;
  };
  const bed: OperatorBed = {
    cluster,
    api,
    operator: await start(),
    async restartOperator(flags) {
      await bed.operator.stop();
      bed.operator = await start(flags);
    },
    async close() {
      await bed.operator.stop();
      await api.close();
      await cluster.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
  return bed;
}

/** Makes a ModelDeployment as a user would. */
export const createModel = (
  api: KubeClient,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<KubeObject> =>
  api.create(modelDeployments, {
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name, namespace },
    spec: { model: { uri: `file:///samples/${name}/model.onnx` }, ...spec },
  } as KubeObject);

/** Merges into the spec, as `kubectl patch` does. */
export const patchModel = (api: KubeClient, name: string, spec: Record<string, unknown>) =>
  api.patch<ModelDeployment & KubeObject>(
    modelDeployments,
    { name, namespace },
    { spec },
    { patchType: 'application/merge-patch+json' },
  );

export const getModel = (api: KubeClient, name: string) =>
  api.get<ModelDeployment & KubeObject>(modelDeployments, { name, namespace });

/** Waits until a condition of the present generation has this status and, if given, this reason. */
export const condition = (api: KubeClient, name: string, type: string, status: string, reason?: string) =>
  eventually(`${name}: ${type}=${status} ${reason ?? ''}`, async () => {
    const model = await getModel(api, name);
    const found = model.status?.conditions?.find((one) => one.type === type);
    const fits =
      found?.status === status &&
      found.observedGeneration === model.metadata.generation &&
      (reason === undefined || found.reason === reason);
    return fits ? { model, message: found.message } : undefined;
  });

/** Objects of a kind that belong to a ModelDeployment. */
export const childrenOf = async <T extends KubeObject>(api: KubeClient, type: ResourceType, name: string) =>
  (await api.list<T>(type, { namespace, labelSelector: `ballast.dev/model-deployment=${name}` })).items;
