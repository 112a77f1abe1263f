/** What the scaling decision reads and says. Times are monotonic milliseconds; what was not measured is `unknown`, never 0. */
import type { GatewayLoadReport } from '../../../crds/gateway-load.ts';
import type { LoadReport, LoadSecond } from '../../../crds/wire.ts';
import type { CostCap } from './cost-cap.ts';
import type { Forecast, KeptMargin } from './forecast.ts';
import type { SecondsRing } from './ring.ts';
import type { ScheduledFloor } from './schedule.ts';

export type Known<T> = T | 'unknown';

export const percentiles = ['p50', 'p90', 'p95', 'p99'] as const;
export type Percentile = (typeof percentiles)[number];

/** One promised latency: `percentile` of all requests end within `targetMs`. */
export interface LatencyTarget {
  readonly percentile: Percentile;
  readonly targetMs: number;
}

/**
 * How requests reach the pods. `random` is what a Service does (each pod has a queue of its own);
 * `least-outstanding` is one shared queue, which only a gateway gives.
 */
export type Balancing = 'random' | 'least-outstanding';

/** The part of a ModelDeployment that scaling depends on, defaults filled in: `scalingInputOf` makes it. */
export interface ScalingInput {
  readonly mode: 'SLA' | 'Fixed' | 'External';
  readonly suspended: boolean;
  /** `spec.scaling.replicas`: counts in the modes Fixed and External. */
  readonly fixedReplicas: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly latency: readonly LatencyTarget[];
  readonly requestsPerSecondPerReplica: number | undefined;
  readonly balancing: Balancing;
  /** `spec.traffic.shedAt`: with `SLA` what would be late is refused, so no backlog is older than the promise. */
  readonly shedAt?: 'Timeout' | 'SLA' | undefined;
  /** The window of `spec.scaling.schedule` that is open now and wants the most. */
  readonly scheduled?: ScheduledFloor | undefined;
  readonly costCap?: CostCap | undefined;
}

/** The seconds of a report, the oldest first: a plain list, or a form of it that takes less memory. */
export interface SecondsList {
  readonly length: number;
  /** Like `Array.prototype.at`. */
  at(index: number): Omit<LoadSecond, 'completions' | 'busySeconds'> | undefined;
}

/** What is kept of a pod's report. */
export interface KeptReport extends Omit<LoadReport, 'seconds'> {
  readonly seconds: SecondsList;
}

/** The last good answer of one pod. */
export interface PodReading {
  readonly report: KeptReport;
  /** When the answer arrived. */
  readonly readAtMs: number;
  /** How often this pod is asked at present: a reading is stale when it is older than this and a margin. */
  readonly periodMs: number;
}

/** One pod of the deployment, read or not. */
export interface PodObservation {
  readonly pod: string;
  readonly revision: string;
  /** Ready by its EndpointSlice: callers' requests reach it. */
  readonly ready: boolean;
  readonly reading: Known<PodReading>;
}

/** The last good answer of one gateway pod. Its report's models are this deployment's alone. */
export interface GatewayObservation {
  readonly gateway: string;
  readonly report: GatewayLoadReport;
  readonly readAtMs: number;
  readonly periodMs: number;
}

/** One pod's start, seconds: all of it from creation to readiness, or told apart at the moment it got a node. */
export type Startup = number | { readonly podSeconds: number; readonly nodeSeconds: number };

/** What is seen of one ModelDeployment at one moment. */
export interface Observation {
  /** Replicas that the Deployments ask for now, all revisions; `unknown` before the caches have synced. */
  readonly replicas: Known<number>;
  /** Pods that exist or are asked for, not ready yet and not known to be failing. */
  readonly startingReplicas: number;
  /** Pods whose containers end again and again. */
  readonly crashingReplicas: number;
  /** Pods that the cluster refuses to place or to create (unschedulable, quota). */
  readonly blockedReplicas: number;
  readonly rolloutInProgress: boolean;
  readonly pods: readonly PodObservation[];
  /** Gateways that hold its queue; absent or empty where callers reach the pods directly. */
  readonly gateways?: readonly GatewayObservation[];
  /** Gateway pods that requests may come through, read or not; absent: those of `gateways`. */
  readonly expectedGateways?: number;
  /** The starts of its last pods, newest last, at most 50. */
  readonly startups?: readonly Startup[];
}

/** The closed list of `status.scaling.lastDecision.reason`. */
const scalingReasons = {
  Latency: 'The latency promise needs this many.',
  RequestRate: 'requestsPerSecondPerReplica needs this many.',
  Utilisation: 'The pods would be busier than they may be with fewer.',
  Backlog: 'Requests that wait already must be worked off.',
  Minimum: 'minReplicas is enough.',
  Schedule: 'A window of scaling.schedule wants this many.',
  CostCap: 'More are needed than maxHourlyCost pays.',
  Maximum: 'More are needed than maxReplicas allows.',
  HoldUnknown: 'Too few pods gave fresh figures: the count is not lowered.',
  HoldDown: 'Fewer would do, but a decrease waits (window, step, rollout or too little history).',
  HoldCrashing: 'More are needed, but new pods crash: the count is not raised.',
  HoldBlocked: 'More are needed, but the cluster has no room: the count is not raised.',
  HoldNoGain: 'More are needed, but the last ones that came served no more requests.',
  Yielded:
    'More are needed, but the cluster is full and a replica keeps more promises in another deployment.',
  Fixed: 'spec.scaling.mode is Fixed.',
  External: 'spec.scaling.mode is External.',
  Idle: 'No request came for scaling.scaleToZero.idleAfter: no replica runs until one comes.',
  Suspended: 'spec.suspend is true.',
} as const;
export type ScalingReason = keyof typeof scalingReasons;

/** What one of several revisions needs by itself. */
export interface RevisionNeed {
  readonly revision: string;
  /** Of the requests, 0 to 1. */
  readonly share: number;
  readonly serviceMs: number;
  readonly replicas: number;
}

export interface Why {
  readonly reason: ScalingReason;
  /** The decision in one sentence with its arithmetic. */
  readonly sentence: string;
  /** Every number that went in, unit in its name. */
  readonly inputs: Readonly<Record<string, Known<number>>>;
  /** How much of the fleet was read: `ok` all or nearly all, `partial` at least one pod, `none` no pod. */
  readonly freshness: 'ok' | 'partial' | 'none';
  /** Replicas that would be needed if there were no limits. */
  readonly needed: Known<number>;
  /** What each revision needs by itself, where several serve at once. */
  readonly revisions?: readonly RevisionNeed[];
  /** For the condition ScalingLimited: what keeps the promise from being kept, and the sentence that says so. */
  readonly limited:
    | {
        readonly reason:
          | 'AtMaximum'
          | 'SLAInfeasible'
          | 'BurstUnservable'
          | 'NoGain'
          | 'NoRoom'
          | 'MetricsUnknown'
          | 'ReplicasContested';
        readonly sentence: string;
      }
    | undefined;
}

export interface Decision {
  readonly replicas: number;
  readonly why: Why;
  readonly next: ScalingState;
}

/** What is remembered of one process that answered: a restarted container has another `instance`. */
export interface InstanceMark {
  readonly pod: string;
  readonly readAtMs: number;
  readonly uptimeMs: number;
  /** End of the newest second that was merged into the ring, milliseconds of the pod's own clock. */
  readonly mergedEndMs: number;
  readonly arrivals: number;
  /** Where this process's clock starts on ours: fixed at first sight, so that a slow answer moves no second. */
  readonly startMs: number;
  /** Requests that it refused or failed so far. */
  readonly refused: number;
  /** Offered arrivals in the pod's own last 2, 10 and 60 seconds. */
  readonly recent: readonly [last2: number, last10: number, last60: number];
  /** What is usual for its last 2 seconds, smoothed. */
  readonly usual: number;
  /** Readings in a row that were a hundred times the usual: after three it is believed. */
  readonly jumps: number;
}

export interface ServiceEstimate {
  readonly meanSeconds: number;
  /** Squared coefficient of variation. */
  readonly scv: number;
}

/**
 * S(b) = α + β·b by two points: one request alone and a usual batch. With them the measured mean, which is a batch's time
 * shared out and so falls as the load rises, is not sized by.
 */
export interface BatchService {
  readonly requests: number;
  readonly oneSeconds: number;
  readonly fullSeconds: number;
}

/** What is remembered of one gateway process. */
export interface GatewayMark {
  readonly readAtMs: number;
  readonly uptimeMs: number;
  readonly arrivals: number;
  readonly refused: number;
  readonly startMs: number;
  /** End of the newest second that was merged, and of the newest that it has told of: idle seconds are left out. */
  readonly mergedEndMs: number;
  readonly toldEndMs: number;
}

/** What one count was computed to be at one time: decreases go to the largest of the last minute. */
export interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

/** One burst: while it lasted the last two seconds' rate was beyond what the pods that were ready at its start can serve. */
export interface BurstSeen {
  readonly fromMs: number;
  readonly untilMs: number;
  /** Requests per second that the pods of its start can serve. */
  readonly capacity: number;
}

/** A stretch of calm traffic that is to be learned from: what its sources had counted when it began. */
export interface CalmStretch {
  readonly fromMs: number;
  readonly replicas: number;
  /** The processes that counted: with others the sums say nothing. */
  readonly names: string;
  readonly boundsMs: readonly number[];
  readonly counts: readonly number[];
}

/** Measured waits over predicted ones. */
export interface WaitsLearned {
  readonly factor: number;
  /** How many stretches it was learned from. */
  readonly stretches: number;
  readonly stretch: CalmStretch | undefined;
  /** Kept over a restart, and no stretch seen since: no reason for fewer replicas. */
  readonly isUnproven?: boolean;
}

/** Ten seconds in which requests waited at every replica all the while. */
export interface FullStep {
  /** Its number on our clock; -1 where it is kept over a restart. */
  readonly step: number;
  readonly atMs: number;
  readonly replicas: number;
  /** Served by all of them together. */
  readonly perSecond: number;
  readonly serviceSeconds: number;
  /** Of the replicas' time, what their requests' service times make up, 0 to 1. */
  readonly busyShare: number;
  readonly answers: number;
}

/** What replicas served while they were full. */
export interface CapacityLearned {
  /** Since when, with how many replicas. */
  readonly full: { readonly sinceMs: number; readonly replicas: number } | undefined;
  /** The newest step of each count of the last hour, oldest first, at most eight. */
  readonly steps: readonly FullStep[];
}

/** What was learned of one revision; another one starts anew. */
export interface Learned {
  readonly revision: string | undefined;
  readonly waits: WaitsLearned;
  readonly capacity: CapacityLearned;
}

/** Requests that were refused or failed, which may come again. */
export interface Refusals {
  /** All that were told of so far. */
  readonly total: number;
  /** Of the last seconds, oldest first. */
  readonly recent: readonly { readonly atMs: number; readonly count: number }[];
  /** While they matter: the last time that they did, and the rate that surely is no repetition. */
  readonly episode: { readonly lastMs: number; readonly trusted: number } | undefined;
}

/** The decision's memory, immutable: `decide` returns the next one. */
export interface ScalingState {
  /** The last decision; undefined before the first. */
  readonly replicas: number | undefined;
  readonly instances: ReadonlyMap<string, InstanceMark>;
  /**
   * The revision that serves; of several the one that did so first, until its last ready pod is gone. The service times of
   * `ring` are its own, and so is what is learned.
   */
  readonly revision: string | undefined;
  /** Arrivals at all pods. */
  readonly ring: SecondsRing;
  /** Smoothed index of dispersion of arrivals. */
  readonly burstiness: number;
  readonly burstinessAtMs: number;
  /** The last well-founded estimate: the prior when traffic comes back after a pause. */
  readonly service: Known<ServiceEstimate>;
  /** The revision that `service` was measured of. */
  readonly serviceRevision: string | undefined;
  /** Descending counts of the last minute, each the largest since its time. */
  readonly recommendations: readonly Recommendation[];
  readonly lastDownAtMs: number | undefined;
  /** Since when nearly all ready pods have given fresh figures without a break. */
  readonly freshSinceMs: number | undefined;
  /** Readings that were refused as impossible (a counter that went backwards within one process). */
  readonly rejectedReadings: number;
  /** What gateways told: offered arrivals, which pods do not see all of, and service times as the gateways see them. */
  readonly gatewayMarks: ReadonlyMap<string, GatewayMark>;
  readonly gatewayRing: SecondsRing;
  readonly forecast: Forecast | undefined;
  /** The forecast's margin from before a restart, and until when it counts. */
  readonly keptMargin: KeptMargin | undefined;
  /** Until when a burst is under way: no decrease. */
  readonly panicUntilMs: number | undefined;
  /** Since when nothing has been heard of the load although pods are ready. */
  readonly unheardSinceMs: number | undefined;
  /** Bursts of the last 20 minutes, oldest first. */
  readonly bursts: readonly BurstSeen[];
  readonly learned: Learned;
  /** Refused or failed requests, as pods and as gateways told of them since they were first read. */
  readonly refusedByPods: number;
  readonly refusedByGateways: number;
  readonly refusals: Refusals;
  /** Steps of ten seconds in which pods started, the newest last: their service times are not the model's own. */
  readonly startSteps: readonly number[];
}
