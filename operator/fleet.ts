/** The fleet loop with all that it reads: the load of pods and gateways, starts of pods, and replicas as the caches know them. */
import type { ModelDeployment } from '../crds/types.ts';
import type { Clock } from '../kube/clock.ts';
import type { Lifecycle } from '../kube/lifecycle.ts';
import { type Log, messageOf } from '../kube/log.ts';
import type { MetricsRegistry } from '../kube/metrics.ts';
import type { ObjectKey } from '../kube/resource.ts';
import { type Caches, ofDeployment } from './controllers/caches.ts';
import { createFleetLoop, type FleetLoop } from './controllers/fleet-loop.ts';
import { followGatewayLoad, followStartups } from './controllers/fleet-readings.ts';
import { followZeros } from './controllers/zero-sightings.ts';
import { replicaFactsOf } from './model/scaling/facts.ts';
import { createProbe, type Probe } from './probe/probe.ts';
import { createPuller } from './probe/pull.ts';
import { targetsOf } from './probe/targets.ts';

export interface FleetOptions {
  readonly caches: Caches;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  readonly lifecycle: Lifecycle;
  /** Whether no other installation has a namespace: only then its pods are asked. */
  readonly isOurs: (namespace: string) => boolean;
  /** Whether anything is decided about a namespace. */
  readonly isOpen: (namespace: string) => boolean;
  /** The decision about a ModelDeployment (`namespace/name`) is another one. */
  readonly onChange: (key: ObjectKey) => void;
}

export interface Fleet {
  readonly loop: FleetLoop;
  readonly probe: Probe;
  /** Pods and gateways are listed anew, because other namespaces may be ours. */
  lookAgain(): void;
  start(): void;
  /** Ends the loop and what it asks; connections end with the lifecycle. */
  stop(): Promise<void>;
}

const keyOf = ({ metadata: { namespace, name } }: ModelDeployment): ObjectKey => `${namespace}/${name}`;

const isRollingOut = ({ status }: ModelDeployment) =>
  status?.candidate !== undefined && status.rollout?.failedRevision !== status.candidate.revision;

/** Makes the loop and its probes; nothing is asked before `start`. */
export function followFleet(options: FleetOptions): Fleet {
  const { caches, clock, log, metrics, lifecycle, isOurs, isOpen, onChange } = options;
  const puller = createPuller();
  const probe = createProbe({ clock, pull: puller.pull, random: Math.random });
  lifecycle.onStop('connections', 'probe', () => puller.close());
  const gatewayLoad = followGatewayLoad({ caches, isOurs, clock });
  lifecycle.onStop('connections', 'gateway probe', () => gatewayLoad.close());
  const startups = followStartups(caches);
  const zeros = followZeros(caches.deployments, clock);
  let slicesChanged = true;
  caches.endpointSlices.onChange(() => {
    slicesChanged = true;
  });
  const loop = createFleetLoop({
    clock,
    deployments: () => caches.modelDeployments.store.list(),
    facts: (deployment) => {
      if (!isOpen(deployment.metadata.namespace)) return undefined;
      const key = keyOf(deployment);
      const facts = replicaFactsOf(
        caches.deployments.store.byIndex(ofDeployment, key),
        caches.pods.store.byIndex(ofDeployment, key),
        isRollingOut(deployment),
      );
      // While two revisions run, their Deployments ask for the surge too; what the load needs is in status.
      return { ...facts, replicas: deployment.status?.scaling?.desiredReplicas ?? facts.replicas };
    },
    asked: (deployment) =>
      caches.deployments.store
        .byIndex(ofDeployment, keyOf(deployment))
        .reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0),
    zeroAtMs: zeros.lastAtMs,
    readings: (key) => probe.readingsOf(key),
    gateways: gatewayLoad.probe.readingsOf,
    startups: (key) => startups.of(key),
    hurry: (key, hurried) => probe.setHurried(key, hurried),
    held: (key, held) => probe.setHeld(key, held),
    enqueue: onChange,
    beforeRound: () => {
      gatewayLoad.beforeRound();
      if (!slicesChanged) return;
      slicesChanged = false;
      const slices = caches.endpointSlices.store.list();
      probe.setTargets(targetsOf(slices.filter(({ metadata }) => isOurs(metadata.namespace ?? ''))));
    },
    onError: (key, error) => {
      metrics.count('scaling_errors_total');
      log.error('scaling decision failed', { key, error: messageOf(error) });
    },
  });
  return {
    loop,
    probe,
    lookAgain() {
      slicesChanged = true;
      gatewayLoad.lookAgain();
    },
    start() {
      probe.start();
      gatewayLoad.probe.start();
      loop.start();
    },
    async stop() {
      loop.stop();
      await Promise.all([probe.stop(), gatewayLoad.probe.stop()]);
    },
  };
}
