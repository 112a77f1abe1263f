/** The growing cluster: a real control plane, KWOK and Karpenter, and the operator of these sources in this process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { labels, modelDeployments } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import { type Auth, loadAuth } from '../../../kube/auth.ts';
import { createClient, type KubeClient } from '../../../kube/client.ts';
import type { KubeEvent, KubeObject, Pod } from '../../../kube/objects.ts';
import { type ResourceType, resources } from '../../../kube/resource.ts';
import { parseConfig } from '../../../operator/config.ts';
import type { NodeObject } from '../../../operator/model/cost.ts';
import { type Operator, startOperator } from '../../../operator/operator.ts';
import { operatorFlags } from '../../operator-flags.ts';
import { until } from '../../until.ts';
import { type RealCluster, type RealClusterOptions, startRealCluster } from '../cluster.ts';

export const namespace = 'models';
export const priceLabel = 'eks-node-viewer/instance-price';
const zoneLabel = 'topology.kubernetes.io/zone';

type Model = ModelDeployment & KubeObject;
const clusterScoped = (group: string, version: string, plural: string, kind: string): ResourceType => ({
  group,
  version,
  plural,
  kind,
  namespaced: false,
});
const nodePools = clusterScoped('karpenter.sh', 'v1', 'nodepools', 'NodePool');
const nodeClasses = clusterScoped('karpenter.kwok.sh', 'v1alpha1', 'kwoknodeclasses', 'KWOKNodeClass');
const definitions = clusterScoped(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
);
const rbac = (plural: string, kind: string) => clusterScoped('rbac.authorization.k8s.io', 'v1', plural, kind);

export interface Bed {
  readonly cluster: RealCluster;
  readonly api: KubeClient;
  operator: Operator;
  /** Ends the operator and starts another one; `auth` defaults to the administrator's. */
  restart(flags: readonly string[], auth?: Auth): Promise<void>;
  /** Creates or changes a ModelDeployment. */
  model(name: string, spec: Record<string, unknown>): Promise<void>;
  read(name: string): Promise<Model>;
  remove(name: string): Promise<void>;
  nodes(): Promise<NodeObject[]>;
  podsOf(name: string): Promise<Pod[]>;
  /** Reasons of the events about a ModelDeployment, each once. */
  eventsOf(name: string): Promise<string[]>;
  /** How late a node that Karpenter buys is there: `20s`; undefined for at once. */
  nodeDelay(delay: string | undefined): Promise<void>;
  /** CPUs that Karpenter may buy in all; undefined: as many as it likes. */
  limitCpu(cpu: number | undefined): Promise<void>;
  /** Credentials that may do everything that the operator does, but read no nodes. */
  withoutNodes(): Promise<Auth>;
  untilReady(name: string, timeoutMs?: number): Promise<Model>;
  stop(): Promise<void>;
}

export const condition = (model: Model, type: string) =>
  model.status?.conditions?.find((one) => one.type === type);
export const isReady = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

/** How many of the pods stand in each zone, by the zones of their nodes. */
export function perZone(pods: readonly Pod[], nodes: readonly NodeObject[]): Record<string, number> {
  const zones: Record<string, number> = {};
  for (const { spec } of pods) {
    const zone = nodes.find(({ metadata }) => metadata.name === spec.nodeName)?.metadata.labels?.[zoneLabel];
    zones[zone ?? 'none'] = (zones[zone ?? 'none'] ?? 0) + 1;
  }
  return zones;
}

/** Starts everything; there is no node until Karpenter buys one, unless `nodes` says what there is instead of Karpenter. */
export async function startBed(
  say: (line: string) => void,
  nodes: Pick<RealClusterOptions, 'karpenter' | 'kwokNodes' | 'kwokNode'> = { karpenter: true },
): Promise<Bed> {
  const cluster = await startRealCluster({ ...nodes, zones: ['zone-a', 'zone-b', 'zone-c'], say });
  const admin = await loadAuth({ kubeconfig: cluster.kubeconfigPath });
  const api = createClient(admin, { userAgent: 'grow' });
  const crd = readFileSync(
    join(import.meta.dirname, '../../../crds/generated/modeldeployment.crd.yaml'),
    'utf8',
  );
  await api.create(definitions, load(crd) as KubeObject);
  await until(
    'the CRD is served',
    async () => (await api.list(modelDeployments, { namespace })) !== undefined,
  );
  await api.create(resources.namespaces, { metadata: { name: namespace } });
  const start = async (flags: readonly string[], auth: Auth) => {
    const operator = await startOperator(parseConfig([...operatorFlags, ...flags], {}), { auth });
    await operator.whenRunning();
    return operator;
  };
  const ref = (name: string) => ({ namespace, name });
  const merge = (type: ResourceType, patch: object) =>
    api.patch(type, { name: 'default' }, patch, { patchType: 'application/merge-patch+json' });
  const read = (name: string) => api.get<Model>(modelDeployments, ref(name));
  const bed: Bed = {
    cluster,
    api,
    operator: await start(['--read-nodes', 'true'], admin),
    async restart(flags, auth = admin) {
      await bed.operator.stop();
      bed.operator = await start(flags, auth);
    },
    async model(name, spec) {
      const object = {
        apiVersion: 'ballast.dev/v1alpha1',
        kind: 'ModelDeployment',
        metadata: ref(name),
        spec,
      };
      await api.apply(modelDeployments, object, { fieldManager: 'team' });
    },
    read,
    async remove(name) {
      await api.delete(modelDeployments, ref(name), { propagationPolicy: 'Background' });
      await until(`${name} is gone`, async () => (await bed.podsOf(name)).length === 0);
    },
    nodes: async () => (await api.list<NodeObject>(resources.nodes)).items,
    podsOf: async (name) =>
      (await api.list<Pod>(resources.pods, { namespace, labelSelector: `${labels.deployment}=${name}` }))
        .items,
    async eventsOf(name) {
      const all = (await api.list<KubeEvent>(resources.events, { namespace })).items;
      return all.flatMap((event) => (event.involvedObject.name === name ? [event.reason ?? ''] : []));
    },
    nodeDelay: async (delay) =>
      void (await merge(nodeClasses, { spec: { nodeRegistrationDelay: delay ?? null } })),
    limitCpu: async (cpu) =>
      void (await merge(nodePools, { spec: { limits: cpu === undefined ? null : { cpu: String(cpu) } } })),
    async withoutNodes() {
      const name = 'no-nodes';
      const rule = (apiGroups: string[], kinds: string[]) => ({ apiGroups, resources: kinds, verbs: ['*'] });
      const groups = [
        'ballast.dev',
        'apps',
        'policy',
        'networking.k8s.io',
        'discovery.k8s.io',
        'coordination.k8s.io',
      ];
      const core = ['pods', 'services', 'configmaps', 'serviceaccounts', 'events'];
      await api.create(rbac('clusterroles', 'ClusterRole'), {
        metadata: { name },
        rules: [rule(groups, ['*']), rule([''], core)],
      } as KubeObject);
      await api.create(rbac('clusterrolebindings', 'ClusterRoleBinding'), {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
      } as KubeObject);
      const credentials = async () => {
        const own = await admin.credentials();
        return { ...own, headers: { ...own.headers, 'impersonate-user': name } };
      };
      return { ...admin, credentials };
    },
    untilReady: (name, timeoutMs = 60_000) =>
      until(
        `${name} is Ready`,
        async () => {
          const model = await read(name);
          const ready = condition(model, 'Ready');
          if (ready?.status === 'True' && ready.observedGeneration === model.metadata.generation)
            return model;
          throw new Error(`${ready?.reason}: ${ready?.message}`);
        },
        timeoutMs,
      ),
    async stop() {
      await bed.operator.stop();
      await api.close();
      await cluster.stop();
    },
  };
  return bed;
}
