/** Once a second: decide the replicas of every ModelDeployment from caches and readings, and wake those that changed. */
import type { ModelDeployment } from '../../crds/types.ts';
import { durationMs, percentFraction } from '../../crds/values.ts';
import type { Clock } from '../../kube/clock.ts';
import { externalWhy } from '../model/external-count.ts';
import { measuredTurn } from '../model/gateway/auto.ts';
import { type WayMeasured, wayMeasuredOf } from '../model/gateway/way-measured.ts';
import { revisionHash } from '../model/hash.ts';
import { scaleOwnerOf } from '../model/scale-owner.ts';
import { decide } from '../model/scaling/decide.ts';
import { demandOf } from '../model/scaling/demand.ts';
import type { ReplicaFacts } from '../model/scaling/facts.ts';
import { headroomOf, headroomWishOf } from '../model/scaling/headroom.ts';
import type { Measured } from '../model/scaling/measured.ts';
import { isSilent } from '../model/scaling/measured.ts';
import { restoredState } from '../model/scaling/restore.ts';
import { memoryOf, sleepOf } from '../model/scaling/sleep.ts';
import { scalingInputOf } from '../model/scaling/spec.ts';
import type { Decision, PodObservation, Startup, Why } from '../model/scaling/types.ts';
import { measuredOf, observeWindow } from '../model/scaling/window.ts';
import { figuresEveryMs } from '../model/status/due.ts';
import type { GatewayReadings } from '../probe/gateway-probe.ts';
import { createAllocator, standingOf } from './allocation.ts';
import type { FleetDecision } from './fleet-decision.ts';
import { type FleetEntry, newEntry } from './fleet-entry.ts';
import { isAtRest, type Seen } from './fleet-rest.ts';

export interface FleetLoopOptions {
  readonly clock: Clock;
  /** Every ModelDeployment of the cache, those being deleted too. */
  readonly deployments: () => readonly ModelDeployment[];
  /** What the caches say of its replicas; undefined until every cache has synced: then nothing is decided. */
  readonly facts: (deployment: ModelDeployment) => ReplicaFacts | undefined;
  /** Replicas that its Deployments ask for at present, whatever was decided; absent: what the facts say. */
  readonly asked?: (deployment: ModelDeployment) => number;
  /** When a Deployment of `namespace/name` was last seen to be lowered to 0, monotonic; absent: nobody looks. */
  readonly zeroAtMs?: (key: string) => number | undefined;
  /** Its pods with their readings; `key` is `namespace/name`. */
  readonly readings: (key: string) => readonly PodObservation[];
  /** What the gateways of its namespace say of it; absent where nobody asks them. */
  readonly gateways?: (namespace: string, name: string) => GatewayReadings;
  /** The starts of its last pods, newest last. */
  readonly startups?: (key: string) => readonly Startup[];
  /** Asks for a reconcile of `namespace/name`. */
  readonly enqueue: (key: string) => void;
  /** Called before each round, to hand the probe its list of pods. */
  readonly beforeRound?: () => void;
  /** Tells the probe that a deployment's pods are to be asked often: replicas start, or a rollout runs. */
  readonly hurry?: (key: string, hurried: boolean) => void;
  /** Tells the probe whether gateways say how much a deployment is asked. */
  readonly held?: (key: string, held: boolean) => void;
  readonly onError?: (key: string, error: unknown) => void;
  readonly everyMs?: number;
}

export interface FleetLoop {
  start(): void;
  stop(): void;
  /** One round now, as each second does it. */
  round(): void;
  /** The decision in force; the first one of a ModelDeployment is made at once, so that its first status tells it. */
  decisionFor(deployment: ModelDeployment): FleetDecision | undefined;
  /** The decision in force of a uid, without making one. */
  known(uid: string): FleetDecision | undefined;
  /** How long the last round worked, pauses left out, and how many it decided anew; the others were at rest. */
  lastRound(): { readonly durationMs: number; readonly decided: number };
}

const keptChanges = 10;

/** Deployments with so many pods together are decided at a stretch: about 10 ms. */
const sliceOfPods = 1_000;

const defaultWindow = '5m';

/** Holds that people act on; a decrease that waits is none. */
const tellingHolds: readonly string[] = ['HoldUnknown', 'HoldCrashing', 'HoldBlocked'];

/** The part of a decision whose change is news: counts and verdicts, no measured figure. */
const newsOf = (replicas: number, why: Why, way: WayMeasured | undefined) =>
  `${replicas}|${why.limited?.reason ?? ''}|${tellingHolds.includes(why.reason) ? why.reason : ''}|${measuredTurn(why, way)}`;

/** A verdict that goes to and fro at its boundary is told no more often than this. */
const verdictEveryMs = 5_000;

/** Which promises are broken at present: what SLAMet turns on. */
function verdictOf(measured: Measured, deployment: ModelDeployment): string {
  if (isSilent(measured)) return 'silent';
  const broken = Object.entries(measured.lateShare)
    .filter(([percentile, share]) => share !== 'unknown' && share > 1 - Number(percentile.slice(1)) / 100)
    .map(([percentile]) => percentile);
  const allowed = deployment.spec.sla?.errorRate;
  if (
    allowed !== undefined &&
    measured.errorRate !== 'unknown' &&
    measured.errorRate > percentFraction(allowed)
  )
    broken.push('errorRate');
  return `${measured.requests > 0 ? 'traffic' : 'none'} ${broken.join(' ')}`;
}

/** The figures that status shows, so that a deployment at rest is not woken for nothing. */
const figuresOf = ({ requests, requestRate, latencyMs }: Measured) =>
  `${requests}|${requestRate}|${latencyMs.p50}|${latencyMs.p95}|${latencyMs.p99}`;

/** Whether a revision is still to prove itself: it must run for that. */
const isUnsettled = ({ spec, status }: ModelDeployment): boolean =>
  spec.scaling.scaleToZero !== undefined &&
  (status?.candidate !== undefined || status?.stable?.revision !== revisionHash(spec));

/** The decision while nobody asks: what would be needed stays in its inputs. */
const idle = ({ why }: Decision, sentence: string): Pick<Decision, 'replicas' | 'why'> => ({
  replicas: 0,
  why: { ...why, reason: 'Idle', sentence, needed: 0, limited: undefined },
});

/** Makes the loop; nothing runs before `start`. */
export function createFleetLoop(options: FleetLoopOptions): FleetLoop {
  const { clock, everyMs = 1_000 } = options;
  const entries = new Map<string, FleetEntry>();
  const allocator = createAllocator();
  const askedOf = (deployment: ModelDeployment, { replicas }: ReplicaFacts): number =>
    options.asked?.(deployment) ?? (replicas === 'unknown' ? 1 : replicas);
  let cancel: (() => void) | undefined;
  let last = { durationMs: 0, decided: 0 };

  const decideOne = (
    deployment: ModelDeployment,
    facts: ReplicaFacts,
    entry: FleetEntry,
    key: string,
    everyFiguresMs: number,
    /** Who reconciles it has asked: nobody is to be woken. */
    asked = false,
  ): boolean => {
    const nowMs = clock.monotonicMs();
    const { spec } = deployment;
    options.hurry?.(key, facts.rolloutInProgress || facts.startingReplicas > 0);
    const pods = options.readings(key);
    const isHeld = deployment.status?.traffic?.path === 'Gateway';
    const { namespace, name } = deployment.metadata;
    options.held?.(key, isHeld && options.gateways !== undefined);
    const gateways = isHeld ? options.gateways?.(namespace, name) : undefined;
    const seen: Seen = { atMs: nowMs, deployment, facts, pods, gateways };
    if (!asked && !allocator.holds(key) && isAtRest(entry.seen, seen, entry.decision)) return false;
    entry.seen = seen;
    // A gateway holds one queue for all replicas, where a Service gives each a queue of its own.
    const input = scalingInputOf(spec, isHeld ? 'least-outstanding' : 'random', clock.now());
    const observation = {
      ...facts,
      pods,
      ...(gateways === undefined ? {} : { gateways: gateways.gateways, expectedGateways: gateways.expected }),
      ...(options.startups === undefined ? {} : { startups: options.startups(key) }),
    };
    const decided = decide(entry.state, observation, input, nowMs);
    const { next } = decided;
    entry.demand = demandOf(decided, { ...facts, pods }, input, standingOf(deployment));
    const windowMs = durationMs(spec.sla?.window ?? defaultWindow);
    entry.window = observeWindow(entry.window, pods, windowMs, nowMs);
    const isHeard = !pods.some((pod) => pod.ready) || pods.some((pod) => pod.reading !== 'unknown');
    entry.unheardSinceMs = isHeard ? undefined : (entry.unheardSinceMs ?? nowMs);
    const measured: Measured = {
      ...measuredOf(entry.window, pods, input.latency, windowMs, nowMs),
      ...(entry.unheardSinceMs === undefined ? {} : { unheardMs: nowMs - entry.unheardSinceMs }),
    };
    const sleep = sleepOf(
      entry.sleep,
      spec,
      {
        ...measured,
        asked: askedOf(deployment, facts),
        zeroAtMs: options.zeroAtMs?.(key),
        rolloutInProgress: isUnsettled(deployment),
        isHeld,
        inFlight: pods.reduce(
          (sum, { reading }) => sum + (reading === 'unknown' ? 0 : reading.report.inFlight),
          0,
        ),
      },
      deployment.status?.scaling?.desiredReplicas === 0,
      nowMs,
    );
    entry.sleep = sleep.state;
    const { replicas, why: decidedWhy } =
      sleep.sentence === undefined ? allocator.within(key, decided) : idle(decided, sleep.sentence);
    const previous =
      entry.decision?.replicas ??
      entry.state.replicas ??
      (facts.replicas === 'unknown' ? replicas : facts.replicas);
    const before = entry.decision;
    entry.state = memoryOf(sleep.state, next);
    const changes = before?.recentChanges ?? [];
    const isExternal = decidedWhy.reason === 'External';
    const by = isExternal ? scaleOwnerOf(deployment)?.manager : undefined;
    const why = isExternal ? externalWhy(decidedWhy, deployment, changes, clock.now()) : decidedWhy;
    const recentChanges =
      replicas === previous
        ? changes
        : [{ at: clock.now(), replicas, previousReplicas: previous, why, by }, ...changes].slice(
            0,
            keptChanges,
          );
    const wish = headroomWishOf(spec.scaling.headroom);
    const room =
      wish === undefined
        ? undefined
        : headroomOf(wish, decided, entry.demand.model, replicas, input, entry.headroomPeak, nowMs);
    entry.headroomPeak = room?.peak;
    const way = wayMeasuredOf(spec, pods, gateways?.gateways);
    entry.decision = {
      replicas,
      why,
      measured,
      lastChange: recentChanges[0],
      recentChanges,
      memory: { state: entry.state, at: clock.now(), atMs: nowMs },
      ...(way === undefined ? {} : { way }),
      ...(room === undefined ? {} : { headroom: room.replicas }),
    };
    const told = {
      // Placeholders may have to give way to pods that find no place.
      news: `${newsOf(replicas, why, way)}${room === undefined ? '' : `|${room.replicas}|${facts.blockedReplicas}`}`,
      verdict: verdictOf(measured, deployment),
      figures: figuresOf(measured),
    };
    const sinceToldMs = nowMs - entry.toldAtMs;
    if (asked) {
      entry.told = told;
      entry.toldAtMs = nowMs;
    } else if (
      told.news !== entry.told.news ||
      (told.verdict !== entry.told.verdict && sinceToldMs >= verdictEveryMs) ||
      (told.figures !== entry.told.figures && sinceToldMs >= everyFiguresMs)
    ) {
      entry.told = told;
      entry.toldAtMs = nowMs;
      options.enqueue(key);
    }
    return true;
  };

  const entryOf = ({ metadata, status }: ModelDeployment): FleetEntry => {
    let entry = entries.get(metadata.uid);
    if (entry === undefined) {
      entry = newEntry(restoredState(status?.scaling?.learned, clock.now(), clock.monotonicMs()));
      entries.set(metadata.uid, entry);
    }
    return entry;
  };

  const decisionFor = (deployment: ModelDeployment): FleetDecision | undefined => {
    const { uid, namespace, name, deletionTimestamp } = deployment.metadata;
    const known = entries.get(uid)?.decision;
    const { sleep } = entries.get(uid) ?? {};
    // Whether the gateway woke it is looked at at once: what it raised must not be put back.
    const isAsleep = sleep !== undefined && sleep.phase !== 'awake';
    if ((known !== undefined && !isAsleep) || deletionTimestamp !== undefined) return known;
    const key = `${namespace}/${name}`;
    try {
      const facts = options.facts(deployment);
      if (facts === undefined) return undefined;
      const entry = entryOf(deployment);
      decideOne(deployment, facts, entry, key, 0, true);
      return entry.decision;
    } catch (error) {
      options.onError?.(key, error);
      return undefined;
    }
  };

  /** One round, with a pause after each `sliceOfPods`: other work of the process is not to wait for all of it. */
  function* parts(): Generator<undefined, void> {
    let atMs = clock.monotonicMs();
    let durationMs = 0;
    options.beforeRound?.();
    const living = new Set<string>();
    let decided = 0;
    let pods = 0;
    const deployments = options.deployments();
    // Measured figures that moved wake an object this often; transitions wake it at once.
    const everyFiguresMs = figuresEveryMs(deployments.length);
    for (const deployment of deployments) {
      const { uid, namespace, name, deletionTimestamp } = deployment.metadata;
      if (deletionTimestamp !== undefined) continue;
      living.add(uid);
      const key = `${namespace}/${name}`;
      try {
        const facts = options.facts(deployment);
        if (facts === undefined) continue;
        const entry = entryOf(deployment);
        if (decideOne(deployment, facts, entry, key, everyFiguresMs)) {
          decided += 1;
          pods += 1 + (entry.seen?.pods.length ?? 0);
        }
      } catch (error) {
        // One deployment's fault (a spec that the schema let through) must not stop the others' scaling.
        options.onError?.(key, error);
      }
      if (pods < sliceOfPods) continue;
      pods = 0;
      durationMs += clock.monotonicMs() - atMs;
      yield;
      atMs = clock.monotonicMs();
    }
    for (const uid of entries.keys()) if (!living.has(uid)) entries.delete(uid);
    allocator.round(
      [...entries.values()].flatMap(({ demand }) => demand ?? []),
      clock.monotonicMs(),
    );
    last = { durationMs: durationMs + clock.monotonicMs() - atMs, decided };
  }

  const schedule = (inMs: number) => {
    cancel = clock.setTimer(inMs, () => {
      const startedMs = clock.monotonicMs();
      const round = parts();
      const go = () => {
        if (round.next().done === true)
          schedule(Math.max(everyMs / 4, everyMs - (clock.monotonicMs() - startedMs)));
        else cancel = clock.setTimer(0, go);
      };
      go();
    });
  };

  return {
    start() {
      if (cancel === undefined) schedule(everyMs);
    },
    stop() {
      cancel?.();
      cancel = undefined;
    },
    round: () => {
      for (const _ of parts());
    },
    decisionFor,
    known: (uid) => entries.get(uid)?.decision,
    lastRound: () => last,
  };
}
