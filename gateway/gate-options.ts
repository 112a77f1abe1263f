/** What the queue of one model is told, and what it needs. */

import type { Deadlines } from '../queue/deadlines.ts';
import type { PodTransports } from './balance/pod.ts';
import type { HeaderRule } from './balance/split.ts';
import type { ByteShare } from './queue/bytes.ts';

/** What the route of a model says, as far as the queue needs it. */
export interface GateRoute {
  readonly port: number;
  readonly backends: readonly { readonly revision: string; readonly weight: number }[];
  readonly headers: readonly HeaderRule[];
  readonly timeoutMs: number;
  /** All promised latencies, milliseconds. */
  readonly targetsMs: readonly number[];
  /** The highest of them, with `shedAt: SLA`. */
  readonly shedMs: number | undefined;
  /** Whether somebody is asked for a first pod, and how many requests may wait for it. */
  readonly wake: { readonly maxHeld: number } | undefined;
}

export interface GateLimits {
  /** Requests of one model that may wait. */
  readonly maxWaiting: number;
  /** How long a request that names no deadline waits for the first pod, milliseconds. */
  readonly maxHoldMs: number;
}

export interface GateDependencies {
  readonly model: string;
  readonly deadlines: Deadlines;
  readonly bytes: ByteShare;
  /** Answers that wait for their readers: apart from requests, which slow readers must not keep out. */
  readonly unread: ByteShare;
  readonly transports: PodTransports;
  readonly limits: GateLimits;
  nowMs(): number;
  /** Requests wait and no pod is there: called for each such request, and must be cheap. */
  wanted(): void;
}
