/** All that reconciles: ModelDeployments, the gateways of their namespaces, the room that they keep; and what wakes each. */
import { labels } from '../crds/constants.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import { ConsistencyTracker } from '../kube/consistency.ts';
import { Controller } from '../kube/controller.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { Log } from '../kube/log.ts';
import type { MetricsRegistry } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { ObjectKey } from '../kube/resource.ts';
import type { OperatorConfig } from './config.ts';
import { type Caches, groupsOfDeployments, reflectorsOf } from './controllers/caches.ts';
import { ConflictWatches } from './controllers/conflict-watches.ts';
import type { FleetLoop } from './controllers/fleet-loop.ts';
import { followGateways, gatewaySettings } from './controllers/gateway-controller.ts';
import { followHeadrooms } from './controllers/headroom-controller.ts';
import { Memories } from './controllers/memory.ts';
import { reconcileModelDeployment } from './controllers/model-deployment.ts';
import type { OperatorDefaults } from './model/snapshot.ts';
import { followPrices, nodesReader } from './nodes.ts';

export interface ReconcilingOptions {
  readonly config: OperatorConfig;
  /** A client whose writes pass only where this process may write. */
  readonly api: KubeApi;
  /** For watches of single objects. */
  readonly client: KubeApi;
  readonly caches: Caches;
  readonly recorder: EventRecorder;
  readonly fleet: Pick<FleetLoop, 'known' | 'decisionFor'>;
  /** The defaults in force. */
  readonly defaults: () => OperatorDefaults;
  /** Whether anything is decided about a namespace. */
  readonly isOpen: (namespace: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
}

export interface Reconciling {
  /** The scaling decision about a ModelDeployment is another one. */
  decided(key: ObjectKey): void;
  /** Looks at all of a namespace anew, or of all of them. */
  enqueueAll(namespace: string | undefined): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Key of the ModelDeployment that an object belongs to. */
const deploymentKeyOf = (object: KubeObject): ObjectKey[] => {
  const name = object.metadata.labels?.[labels.deployment];
  return name === undefined ? [] : [`${object.metadata.namespace ?? ''}/${name}`];
};

const namespaceOf = (key: ObjectKey): string => key.slice(0, key.indexOf('/'));

/** Makes the controllers and what wakes them; nothing is written before `start`. */
export function followModelDeployments(options: ReconcilingOptions): Reconciling {
  const { config, api, client, caches, recorder, fleet, defaults, isOpen, clock, log, metrics } = options;
  const consistency = new ConsistencyTracker({ clock, log, observer: metrics });
  for (const { type, store, namespace } of reflectorsOf(caches))
    consistency.track(
      type,
      store,
      namespace === undefined ? undefined : ({ metadata }) => metadata.namespace === namespace,
    );
  const memories = new Memories(clock.now());
  caches.modelDeployments.onChange(({ type, key, object, previous }) => {
    if (type === 'deleted') {
      memories.forget(object.metadata.uid);
      consistency.forget(key);
    } else if (previous !== undefined && previous.metadata.uid !== object.metadata.uid) {
      memories.forget(previous.metadata.uid);
      consistency.forget(key);
    }
  });

  const onChange = (key: ObjectKey) => controller.enqueue(key);
  const common = { api, caches, isOpen, onChange, clock, log, metrics };
  const gateways = followGateways({ ...common, settings: () => gatewaySettings(config, defaults()) });
  const headrooms = followHeadrooms({ ...common, config, known: fleet.known });
  const conflicts = new ConflictWatches({
    api: client,
    onChange: (key, uid, child) => {
      memories.forgetConflict(uid, child);
      controller.enqueue(key);
    },
  });
  const controller = new Controller({
    name: 'model-deployment',
    reconcile: reconcileModelDeployment({
      api,
      observer: metrics,
      consistency,
      recorder,
      conflicts,
      caches,
      memories,
      get defaults() {
        return defaults();
      },
      readScaling: (deployment) => fleet.decisionFor(deployment),
      readGateway: (deployment) => gateways.readingOf(deployment),
      readHeadroom: (deployment) => headrooms.readingOf(deployment),
      readNodes: nodesReader(caches.nodes, config.nodePriceLabel),
      backlog: () => controller.queue.length,
      nowMs: () => clock.now(),
    }),
    workers: config.workers,
    clock,
    log,
    observer: metrics,
    consistency,
    admits: (key) => isOpen(namespaceOf(key)),
  });
  if (caches.nodes !== undefined)
    followPrices(
      caches.nodes,
      config.nodePriceLabel,
      () => caches.pods.store.list(),
      (pod) => {
        for (const key of deploymentKeyOf(pod)) controller.enqueue(key, 'low');
      },
    );
  controller.watchPrimary(caches.modelDeployments);
  for (const group of groupsOfDeployments(caches)) {
    // Addresses matter to the probe, not to reconcile.
    if (group.type.plural === caches.modelDeployments.type.plural || group.type.kind === 'EndpointSlice')
      continue;
    controller.watchMapped(group, deploymentKeyOf);
  }
  const all = [controller, gateways, headrooms];
  return {
    decided(key) {
      controller.enqueue(key, 'high');
      headrooms.enqueue(key);
    },
    enqueueAll(namespace) {
      gateways.enqueue(namespace);
      for (const key of caches.modelDeployments.store.keys())
        if (namespace === undefined || namespaceOf(key) === namespace) controller.enqueue(key, 'low');
    },
    async start() {
      await Promise.all(all.map((one) => one.start()));
    },
    async stop() {
      await Promise.all(all.map((one) => one.stop()));
      await conflicts.stop();
    },
  };
}
