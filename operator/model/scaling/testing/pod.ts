/** A simulated inference pod: slots, one queue, and the report that a real one gives at `/load`. */
import type { LoadReport, LoadSecond } from '../../../../crds/wire.ts';

const boundsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/** Bound once, as in `random.ts`. */
const { floor, max, min } = Math;

export class SimulatedPod {
  readonly name: string;
  readonly startMs: number;
  readonly readyAtMs: number;
  readonly revision: string;
  #instance: string;
  #instanceStartMs: number;
  readonly #freeAtMs: number[];
  #waiting: number[] = [];
  #seconds = new Map<number, { arrivals: number; completions: number; sum: number; squares: number }>();
  #arrivals = 0;
  readonly #counts = new Array<number>(boundsMs.length + 1).fill(0);

  constructor(name: string, startMs: number, readyAtMs: number, slots: number, revision: string) {
    this.name = name;
    this.startMs = startMs;
    this.readyAtMs = readyAtMs;
    this.revision = revision;
    this.#instance = `${name}#0`;
    this.#instanceStartMs = startMs;
    this.#freeAtMs = new Array<number>(slots).fill(startMs);
  }

  #second(atMs: number) {
    const index = floor((atMs - this.#instanceStartMs) / 1_000);
    let second = this.#seconds.get(index);
    if (second === undefined) {
      second = { arrivals: 0, completions: 0, sum: 0, squares: 0 };
      this.#seconds.set(index, second);
    }
    return second;
  }

  /** Takes a request and says when it ends. */
  offer(atMs: number, serviceMs: number): number {
    let slot = 0;
    for (let other = 1; other < this.#freeAtMs.length; other += 1)
      if ((this.#freeAtMs[other] ?? 0) < (this.#freeAtMs[slot] ?? 0)) slot = other;
    const beginMs = max(atMs, this.#freeAtMs[slot] ?? atMs);
    const endMs = beginMs + serviceMs;
    this.#freeAtMs[slot] = endMs;
    this.#arrivals += 1;
    this.#second(atMs).arrivals += 1;
    const done = this.#second(endMs);
    done.completions += 1;
    done.sum += serviceMs / 1_000;
    done.squares += (serviceMs / 1_000) ** 2;
    if (beginMs > atMs) this.#waiting.push(beginMs);
    const bucket = boundsMs.findIndex((bound) => endMs - atMs <= bound);
    const at = bucket === -1 ? boundsMs.length : bucket;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    return endMs;
  }

  /** Every counter starts anew, as after a restart of the container. */
  restart(atMs: number): void {
    this.#instance = `${this.name}#${atMs}`;
    this.#instanceStartMs = atMs;
    this.#seconds = new Map();
    this.#arrivals = 0;
    this.#counts.fill(0);
  }

  report(atMs: number): LoadReport {
    const uptimeMs = atMs - this.#instanceStartMs;
    this.#waiting = this.#waiting.filter((beginMs) => beginMs > atMs);
    const finished = floor(uptimeMs / 1_000);
    const seconds: LoadSecond[] = [];
    for (let index = max(0, finished - 120); index < finished; index += 1) {
      const { arrivals = 0, completions = 0, sum = 0, squares = 0 } = this.#seconds.get(index) ?? {};
      seconds.push({
        endMs: (index + 1) * 1_000,
        arrivals,
        completions,
        busySeconds: min(1, sum),
        serviceCount: completions,
        serviceSumSeconds: sum,
        serviceSumSquares: squares,
      });
    }
    const total = seconds.reduce((count, second) => count + second.completions, 0);
    return {
      version: 1,
      instance: this.#instance,
      startedAtMs: 0,
      uptimeMs,
      ready: atMs >= this.readyAtMs,
      draining: false,
      revision: this.revision,
      modelSha256: '',
      parallelism: this.#freeAtMs.length,
      counters: {
        arrivals: this.#arrivals,
        succeeded: total,
        clientErrors: 0,
        rejected: 0,
        failed: 0,
        busySeconds: 0,
        serviceCount: total,
        serviceSumSeconds: 0,
        serviceSumSquares: 0,
      },
      queueLength: this.#waiting.length,
      inFlight: 0,
      oldestWaitMs: 0,
      latency: { boundsMs, counts: [...this.#counts] },
      seconds,
    };
  }
}
