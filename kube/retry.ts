/** Pure arithmetic of waiting: exponential back-off, jitter, token buckets. */

/** `baseMs · 2^failures`, at most `maxMs`. */
export function exponentialMs(baseMs: number, failures: number, maxMs: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(failures, 60));
}

/** `ms` lengthened by a random part of up to `factor · ms`; `random` gives [0, 1). */
export function jittered(ms: number, factor: number, random: () => number): number {
  return ms + random() * factor * ms;
}

export interface BackoffOptions {
  readonly baseMs: number;
  readonly factor: number;
  /** No wait is longer than this, its jitter included: that bounds how late a server's return is noticed. */
  readonly maxMs: number;
  readonly jitter: number;
  /** The next failure starts anew when the last one is at least this long ago. */
  readonly resetAfterMs: number;
}

/** client-go's numbers for list and watch: a server that is down sees 98 % fewer requests than from a tight loop. */
export const reflectorBackoff: BackoffOptions = {
  baseMs: 800,
  factor: 2,
  maxMs: 30_000,
  jitter: 1,
  resetAfterMs: 120_000,
};

/** Remembers how often in a row something failed and says how long to wait. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #baseMs: number;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.#baseMs = options.baseMs;
  }

  /** Wait before the next try, after a failure at `nowMs` (monotonic). */
  nextMs(nowMs: number): number {
    const { baseMs, factor, maxMs, jitter, resetAfterMs } = this.#options;
    if (nowMs - this.#lastAtMs >= resetAfterMs) this.#baseMs = baseMs;
    const waitMs = jittered(this.#baseMs, jitter, this.#random);
    this.#baseMs = Math.min(maxMs / (1 + jitter), this.#baseMs * factor);
    // Healthy time counts from the end of the wait, not from the failure: the wait itself is not health.
    this.#lastAtMs = nowMs + waitMs;
    return waitMs;
  }
}

/** A bucket of tokens that refills at `perSecond` up to `burst`; it may go into debt, so that waiters queue in order. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes one token and returns how long to wait until it is there, milliseconds (0 when it is). */
  reserveMs(nowMs: number): number {
    this.#refill(nowMs);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** Takes one token if one is there. */
  tryTake(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Gives back a token that was reserved and not used. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs / 1000) * this.#perSecond);
  }
}
