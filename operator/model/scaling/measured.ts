/** What callers got over the SLO window, summed over a deployment's pods: what status and SLAMet are written from. */
import type { Known, Percentile } from './types.ts';

export interface Measured {
  readonly windowMs: number;
  /** How much of the window the figures cover, milliseconds: less after a start of the operator. */
  readonly coveredMs: number;
  /** Requests that count for the promise: answered 2xx, refused (429, 503, 504) and failed (other 5xx). */
  readonly requests: number;
  /** Share (0 to 1) refused or failed; unknown without requests. */
  readonly errorRate: Known<number>;
  /** Milliseconds; Infinity where the percentile is an error or beyond the histogram; unknown without requests. */
  readonly latencyMs: Readonly<Record<Percentile, Known<number>>>;
  /** Share (0 to 1) of the requests that were later than the target, errors included, by percentile promised. */
  readonly lateShare: Readonly<Partial<Record<Percentile, Known<number>>>>;
  /** Offered requests per second over the last ten seconds. */
  readonly requestRate: Known<number>;
  /** Share (0 to 1) of the last minute's arrivals by revision; empty when none came. */
  readonly revisionShares: Readonly<Record<string, number>>;
  /** Ready pods, and those of them whose reading is fresh. */
  readonly readyPods: number;
  readonly freshPods: number;
  /** How long ready pods have been there of which none has ever answered; absent once one has, or where none is ready. */
  readonly unheardMs?: number;
}

/** The longest calm period of the probe, twice: pods that were not heard in this time do not answer. */
export const hearingMs = 30_000;

/** Whether ready pods do not answer, although they had the time to. */
export const isSilent = ({ unheardMs }: Measured): boolean =>
  unheardMs !== undefined && unheardMs >= hearingMs;
