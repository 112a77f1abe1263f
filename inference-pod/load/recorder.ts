/** Counts what the pod was asked and how it answered, with two minutes of the past; the clock is passed in. */
import { idleSecond, type LoadReport, type LoadSecond, noCounters } from '../../crds/wire.ts';
import { bucketOf, geometricBounds, type Histogram, rebin, withExactBounds } from '../../stats/histogram.ts';

/** 0.5 ms to 60 s, a tenth of a decade apart: a percentile between boundaries is off by an eighth at most. */
const defaultBoundsMs = geometricBounds(0.5, 60_000, 10 ** 0.1);
const keptSeconds = 120;
/** What counts as of late. */
const lateSeconds = 10;
/** How much a request counts in the mean of rows per request. */
const rowsWeight = 0.02;

type OpenSecond = { -readonly [K in Exclude<keyof LoadSecond, 'endMs'>]: number };

const emptySecond = (): OpenSecond => ({ ...idleSecond });

/** What the recorder itself can say of a LoadReport; the rest is the state of the pod. */
export type RecordedLoad = Pick<LoadReport, 'counters' | 'latency' | 'seconds'>;

/** Times are milliseconds since process start by a monotonic clock. */
export class LoadRecorder {
  readonly counters = { ...noCounters };
  #latency: { bounds: readonly number[]; counts: number[] };
  #second = emptySecond();
  #secondEndMs: number;
  #seconds: LoadSecond[] = [];
  /** Up to where the running batch's time is counted. */
  #busyFromMs: number | undefined;
  #startedMs: number | undefined;
  #rowsPerRequest = 1;

  constructor(nowMs: number) {
    this.#secondEndMs = (Math.floor(nowMs / 1000) + 1) * 1000;
    this.#latency = {
      bounds: defaultBoundsMs,
      counts: new Array<number>(defaultBoundsMs.length + 1).fill(0),
    };
  }

  /** Makes the promised latencies boundaries of the histogram, so that violations are counted exactly. */
  setTargets(targetsMs: readonly number[]): void {
    const bounds = withExactBounds(defaultBoundsMs, targetsMs);
    if (
      bounds.length === this.#latency.bounds.length &&
      bounds.every((b, i) => b === this.#latency.bounds[i])
    )
      return;
    const moved: Histogram = rebin(this.#latency, bounds);
    this.#latency = { bounds: moved.bounds, counts: [...moved.counts] };
  }

  /** An infer request's headers arrived, admitted or not. */
  arrived(nowMs: number): void {
    this.#roll(nowMs);
    this.counters.arrivals += 1;
    this.#second.arrivals += 1;
  }

  /** A request was answered; refusals and failures count as infinitely late, a client's own mistake not at all. */
  answered(nowMs: number, status: number, latencyMs: number): void {
    this.#roll(nowMs);
    this.#second.completions += 1;
    if (status === 429 || status === 503 || status === 504) this.counters.rejected += 1;
    else if (status >= 500) this.counters.failed += 1;
    else if (status >= 400) {
      this.counters.clientErrors += 1;
      return;
    } else this.counters.succeeded += 1;
    const { bounds, counts } = this.#latency;
    const bucket = status >= 400 ? bounds.length : bucketOf(bounds, latencyMs);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }

  /** The runner took up a batch. */
  busy(nowMs: number): void {
    this.#roll(nowMs);
    this.#busyFromMs = nowMs;
    this.#startedMs = nowMs;
  }

  /**
   * The runner finished a batch. Its time, the way there and back included since nothing else runs meanwhile, is shared
   * between the requests by their rows. Pieces of one request are taken to be alike: n of them that take t each are one
   * service of n·t.
   */
  idle(nowMs: number, batch: readonly { readonly rows: number; readonly share: number }[]): void {
    this.#roll(nowMs);
    this.#addBusy(nowMs);
    const runSeconds = this.#startedMs === undefined ? 0 : (nowMs - this.#startedMs) / 1000;
    this.#busyFromMs = undefined;
    this.#startedMs = undefined;
    const allRows = batch.reduce((sum, { rows }) => sum + rows, 0);
    for (const { rows, share } of batch) {
      const seconds = (runSeconds * rows) / allRows;
      this.#rowsPerRequest += rowsWeight * (rows / share - this.#rowsPerRequest);
      for (const sums of [this.counters, this.#second]) {
        sums.serviceCount += share;
        sums.serviceSumSeconds += seconds;
        sums.serviceSumSquares += (seconds * seconds) / share;
      }
    }
  }

  /** The counters as the wire carries them; seconds that passed in silence are filled in. */
  read(nowMs: number): RecordedLoad {
    this.#roll(nowMs);
    this.#addBusy(nowMs);
    return {
      counters: { ...this.counters },
      latency: { boundsMs: [...this.#latency.bounds], counts: [...this.#latency.counts] },
      seconds: [...this.#seconds],
    };
  }

  /** Mean rows of the requests that ran lately. */
  get rowsPerRequest(): number {
    return this.#rowsPerRequest;
  }

  /** Arrivals per second over the last seconds that are whole, refused ones included. */
  arrivalsPerSecond(nowMs: number): number {
    this.#roll(nowMs);
    const last = this.#seconds.slice(-lateSeconds);
    return last.reduce((sum, { arrivals }) => sum + arrivals, 0) / Math.max(1, last.length);
  }

  #addBusy(untilMs: number): void {
    if (this.#busyFromMs === undefined || untilMs <= this.#busyFromMs) return;
    const seconds = (untilMs - this.#busyFromMs) / 1000;
    this.counters.busySeconds += seconds;
    this.#second.busySeconds += seconds;
    this.#busyFromMs = untilMs;
  }

  /** Closes the seconds that ended; a long silence costs no more than the two minutes that are kept. */
  #roll(nowMs: number): void {
    const behind = Math.floor((nowMs - this.#secondEndMs) / 1000);
    if (behind > keptSeconds) {
      this.#addBusy(this.#secondEndMs);
      this.#close();
      const skipTo = this.#secondEndMs + (behind - keptSeconds) * 1000;
      // Only the total counts for seconds that are not kept.
      this.#addBusy(skipTo - 1000);
      this.#second = emptySecond();
      this.#secondEndMs = skipTo;
    }
    while (nowMs >= this.#secondEndMs) {
      this.#addBusy(this.#secondEndMs);
      this.#close();
    }
  }

  #close(): void {
    this.#seconds.push({ endMs: this.#secondEndMs, ...this.#second });
    if (this.#seconds.length > keptSeconds) this.#seconds.splice(0, this.#seconds.length - keptSeconds);
    this.#second = emptySecond();
    this.#secondEndMs += 1000;
  }
}
