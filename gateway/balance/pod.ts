/** One pod as the gateway sees it: where it is, how much it may have in hand, and whether it is left aside. */

import type { GrpcSession } from '../grpc/session.ts';
import type { HttpPool } from '../http/pool.ts';
import type { HostPort, PodAddress } from './address.ts';

/** Connections to a pod, made when they are first needed. */
export interface PodTransports {
  http(address: HostPort): HttpPool;
  grpc(address: HostPort): GrpcSession;
}

/** The first pause after a failure, and the longest; each failure in a row doubles it. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;

export class Pod {
  address: PodAddress;
  /** Requests that it may have in hand at a time. */
  slots = 1;
  /** Requests that it has in hand. */
  outstanding = 0;
  /** When it last began an answer, monotonic milliseconds. */
  answeredMs = Number.NEGATIVE_INFINITY;
  /** Another gateway that knows the same pods prefers it less: see `pick`. */
  isHome = true;
  readonly #transports: PodTransports;
  #http: HttpPool | undefined;
  #grpc: GrpcSession | undefined;
  #failures = 0;
  #asideUntilMs = Number.NEGATIVE_INFINITY;

  constructor(address: PodAddress, transports: PodTransports) {
    this.address = address;
    this.#transports = transports;
  }

  /** Slots that count now: a pod that just failed gets one request at a time until it answers one. */
  get openSlots(): number {
    return this.#failures > 0 ? 1 : this.slots;
  }

  get asideUntilMs(): number {
    return this.#asideUntilMs;
  }

  isAside(nowMs: number): boolean {
    return nowMs < this.#asideUntilMs;
  }

  /** It could not be reached, broke off or stayed silent: it is left aside, longer each time. */
  failed(nowMs: number): void {
    // Those that were sent before the pause began say nothing new.
    if (this.isAside(nowMs)) return;
    this.#failures += 1;
    this.#asideUntilMs = nowMs + Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#failures - 1));
  }

  /** It asks to be left alone for a moment: not ready, or about to end. */
  pause(nowMs: number, ms: number): void {
    this.#asideUntilMs = Math.max(this.#asideUntilMs, nowMs + ms);
  }

  /** It answered. */
  succeeded(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#asideUntilMs = Number.NEGATIVE_INFINITY;
  }

  get http(): HttpPool {
    this.#http ??= this.#transports.http(this.address.http);
    return this.#http;
  }

  /** Undefined when the pod has no gRPC port. */
  get grpc(): GrpcSession | undefined {
    const { grpc } = this.address;
    if (grpc !== undefined) this.#grpc ??= this.#transports.grpc(grpc);
    return this.#grpc;
  }

  /** Nothing more is sent: idle connections end, the others with their requests. */
  close(): void {
    this.#http?.close();
    this.#grpc?.close();
  }
}
