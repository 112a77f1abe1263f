/** One reconcile function over an in-memory API whose objects are at once its caches: no watch, no lag. */
import { labels, modelDeployments } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { ApplyOptions } from '../../../kube/api.ts';
import { ConsistencyTracker } from '../../../kube/consistency.ts';
import type { ReconcileResult } from '../../../kube/controller.ts';
import { MetricsRegistry } from '../../../kube/metrics.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { type ResourceType, resources } from '../../../kube/resource.ts';
import { keyOf } from '../../../kube/store.ts';
import { FakeApi } from '../../../kube/testing/fake-api.ts';
import type { GatewayReading } from '../../model/gateway/path.ts';
import { makeDeployment, type SpecPart, startMs, testDefaults } from '../../model/testing/builders.ts';
import type { Caches } from '../caches.ts';

import { Memories } from '../memory.ts';
import { reconcileModelDeployment } from '../model-deployment.ts';

const key = 'shop/wine';

const storeOver = (api: FakeApi, type: ResourceType) => {
  const list = () =>
    [...api.objects].filter(([name]) => name.startsWith(`${type.kind} `)).map(([, object]) => object);
  return {
    store: {
      get size() {
        return list().length;
      },
      list,
      get: (name: string) => list().find((object) => keyOf(object) === name),
      byIndex: (_: string, owner: string) =>
        list().filter(
          ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[labels.deployment]}` === owner,
        ),
    },
  };
};

/** Applies status beside the spec, as a subresource is, and lets a test's webhook change what is stored. */
class RigApi extends FakeApi {
  webhook: (type: ResourceType, object: KubeObject) => KubeObject = (_, object) => object;

  override async apply<T extends KubeObject>(
    type: ResourceType,
    object: KubeObject,
    options?: ApplyOptions,
  ): Promise<T> {
    if (options?.subresource !== 'status') return super.apply<T>(type, this.webhook(type, object));
    const { namespace = '', name = '' } = object.metadata;
    const known = this.objects.get(`${type.kind} ${namespace}/${name}`);
    return super.apply<T>(type, {
      ...known,
      ...object,
      metadata: { ...known?.metadata, ...object.metadata },
    });
  }
}

export interface Rig {
  readonly api: RigApi;
  memories: Memories;
  readonly metrics: MetricsRegistry;
  readonly events: string[];
  nowMs: number;
  /** What is known of the namespace's gateway. */
  gateway: GatewayReading | undefined;
  /** One reconcile; rejects as the real one does. */
  reconcile(): Promise<ReconcileResult | undefined>;
  /** Writes the spec as a user does. */
  write(spec: SpecPart): void;
  model(): ModelDeployment;
  condition(type: string): string | undefined;
  names(type: ResourceType): string[];
}

/** An API with a ModelDeployment `wine` and the operator's reconcile over it. */
export function makeRig(spec: SpecPart = {}): Rig {
  const api = new RigApi();
  const metrics = new MetricsRegistry();
  const caches = {
    modelDeployments: storeOver(api, modelDeployments),
    ...Object.fromEntries(
      (
        [
          'serviceAccounts',
          'configMaps',
          'controllerRevisions',
          'services',
          'networkPolicies',
          'deployments',
          'podDisruptionBudgets',
          'replicaSets',
          'pods',
        ] as const
      ).map((kind) => [kind, storeOver(api, resources[kind])]),
    ),
  } as unknown as Caches;
  const events: string[] = [];
  const put = (deployment: ModelDeployment) => void api.seed(modelDeployments, deployment as KubeObject);
  put(makeDeployment(spec));
  const rig: Rig = {
    api,
    metrics,
    events,
    memories: new Memories(),
    nowMs: startMs,
    gateway: undefined,
    reconcile: () =>
      reconcileModelDeployment({
        api,
        observer: metrics,
        consistency: new ConsistencyTracker(),
        conflicts: { set() {} },
        recorder: { record: (_, note) => void events.push(note.reason) },
        caches,
        memories: rig.memories,
        defaults: testDefaults,
        readScaling: () => undefined,
        readGateway: () => rig.gateway,
        nowMs: () => rig.nowMs,
      })(key, { signal: new AbortController().signal, failures: 0 }),
    write(next) {
      const { metadata, spec: before, ...rest } = rig.model();
      put({
        ...rest,
        metadata: { ...metadata, generation: metadata.generation + 1 },
        spec: { ...before, ...next, scaling: { ...before.scaling, ...next.scaling } },
      });
    },
    model: () => caches.modelDeployments.store.get(key) as ModelDeployment,
    condition(type) {
      const found = rig.model().status?.conditions?.find((one) => one.type === type);
      return found === undefined ? undefined : `${found.status} ${found.reason}`;
    },
    names: (type) =>
      storeOver(api, type)
        .store.list()
        .map(({ metadata }) => metadata.name ?? '')
        .sort(),
  };
  return rig;
}
