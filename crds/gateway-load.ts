/** What a gateway says of the models whose requests it holds: `GET /load` on its ops port. Versioned like the pods' report. */
import { z } from 'zod';
import { latencyHistogram } from './latency-check.ts';
import { type SecondBounds, secondsCheck } from './seconds-check.ts';
import type { LatencyHistogram, LoadSecond } from './wire.ts';

/**
 * Cumulative since the gateway started, as its clients saw it. A request counts where it is answered: with the revision
 * whose pod answered, or with none when the gateway itself refused it. Only inference counts; probes and metadata do not.
 */
export interface GatewayOutcomes {
  /** Answered 2xx. */
  readonly succeeded: number;
  /** Answered 4xx other than 429, or left by their client: counted neither as served nor as failed. */
  readonly clientErrors: number;
  /** Answered 429, 503 or 504: refused or too late. */
  readonly rejected: number;
  /** Answered any other 5xx. */
  readonly failed: number;
}

/** Service times as the gateway sees them: from handing a request to a pod to the first byte of its answer, seconds. */
export interface GatewayServiceTimes {
  readonly serviceCount: number;
  readonly serviceSumSeconds: number;
  readonly serviceSumSquares: number;
}

/** One finished second. `busySeconds` is the integral of the requests that pods had in hand: slot-seconds, not runner time. */
export interface GatewaySecond extends LoadSecond, GatewayOutcomes {
  /** Largest number of requests that waited, held ones included. */
  readonly mostWaiting: number;
}

/** One revision behind a model's port. */
export interface GatewayRevisionLoad extends GatewayOutcomes, GatewayServiceTimes {
  readonly revision: string;
  /** Its share as the route asks it, 0 to 10,000. */
  readonly weight: number;
  /** Requests that were bound to it so far. */
  readonly bound: number;
  /** Requests that its pods have in hand now. */
  readonly inFlight: number;
  /** Pods that may get requests: ready, not draining. */
  readonly readyPods: number;
  /** Of these, pods that are left aside for a while because they failed again and again. */
  readonly asidePods: number;
  /** Requests that its ready pods may have in hand at a time, and the most that one pod may (the cap per pod). */
  readonly slots: number;
  readonly slotsPerPod: number;
}

export interface GatewayModelLoad {
  readonly model: string;
  readonly port: number;
  readonly counters: GatewayOutcomes &
    GatewayServiceTimes & {
      /** Infer requests whose headers arrived, admitted or not: the offered load. */
      readonly arrivals: number;
      /** Integral of the requests that pods had in hand, seconds. */
      readonly busySeconds: number;
      /** How often the gateway asked for a first pod. */
      readonly wakes: number;
    };
  /** Requests that wait for a free slot, and among them those that wait for a first pod. */
  readonly queueLength: number;
  readonly held: number;
  readonly inFlight: number;
  /** Age of the oldest waiting request, milliseconds; 0 with an empty queue. */
  readonly oldestWaitMs: number;
  /** From the first byte of the request to the end of the answer; 429 and 5xx are counted beyond the last bound. */
  readonly latency: LatencyHistogram;
  /** Oldest first, of the last 120 s; a second in which nothing happened is left out and is all zeros. */
  readonly seconds: readonly GatewaySecond[];
  readonly revisions: readonly GatewayRevisionLoad[];
  /** Why the newest routes are not in effect and the ones before them still are; absent: they are. */
  readonly routesRefused?: string | undefined;
}

/** `GET /load`; with `?sinceMs=UPTIME` only seconds that ended after that time on this gateway's clock. */
export interface GatewayLoadReport {
  readonly version: 1;
  /** Random per process: a change means that every counter started anew. */
  readonly instance: string;
  /** Process start, milliseconds since the epoch by the gateway's wall clock (for people, never for arithmetic). */
  readonly startedAtMs: number;
  /** The gateway's monotonic clock at this reading, milliseconds since process start. */
  readonly uptimeMs: number;
  readonly ready: boolean;
  readonly draining: boolean;
  /** CPU of this process per request of the last busy minutes, seconds; absent until it was busy for long enough to tell. */
  readonly hopCpuSeconds?: number | undefined;
  readonly models: readonly GatewayModelLoad[];
}

/** Nothing that a gateway counts gets beyond this in a lifetime; it also keeps every sum exact. */
const most = 1e15;
const count = z.int().min(0).max(most);
const amount = z.number().min(0).max(most);
const text = z.string().max(256);
/** Ports from 20000 to 29999, one per model. */
const mostModels = 10_000;

const secondBounds: SecondBounds<GatewaySecond> = {
  endMs: [most, false],
  arrivals: [1e6, true],
  completions: [1e6, true],
  busySeconds: [1e6, false],
  serviceCount: [1e6, true],
  serviceSumSeconds: [1e9, false],
  serviceSumSquares: [1e13, false],
  succeeded: [1e6, true],
  clientErrors: [1e6, true],
  rejected: [1e6, true],
  failed: [1e6, true],
  mostWaiting: [1e6, true],
};
const secondFields = Object.keys(secondBounds) as (keyof GatewaySecond)[];
const secondsOf = secondsCheck(secondBounds);

/** A second without what a newer gateway tells besides. */
function onlyKnown(second: GatewaySecond): GatewaySecond {
  const known: Partial<Record<keyof GatewaySecond, number>> = {};
  for (const field of secondFields) known[field] = second[field];
  return known as GatewaySecond;
}

const outcomes = { succeeded: count, clientErrors: count, rejected: count, failed: count };
const serviceTimes = { serviceCount: count, serviceSumSeconds: amount, serviceSumSquares: amount };

const modelLoad = z.object({
  model: text.min(1),
  port: z.int().min(0).max(65_535),
  counters: z.object({
    ...outcomes,
    ...serviceTimes,
    arrivals: count,
    busySeconds: amount,
    wakes: count,
  }),
  queueLength: count,
  held: count,
  inFlight: count,
  oldestWaitMs: amount,
  latency: latencyHistogram,
  seconds: z.unknown(),
  revisions: z
    .array(
      z.object({
        ...outcomes,
        ...serviceTimes,
        revision: text,
        weight: z.int().min(0).max(10_000),
        bound: count,
        inFlight: count,
        readyPods: count,
        asidePods: count,
        slots: count,
        slotsPerPod: count,
      }),
    )
    .max(1_000),
  routesRefused: z.string().max(1_024).optional(),
});

const gatewayReport = z.object({
  version: z.literal(1),
  instance: text.min(1),
  startedAtMs: amount,
  uptimeMs: amount,
  ready: z.boolean(),
  draining: z.boolean(),
  hopCpuSeconds: z.number().positive().max(60).optional(),
  models: z.array(modelLoad).max(mostModels),
});

export type ParsedGatewayReport =
  | { readonly report: GatewayLoadReport }
  /** What cannot be: the report is refused whole, never repaired. */
  | { readonly refused: string };

/** The report in a body, or why it is none. Fields that this version does not know are left out. */
export function parseGatewayReport(body: string): ParsedGatewayReport {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { refused: 'no JSON' };
  }
  const parsed = gatewayReport.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { refused: `${issue?.path.join('.') || 'report'}: ${issue?.message ?? 'not valid'}` };
  }
  const { uptimeMs } = parsed.data;
  const models: GatewayModelLoad[] = [];
  for (const [index, model] of parsed.data.models.entries()) {
    const seconds = secondsOf(model.seconds, `models.${index}.seconds`);
    if (typeof seconds === 'string') return { refused: seconds };
    if ((seconds.at(-1)?.endMs ?? 0) > uptimeMs + 1_000)
      return { refused: `models.${index}.seconds: ends after now` };
    models.push({ ...model, seconds: seconds.map(onlyKnown) });
  }
  if (new Set(models.map(({ model }) => model)).size !== models.length)
    return { refused: 'models: one is there twice' };
  return { report: { ...parsed.data, models } };
}
