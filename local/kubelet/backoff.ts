/** Restart and pull back-off as the kubelet counts it: 10 s, doubled up to 5 min, forgotten after 10 quiet minutes. */

export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

export const kubeletBackoff: BackoffLimits = { initialMs: 10_000, maxMs: 300_000 };

/** Back-off of one thing that fails. Times are monotonic milliseconds. */
export class Backoff {
  readonly #limits: BackoffLimits;
  #delayMs: number | undefined;
  #updatedAtMs = 0;

  constructor(limits: BackoffLimits = kubeletBackoff) {
    this.#limits = limits;
  }

  /** How long the thing that failed at `failedAtMs` still has to wait. */
  waitMs(failedAtMs: number, nowMs: number): number {
    if (this.#delayMs === undefined || this.#expired(failedAtMs)) return 0;
    return Math.max(0, failedAtMs + this.#delayMs - nowMs);
  }

  /** The delay in force, milliseconds; for messages. */
  get delayMs(): number {
    return this.#delayMs ?? 0;
  }

  /** Counts one more try after the failure at `failedAtMs`. */
  next(failedAtMs: number, nowMs: number): void {
    this.#delayMs =
      this.#delayMs === undefined || this.#expired(failedAtMs)
        ? this.#limits.initialMs
        : Math.min(this.#delayMs * 2, this.#limits.maxMs);
    this.#updatedAtMs = nowMs;
  }

  #expired(failedAtMs: number): boolean {
    return failedAtMs - this.#updatedAtMs > 2 * this.#limits.maxMs;
  }
}

/** `10s`, `2m40s`: as Go prints a duration of whole seconds. */
export function goSeconds(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
