/** One run of the operator: N ModelDeployments at once, until Ready, at rest, and started anew. */
import { fieldManagers, labels, modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { hearingMs } from '../../operator/model/scaling/measured.ts';
import { figuresEveryMs } from '../../operator/model/status/due.ts';
import { until } from '../../test/until.ts';
import { appliedBy } from './applied.ts';
import { AuditLog, isEvent, isLease, isWrite, type Request } from './audit.ts';
import { auditedUser, type BenchCluster, modelOf, namespace } from './cluster.ts';
import { countOf, follow } from './follow.ts';
import { type Metrics, type OperatorProcess, startOperatorProcess } from './operator-process.ts';

/** Kinds of the children, in the order in which the operator makes them, and how many each ModelDeployment has. */
const childKinds = [
  ['serviceAccounts', 1],
  ['configMaps', 1],
  ['controllerRevisions', 1],
  ['services', 2],
  ['deployments', 1],
  ['podDisruptionBudgets', 1],
] as const;

export type ChildKindName = (typeof childKinds)[number][0];

/** One child as its field manager applied it. */
export interface DumpedChild {
  readonly kind: ChildKindName;
  readonly object: KubeObject;
}

/** A stretch of time in the life of the operator. */
export interface Phase {
  readonly seconds: number;
  readonly requests: readonly Request[];
  readonly cpuSeconds: number;
  /** Event loop lag, 99th percentile and most, milliseconds. */
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
}

export interface OperatorRun {
  readonly count: number;
  readonly createdSeconds: number;
  readonly childrenSeconds: number;
  readonly readySeconds: number;
  /** From the first create until all are Ready. */
  readonly toReady: Phase;
  /** Reconciles in that time. */
  readonly reconciles: number;
  /** From then until nothing was written for as long as the operator may hold a write back. */
  readonly settling: Phase;
  readonly rest: Phase | undefined;
  readonly restart: Phase | undefined;
  readonly readyRssMb: number;
  readonly peakRssMb: number;
  readonly planeCpuSeconds: Readonly<Record<string, number>>;
  readonly complaints: readonly string[];
  /** Children by ModelDeployment, as they were applied. */
  readonly dump: ReadonlyMap<string, readonly DumpedChild[]>;
}

export interface OperatorRunOptions {
  readonly cluster: BenchCluster;
  readonly bundle: string;
  readonly count: number;
  readonly restMs: number;
  readonly say: (line: string) => void;
  readonly nodeFlags?: readonly string[];
}

/** Longest time for anything to be reached: beyond it the run is a failure that names what is missing. */
const patienceMs = (count: number) => 120_000 + count * 400;
const quietMs = 10_000;
/** perf_hooks samples the loop this often and counts the interval itself as delay. */
const samplingMs = 10;

/** How often it looks whether the fleet has got there. */
const lookEveryMs = 250;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const isReady = ({ metadata, status }: ModelDeployment & KubeObject) =>
  status?.observedGeneration === metadata.generation &&
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;

/** Creates all ModelDeployments, as many at once as the client has connections. */
export async function createModels(
  api: KubeClient,
  count: number,
): Promise<(KubeObject & { metadata: { uid: string } })[]> {
  return (await Promise.all(
    Array.from({ length: count }, (_, index) =>
      api.create(modelDeployments, modelOf(index), { timeoutMs: 600_000 }),
    ),
  )) as (KubeObject & { metadata: { uid: string } })[];
}

const isOfOperator = (request: Request) => !isEvent(request) && !isLease(request);

/** Runs it on a fresh cluster. */
export async function runOperator(options: OperatorRunOptions): Promise<OperatorRun> {
  const { cluster, bundle, count, restMs, say, nodeFlags } = options;
  const { api } = cluster;
  let operator = await startOperatorProcess(bundle, cluster.kubeconfigPath, nodeFlags);
  const audit = new AuditLog(cluster.auditLogPath, auditedUser);
  try {
    await until(
      'every cache is watched',
      async () => (await operator.metrics()).sum('ballast_operator_reflector_watches_total') >= 11,
      60_000,
      lookEveryMs,
    );
    audit.read();
    const planeBefore = cluster.cpuSeconds();
    const ready = follow<ModelDeployment & KubeObject>(api, modelDeployments, count, isReady);
    let phase = await startPhase(operator, audit);
    await createModels(api, count);
    const createdSeconds = phase.seconds();
    const creating = phase;
    const children = untilChildrenExist(api, count).then(() => creating.seconds());
    // A failure before it is waited for is told by what failed first.
    children.catch(() => {});
    const reached = await Promise.race([ready.reachedMs, sleep(patienceMs(count)).then(() => undefined)]);
    ready.stop();
    if (reached === undefined)
      throw new Error(
        `only ${ready.passing()} of ${count} are Ready; the operator said:\n${operator.complaints.slice(-5).join('\n')}`,
      );
    const readySeconds = phase.seconds();
    const toReady = await phase.end();
    const reconciles = (await operator.metrics()).sum('ballast_operator_reconciles_total');
    const planeCpuSeconds = difference(cluster.cpuSeconds(), planeBefore);
    const childrenSeconds = await children;
    const readyRssMb = operator.memoryMb().now;
    say(`  all Ready after ${readySeconds.toFixed(1)} s`);

    phase = await startPhase(operator, audit);
    const quiet: Request[] = [];
    // Figures may be held back; and that pods do not answer is said after a while, too.
    const settledMs = Math.max(figuresEveryMs(count), hearingMs) + quietMs;
    for (let quietSinceMs = performance.now(); performance.now() - quietSinceMs < settledMs; ) {
      await sleep(500);
      const news = audit.read();
      quiet.push(...news);
      if (news.some((one) => isWrite(one) && !isLease(one))) quietSinceMs = performance.now();
    }
    const settling = await phase.end(quiet);

    let rest: Phase | undefined;
    if (restMs > 0) {
      phase = await startPhase(operator, audit);
      await sleep(restMs);
      rest = await phase.end();
    }
    const peakRssMb = operator.memoryMb().peak;
    const dump = await dumpChildren(api);

    await operator.stop();
    const complaints = [...operator.complaints];
    audit.read();
    const restartedMs = performance.now();
    operator = await startOperatorProcess(bundle, cluster.kubeconfigPath, nodeFlags);
    await until(
      'all are reconciled after the restart',
      async () => isReconciled(await operator.metrics(), count),
      patienceMs(count),
      lookEveryMs,
    );
    const reconciledSeconds = (performance.now() - restartedMs) / 1_000;
    const restartCpu = operator.cpuSeconds();
    const metrics = await operator.metrics();
    // A write that a start provokes may come a little later.
    await sleep(quietMs);
    const restart: Phase = {
      seconds: reconciledSeconds,
      requests: audit.read(),
      cpuSeconds: restartCpu,
      ...lagOf(metrics),
    };
    complaints.push(...operator.complaints);
    return {
      count,
      createdSeconds,
      childrenSeconds,
      readySeconds,
      toReady,
      reconciles,
      settling,
      rest,
      restart,
      readyRssMb,
      peakRssMb: Math.max(peakRssMb, operator.memoryMb().peak),
      planeCpuSeconds,
      complaints,
      dump,
    };
  } finally {
    await operator.stop();
  }
}

const isReconciled = (metrics: Metrics, count: number) =>
  metrics.sum('ballast_operator_reconciles_total') >= count &&
  metrics.sum('ballast_operator_queue_depth') === 0;

const lagOf = (metrics: Metrics) => ({
  lagP99Ms: Math.max(
    0,
    metrics.sum('ballast_operator_nodejs_eventloop_lag_p99_seconds') * 1_000 - samplingMs,
  ),
  lagMaxMs: Math.max(
    0,
    metrics.sum('ballast_operator_nodejs_eventloop_lag_max_seconds') * 1_000 - samplingMs,
  ),
});

async function startPhase(operator: OperatorProcess, audit: AuditLog) {
  // Reading the metrics starts a new measurement of the loop's lag.
  await operator.metrics();
  audit.read();
  const startMs = performance.now();
  const startCpu = operator.cpuSeconds();
  return {
    seconds: () => (performance.now() - startMs) / 1_000,
    async end(before: readonly Request[] = []): Promise<Phase> {
      const seconds = (performance.now() - startMs) / 1_000;
      const cpuSeconds = operator.cpuSeconds() - startCpu;
      return {
        seconds,
        cpuSeconds,
        requests: [...before, ...audit.read()],
        ...lagOf(await operator.metrics()),
      };
    },
  };
}

/** Resolves when every child of every ModelDeployment is there. The namespace itself holds one ServiceAccount and one ConfigMap. */
async function untilChildrenExist(api: KubeClient, count: number): Promise<void> {
  for (const [kind, each] of childKinds.toReversed()) {
    const others = kind === 'serviceAccounts' || kind === 'configMaps' ? 1 : 0;
    await until(
      `all ${kind} are there`,
      async () => (await countOf(api, resources[kind])) >= count * each + others,
      patienceMs(count),
      lookEveryMs,
    );
  }
}

/** Writes of the operator itself: no Event, no Lease. */
export const writesOf = (requests: readonly Request[]): Request[] =>
  requests.filter((one) => isWrite(one) && isOfOperator(one));

async function dumpChildren(api: KubeClient): Promise<Map<string, DumpedChild[]>> {
  const dump = new Map<string, DumpedChild[]>();
  for (const [kind] of childKinds) {
    let next: string | undefined;
    do {
      const page = await api.list(resources[kind], {
        namespace,
        labelSelector: labels.deployment,
        limit: 500,
        ...(next === undefined ? {} : { continue: next }),
      });
      for (const item of page.items) {
        const name = item.metadata.labels?.[labels.deployment] ?? '';
        const children = dump.get(name) ?? [];
        // The headless Service of a revision is made before the one that callers use.
        const object = appliedBy(item, fieldManagers.operator);
        const early = kind === 'services' && item.metadata.labels?.[labels.revision] !== undefined;
        const at = early ? children.findLastIndex((child) => child.kind !== 'services') + 1 : children.length;
        children.splice(at, 0, { kind, object });
        dump.set(name, children);
      }
      next = page.metadata.continue === '' ? undefined : page.metadata.continue;
    } while (next !== undefined);
  }
  return dump;
}

const difference = (after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));
