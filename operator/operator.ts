/** The operator put together: client, caches, controller, fleet loop, health; and taken apart in order. */
import { fieldManagers, labels } from '../crds/constants.ts';
import type { ModelDeployment } from '../crds/types.ts';
import { type Auth, loadAuth } from '../kube/auth.ts';
import { createClient } from '../kube/client.ts';
import { type Clock, realClock } from '../kube/clock.ts';
import { ConsistencyTracker } from '../kube/consistency.ts';
import { Controller } from '../kube/controller.ts';
import { EventRecorder } from '../kube/events.ts';
import { gateWrites } from '../kube/leader-gate.ts';
import { Lifecycle } from '../kube/lifecycle.ts';
import { type Log, messageOf, noLog } from '../kube/log.ts';
import { MetricsRegistry } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/objects.ts';
import { Permissions } from '../kube/permissions.ts';
import { type ObjectKey, resources } from '../kube/resource.ts';
import { claimNamespaces, claimProblems } from './claims/claimed-namespaces.ts';
import type { OperatorConfig } from './config.ts';
import { createCaches, groupsOfDeployments, ofDeployment, reflectorsOf } from './controllers/caches.ts';
import { ConflictWatches } from './controllers/conflict-watches.ts';
import { createFleetLoop } from './controllers/fleet-loop.ts';
import { followGatewayLoad, followStartups } from './controllers/fleet-readings.ts';
import { followGateways, gatewaySettings } from './controllers/gateway-controller.ts';
import { followHeadrooms } from './controllers/headroom-controller.ts';
import { Memories } from './controllers/memory.ts';
import { reconcileModelDeployment } from './controllers/model-deployment.ts';
import { followNamespaces } from './controllers/namespaces.ts';
import { followZeros } from './controllers/zero-sightings.ts';
import { readDefaults } from './defaults/watch.ts';
import { makeElector } from './election.ts';
import { collectGauges } from './gauges.ts';
import { createMetrics } from './http/metrics.ts';
import { startOpsServer } from './http/ops-server.ts';
import { replicaFactsOf } from './model/scaling/facts.ts';
import type { OperatorDefaults } from './model/snapshot.ts';
import { modelSamples } from './model-metrics.ts';
import { followPrices, nodesReader } from './nodes.ts';
import { createProbe } from './probe/probe.ts';
import { createPuller } from './probe/pull.ts';
import { targetsOf } from './probe/targets.ts';
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

/** Key of the ModelDeployment that an object belongs to. */
const deploymentKeyOf = (object: KubeObject): ObjectKey[] => {
  const name = object.metadata.labels?.[labels.deployment];
  return name === undefined ? [] : [`${object.metadata.namespace ?? ''}/${name}`];
};

const namespaceOf = (key: ObjectKey): string => key.slice(0, key.indexOf('/'));

const isRollingOut = ({ status }: ModelDeployment) =>
  status?.candidate !== undefined && status.rollout?.failedRevision !== status.candidate.revision;

/** Starts an operator in this process. It serves health at once, and works as soon as it leads and has read everything. */
export async function startOperator(config: OperatorConfig, parts: OperatorParts = {}): Promise<Operator> {
  const { clock = realClock, log = noLog, onLost = () => {} } = parts;
  const metrics = new MetricsRegistry();
  const lifecycle = new Lifecycle({ clock, log });
  const auth =
    parts.auth ??
    (await loadAuth({
      ...(config.kubeconfig === undefined ? {} : { kubeconfig: config.kubeconfig }),
      ...(config.context === undefined ? {} : { context: config.context }),
      ...(config.inCluster === undefined ? {} : { inCluster: config.inCluster }),
      clock,
    }));
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
  const userAgent = `ballast-operator/${config.identity}`;
  const client = createClient(auth, {
    userAgent,
    clock,
    observer: metrics,
    qps: config.qps,
    burst: config.burst,
  });
  lifecycle.onStop('connections', 'client', () => client.close());

  const permissions = new Permissions({ clock, log, observer: metrics });
  lifecycle.addCheck('permissions', () => permissions.missing());
  const watched = permissions.watch(client);
  const elector = makeElector(config, { auth, clock, log, observer: metrics, lifecycle, permissions });
  const leads = () => elector === undefined || elector.leading;
  const api = gateWrites(
    watched,
    // Events may tell why nothing else is written.
    ({ kind }, namespace) => leads() && (kind === resources.events.kind || isOurs(namespace ?? '')),
  );

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
  const namespaces = followNamespaces(caches);
  lifecycle.addCheck('caches', () => namespaces.problems());

  const consistency = new ConsistencyTracker({ clock, log, observer: metrics });
  for (const { type, store, namespace } of reflectors)
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

  const puller = createPuller();
  const probe = createProbe({
    clock,
    pull: puller.pull,
    random: Math.random,
  });
  lifecycle.onStop('connections', 'probe', () => puller.close());
  const gatewayLoad = followGatewayLoad({ caches, isOurs: (namespace) => isOurs(namespace), clock });
  lifecycle.onStop('connections', 'gateway probe', () => gatewayLoad.close());
  const startups = followStartups(caches);

  const recorder = new EventRecorder({
    api,
    component: fieldManagers.operator,
    instance: config.identity,
    clock,
    log,
    observer: metrics,
  });
  const claims =
    config.installation === ''
      ? undefined
      : claimNamespaces({
          api: gateWrites(watched, leads),
          installation: config.installation,
          namespaces: config.watchNamespaces,
          modelDeployments: caches.modelDeployments,
          recorder,
          clock,
          log,
          metrics,
          onHeld: (namespace) => enqueueAll(namespace),
        });
  const isOurs = (namespace: string) => claims?.holds(namespace) ?? true;
  /** Whether anything is decided about a namespace: its caches are whole and no other installation has it. */
  const isOpen = (namespace: string) => namespaces.isRead(namespace) && isOurs(namespace);
  if (claims !== undefined) {
    // Where another replica leads, that one keeps the claims.
    lifecycle.addCheck('claims', () =>
      elector?.standsBy === true ? [] : claimProblems(claims, config.watchNamespaces),
    );
    lifecycle.onStop('caches', 'claims', () => claims.stop());
  }
  const defaultsOf = (): OperatorDefaults => ({
    ...fleetDefaults.current,
    image: fleetDefaults.current.image ?? config.image,
    fileRoots: config.fileRoots,
    bakeTimeMs: config.bakeTimeMs,
  });
  let defaults = defaultsOf();
  let slicesChanged = true;
  caches.endpointSlices.onChange(() => {
    slicesChanged = true;
  });
  const zeros = followZeros(caches.deployments, clock);
  const fleet = createFleetLoop({
    clock,
    deployments: () => caches.modelDeployments.store.list(),
    facts: (deployment) => {
      if (!isOpen(deployment.metadata.namespace)) return undefined;
      const key = `${deployment.metadata.namespace}/${deployment.metadata.name}`;
      const rolling = isRollingOut(deployment);
      const facts = replicaFactsOf(
        caches.deployments.store.byIndex(ofDeployment, key),
        caches.pods.store.byIndex(ofDeployment, key),
        rolling,
      );
      // While two revisions run, their Deployments ask for the surge too; what the load needs is in status.
      return { ...facts, replicas: deployment.status?.scaling?.desiredReplicas ?? facts.replicas };
    },
    asked: ({ metadata: { namespace, name } }) =>
      caches.deployments.store
        .byIndex(ofDeployment, `${namespace}/${name}`)
        .reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0),
    zeroAtMs: zeros.lastAtMs,
    readings: (key) => probe.readingsOf(key),
    gateways: gatewayLoad.probe.readingsOf,
    startups: (key) => startups.of(key),
    hurry: (key, hurried) => probe.setHurried(key, hurried),
    held: (key, held) => probe.setHeld(key, held),
    enqueue: (key) => {
      controller.enqueue(key, 'high');
      headrooms.enqueue(key);
    },
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

  const gateways = followGateways({
    api,
    caches,
    settings: () => gatewaySettings(config, defaults),
    isOpen,
    onChange: (key) => controller.enqueue(key),
    clock,
    log,
    metrics,
  });
  const headrooms = followHeadrooms({
    api,
    caches,
    config,
    known: fleet.known,
    isOpen,
    onChange: (key) => controller.enqueue(key),
    clock,
    log,
    metrics,
  });
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
        return defaults;
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
  const enqueueAll = (namespace: string | undefined) => {
    slicesChanged = true;
    gatewayLoad.lookAgain();
    gateways.enqueue(namespace);
    for (const key of caches.modelDeployments.store.keys())
      if (namespace === undefined || namespaceOf(key) === namespace) controller.enqueue(key, 'low');
  };
  namespaces.onRead((namespace) => {
    log.info('caches are whole', { namespace: namespace ?? '(all)' });
    enqueueAll(namespace);
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
  lifecycle.onStop(
    'work',
    'controller',
    async () => {
      fleet.stop();
      await Promise.all([
        ...[controller, gateways, headrooms, probe].map((one) => one.stop()),
        gatewayLoad.probe.stop(),
      ]);
      await conflicts.stop();
      await recorder.close();
    },
    25_000,
  );

  collectGauges(metrics, {
    reflectors: groupsOfDeployments(caches).flatMap((group) => group.reflectors),
    namespaces,
    probe,
    fleet,
  });
  const ownMetrics = createMetrics(
    () => metrics.snapshot(),
    () => {
      if (!leads()) return [];
      const deployments = caches.modelDeployments.store.list();
      return [...modelSamples(deployments), ...scalingSamples(deployments, fleet.known)];
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
    claims?.start();
    probe.start();
    gatewayLoad.probe.start();
    fleet.start();
    await Promise.all([controller.start(), gateways.start(), headrooms.start()]);
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
