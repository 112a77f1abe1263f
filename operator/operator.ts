/** The operator put together: connection, caches, territory, fleet loop, controllers, health; and taken apart in order. */
import { fieldManagers } from '../crds/constants.ts';
import type { Auth } from '../kube/auth.ts';
import { type Clock, realClock } from '../kube/clock.ts';
import { EventRecorder } from '../kube/events.ts';
import { gateWrites } from '../kube/leader-gate.ts';
import { Lifecycle } from '../kube/lifecycle.ts';
import { type Log, noLog } from '../kube/log.ts';
import { MetricsRegistry } from '../kube/metrics.ts';
import { resources } from '../kube/resource.ts';
import { followTerritory } from './claims/territory.ts';
import type { OperatorConfig } from './config.ts';
import { authOf, connect } from './connection.ts';
import { createCaches, groupsOfDeployments, reflectorsOf } from './controllers/caches.ts';
import { readDefaults } from './defaults/watch.ts';
import { followFleet } from './fleet.ts';
import { collectGauges } from './gauges.ts';
import { createMetrics } from './http/metrics.ts';
import { startOpsServer } from './http/ops-server.ts';
import type { OperatorDefaults } from './model/snapshot.ts';
import { modelSamples } from './model-metrics.ts';
import { promiseSamples } from './promise-metrics.ts';
import { followModelDeployments } from './reconciling.ts';
import { scalingSamples } from './scaling-metrics.ts';

export interface OperatorParts {
  readonly auth?: Auth;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Called when leadership is lost: the process must end, because another one writes now. */
  readonly onLost?: () => void;
}

export interface Operator {
  /** Port of /livez, /readyz and /metrics. */
  readonly opsPort: number;
  readonly metrics: MetricsRegistry;
  /** For signals: what is to end, and whether it is ending. */
  readonly lifecycle: Lifecycle;
  /** Resolves when it leads and every cache of one watched namespace holds its first list. */
  whenRunning(): Promise<void>;
  /** Ends everything in order; safe to call twice. */
  stop(): Promise<void>;
}

/** Starts an operator in this process. It serves health at once, and works as soon as it leads and has read everything. */
export async function startOperator(config: OperatorConfig, parts: OperatorParts = {}): Promise<Operator> {
  const { clock = realClock, log = noLog, onLost = () => {} } = parts;
  const metrics = new MetricsRegistry();
  const lifecycle = new Lifecycle({ clock, log });
  const common = { clock, log, metrics };
  const auth = parts.auth ?? (await authOf(config, clock));
  const fleetDefaults = readDefaults(config.defaultsFile, {
    clock,
    log,
    observer: metrics,
    onChange: () => {
      defaults = defaultsOf();
      enqueueAll(undefined);
    },
  });
  lifecycle.onStop('work', 'defaults', async () => fleetDefaults.stop());
  const defaultsOf = (): OperatorDefaults => ({
    ...fleetDefaults.current,
    image: fleetDefaults.current.image ?? config.image,
    fileRoots: config.fileRoots,
    bakeTimeMs: config.bakeTimeMs,
    gatewayPods: config.gatewayReplicas,
  });
  let defaults = defaultsOf();

  const { client, watched, elector, leads } = connect(config, { ...common, auth, lifecycle });

  const caches = createCaches({
    api: client,
    namespaces: config.watchNamespaces,
    readNodes: config.readNodes,
    clock,
    log,
    observer: metrics,
  });
  const reflectors = reflectorsOf(caches);
  lifecycle.onStop('caches', 'reflectors', async () => {
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
  });

  const api = gateWrites(
    watched,
    // Events may tell why nothing else is written.
    ({ kind }, namespace) => leads() && (kind === resources.events.kind || territory.isOurs(namespace ?? '')),
  );
  const recorder = new EventRecorder({
    api,
    component: fieldManagers.operator,
    instance: config.identity,
    clock,
    log,
    observer: metrics,
  });
  const territory = followTerritory({
    ...common,
    config,
    api: gateWrites(watched, leads),
    caches,
    recorder,
    lifecycle,
    standsBy: () => elector?.standsBy === true,
    onOpen: (namespace) => enqueueAll(namespace),
  });
  const { isOurs, isOpen } = territory;
  const fleet = followFleet({
    ...common,
    caches,
    lifecycle,
    isOurs,
    isOpen,
    onChange: (key) => reconciling.decided(key),
  });
  const reconciling = followModelDeployments({
    ...common,
    config,
    api,
    client,
    caches,
    recorder,
    fleet: fleet.loop,
    defaults: () => defaults,
    isOpen,
  });
  const enqueueAll = (namespace: string | undefined) => {
    fleet.lookAgain();
    reconciling.enqueueAll(namespace);
  };
  lifecycle.onStop(
    'work',
    'controller',
    async () => {
      await Promise.all([fleet.stop(), reconciling.stop()]);
      await recorder.close();
    },
    25_000,
  );

  collectGauges(metrics, {
    reflectors: groupsOfDeployments(caches).flatMap((group) => group.reflectors),
    namespaces: territory.namespaces,
    probe: fleet.probe,
    fleet: fleet.loop,
  });
  const ownMetrics = createMetrics(
    () => metrics.snapshot(),
    () => {
      if (!leads()) return [];
      const deployments = caches.modelDeployments.store.list();
      const { known } = fleet.loop;
      return [
        ...modelSamples(deployments),
        ...promiseSamples(deployments, known),
        ...scalingSamples(deployments, known),
      ];
    },
  );
  const ops = await startOpsServer({
    host: config.opsHost,
    port: config.opsPort,
    unready: () => lifecycle.unready(),
    metrics: () => ownMetrics.text(),
  });
  lifecycle.onStop('connections', 'health', async () => {
    ownMetrics.close();
    await ops.close();
  });

  const run = async () => {
    for (const reflector of reflectors) reflector.start();
    if (elector !== undefined) {
      elector.lost.addEventListener('abort', () => {
        if (lifecycle.stopping) return;
        log.error('leadership lost, ending: another operator may write now');
        onLost();
      });
      elector.start();
      await elector.whenLeading();
    }
    territory.start();
    fleet.start();
    await reconciling.start();
    log.info('operator runs', { modelDeployments: caches.modelDeployments.store.size });
  };
  const running = run();
  // A stop before the first list rejects it; whoever waits for it learns that.
  running.catch(() => {});
  return {
    opsPort: ops.port,
    metrics,
    lifecycle,
    whenRunning: () => running,
    stop: () => lifecycle.stop(),
  };
}
