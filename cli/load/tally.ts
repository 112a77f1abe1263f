/** What came of the requests: latencies of those answered 2xx, all others by kind. */

export interface LatencySummary {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface LoadResult {
  readonly url: string;
  readonly askedRps: number;
  /** How long requests were sent, seconds. */
  readonly seconds: number;
  readonly sent: number;
  readonly succeeded: number;
  /** Requests answered 2xx per second. */
  readonly achievedRps: number;
  /** Milliseconds of the requests answered 2xx, from the moment at which each was due; absent when there were none. */
  readonly latencyMs: LatencySummary | undefined;
  /** Requests that were not answered 2xx, by HTTP status or kind of failure. */
  readonly errors: Readonly<Record<string, number>>;
  /** The first answer of each kind of error, shortened. */
  readonly errorExamples: Readonly<Record<string, string>>;
}

export interface Progress {
  readonly second: number;
  readonly sent: number;
  readonly succeeded: number;
  readonly errors: number;
  readonly inFlight: number;
  readonly latencyMs: LatencySummary | undefined;
}

/** Percentiles of latencies by the nearest rank; sorts in place. */
export function summarize(latenciesMs: number[]): LatencySummary | undefined {
  if (latenciesMs.length === 0) return undefined;
  latenciesMs.sort((one, other) => one - other);
  const at = (share: number) => latenciesMs[Math.max(0, Math.ceil(share * latenciesMs.length) - 1)] ?? 0;
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: latenciesMs.at(-1) ?? 0 };
}

const longestExample = 160;

/** Collects outcomes, in total and for the second that runs. */
export class Tally {
  sent = 0;
  succeeded = 0;
  readonly errors = new Map<string, number>();
  readonly #examples = new Map<string, string>();
  readonly #latencies: number[] = [];
  #second = { sent: 0, succeeded: 0, errors: 0, latencies: [] as number[] };

  send(): void {
    this.sent += 1;
    this.#second.sent += 1;
  }

  success(latencyMs: number): void {
    this.succeeded += 1;
    this.#latencies.push(latencyMs);
    this.#second.succeeded += 1;
    this.#second.latencies.push(latencyMs);
  }

  failure(kind: string, example: string): void {
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
    if (!this.#examples.has(kind)) this.#examples.set(kind, example.trim().slice(0, longestExample));
    this.#second.errors += 1;
  }

  /** Figures of the second that ends now; the next one starts empty. */
  endSecond(second: number, inFlight: number): Progress {
    const { sent, succeeded, errors, latencies } = this.#second;
    this.#second = { sent: 0, succeeded: 0, errors: 0, latencies: [] };
    return { second, sent, succeeded, errors, inFlight, latencyMs: summarize(latencies) };
  }

  result(url: string, askedRps: number, seconds: number): LoadResult {
    return {
      url,
      askedRps,
      seconds,
      sent: this.sent,
      succeeded: this.succeeded,
      achievedRps: seconds > 0 ? this.succeeded / seconds : 0,
      latencyMs: summarize(this.#latencies),
      errors: Object.fromEntries([...this.errors].sort()),
      errorExamples: Object.fromEntries(this.#examples),
    };
  }
}
