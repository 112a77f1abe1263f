/** Counts what a model was asked through this gateway and how it was answered, with two minutes of the past. */
import type { GatewayModelLoad, GatewaySecond } from '../../crds/gateway-load.ts';
import { idleSecond, noCounters } from '../../crds/wire.ts';
import { bucketOf, geometricBounds, rebin, withExactBounds } from '../../stats/histogram.ts';

/** As the pods count it: 0.5 ms to 60 s, a tenth of a decade apart. */
const defaultBoundsMs = geometricBounds(0.5, 60_000, 10 ** 0.1);
const keptMs = 120_000;

type Open = { -readonly [K in keyof GatewaySecond]: GatewaySecond[K] };

const emptySecond = (endMs: number): Open => ({
  ...idleSecond,
  endMs,
  succeeded: 0,
  clientErrors: 0,
  rejected: 0,
  failed: 0,
  mostWaiting: 0,
});

export type Outcome = 'succeeded' | 'clientErrors' | 'rejected' | 'failed';

/** What a status counts as. */
const outcomeOf = (status: number): Outcome => {
  if (status === 429 || status === 503 || status === 504) return 'rejected';
  if (status >= 500) return 'failed';
  return status >= 400 ? 'clientErrors' : 'succeeded';
};

/** Times are milliseconds since process start by a monotonic clock. */
export class ModelRecorder {
  readonly counters = {
    ...noCounters,
    wakes: 0,
  };
  #bounds: readonly number[] = defaultBoundsMs;
  #counts: number[] = new Array<number>(defaultBoundsMs.length + 1).fill(0);
  #latencySumMs = 0;
  #second: Open;
  #isTouched = false;
  #seconds: GatewaySecond[] = [];
  #inFlight = 0;
  /** Up to where the time of what is in flight is counted. */
  #busyFromMs: number;

  constructor(nowMs: number) {
    this.#second = emptySecond((Math.floor(nowMs / 1000) + 1) * 1000);
    this.#busyFromMs = nowMs;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Sum of the counted latencies, seconds. */
  get latencySumSeconds(): number {
    return this.#latencySumMs / 1000;
  }

  /** Makes the promised latencies boundaries of the histogram, so that violations are counted exactly. */
  setTargets(targetsMs: readonly number[]): void {
    const bounds = withExactBounds(defaultBoundsMs, targetsMs);
    if (bounds.length === this.#bounds.length && bounds.every((bound, i) => bound === this.#bounds[i]))
      return;
    this.#counts = [...rebin({ bounds: this.#bounds, counts: this.#counts }, bounds).counts];
    this.#bounds = bounds;
  }

  /** An infer request's headers arrived. */
  arrived(nowMs: number): void {
    this.#roll(nowMs);
    this.counters.arrivals += 1;
    this.#second.arrivals += 1;
  }

  /** So many requests wait now. */
  waiting(nowMs: number, count: number): void {
    this.#roll(nowMs);
    if (count > this.#second.mostWaiting) this.#second.mostWaiting = count;
  }

  /** A pod got a request in hand (+1), or has it no longer (-1). */
  inHand(nowMs: number, change: 1 | -1): void {
    this.#roll(nowMs);
    this.#addBusy(nowMs);
    this.#inFlight += change;
  }

  /** A pod answered after so long. */
  served(nowMs: number, serviceMs: number): void {
    this.#roll(nowMs);
    const seconds = serviceMs / 1000;
    for (const sums of [this.counters, this.#second]) {
      sums.serviceCount += 1;
      sums.serviceSumSeconds += seconds;
      sums.serviceSumSquares += seconds * seconds;
    }
  }

  /** A request was answered, or left by its client (499). */
  answered(nowMs: number, status: number, latencyMs: number): Outcome {
    this.#roll(nowMs);
    const outcome = outcomeOf(status);
    this.#second.completions += 1;
    this.#second[outcome] += 1;
    this.counters[outcome] += 1;
    if (outcome === 'clientErrors') return outcome;
    const bucket = outcome === 'succeeded' ? bucketOf(this.#bounds, latencyMs) : this.#bounds.length;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    if (outcome === 'succeeded') this.#latencySumMs += latencyMs;
    return outcome;
  }

  /** As the wire carries it; only seconds that ended after `sinceMs`. */
  read(nowMs: number, sinceMs = 0): Pick<GatewayModelLoad, 'counters' | 'latency' | 'seconds'> {
    this.#roll(nowMs);
    this.#addBusy(nowMs);
    return {
      counters: { ...this.counters },
      latency: { boundsMs: [...this.#bounds], counts: [...this.#counts] },
      seconds: this.#seconds.filter(({ endMs }) => endMs > sinceMs && endMs > nowMs - keptMs),
    };
  }

  #addBusy(untilMs: number): void {
    const seconds = ((untilMs - this.#busyFromMs) / 1000) * this.#inFlight;
    this.#busyFromMs = untilMs;
    if (seconds <= 0) return;
    this.counters.busySeconds += seconds;
    this.#second.busySeconds += seconds;
  }

  /** Closes the seconds that ended; a silent one leaves no trace. */
  #roll(nowMs: number): void {
    this.#isTouched ||= this.#second.arrivals > 0 || this.#second.completions > 0 || this.#inFlight > 0;
    if (nowMs < this.#second.endMs) return;
    if (this.#inFlight === 0) {
      this.#addBusy(this.#second.endMs);
      this.#close((Math.floor(nowMs / 1000) + 1) * 1000);
      return;
    }
    const oldest = nowMs - keptMs;
    // What hangs for longer than is kept counts in the totals alone.
    if (this.#second.endMs < oldest) {
      this.#addBusy(oldest);
      this.#close((Math.floor(oldest / 1000) + 1) * 1000);
    }
    while (nowMs >= this.#second.endMs) {
      this.#addBusy(this.#second.endMs);
      this.#close(this.#second.endMs + 1000);
    }
  }

  #close(nextEndMs: number): void {
    const second = this.#second;
    if (this.#isTouched || second.mostWaiting > 0 || second.busySeconds > 0 || second.serviceCount > 0) {
      this.#seconds.push(second);
      const oldest = second.endMs - keptMs;
      while ((this.#seconds[0]?.endMs ?? second.endMs) <= oldest) this.#seconds.shift();
    }
    this.#isTouched = this.#inFlight > 0;
    this.#second = emptySecond(nextEndMs);
  }
}
