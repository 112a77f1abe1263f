/** What became of the requests: by the second in which each arrived. */

const buckets = 1_200;
/** Latencies are told apart by 1 %. */
const ratio = Math.log(1.01);
const leastSeconds = 0.001;

export class Tally {
  readonly sloSeconds: number;
  readonly total: number[] = [];
  /** Late, refused or timed out. */
  readonly bad: number[] = [];
  requests = 0;
  late = 0;
  refused = 0;
  expired = 0;
  readonly #latency = new Float64Array(buckets);

  constructor(sloSeconds: number) {
    this.sloSeconds = sloSeconds;
  }

  offered(at: number): void {
    this.requests += 1;
    const second = Math.floor(at);
    while (this.total.length <= second) {
      this.total.push(0);
      this.bad.push(0);
    }
    this.total[second] = (this.total[second] as number) + 1;
  }

  /** An answer: whether it kept the promise. */
  answered(arrival: number, latency: number): void {
    const bucket =
      latency <= leastSeconds
        ? 0
        : Math.min(buckets - 1, Math.floor(Math.log(latency / leastSeconds) / ratio));
    this.#latency[bucket] = (this.#latency[bucket] as number) + 1;
    if (latency > this.sloSeconds) {
      this.late += 1;
      this.#spoil(arrival);
    }
  }

  refuse(arrival: number): void {
    this.refused += 1;
    this.#spoil(arrival);
  }

  expire(arrival: number): void {
    this.expired += 1;
    this.#spoil(arrival);
  }

  #spoil(arrival: number): void {
    const second = Math.floor(arrival);
    this.bad[second] = (this.bad[second] ?? 0) + 1;
  }

  get violations(): number {
    return this.late + this.refused + this.expired;
  }

  /** Latency of answered requests in milliseconds at a share (0 to 1) of them. */
  latencyMs(share: number): number {
    let sum = 0;
    for (const count of this.#latency) sum += count;
    let seen = 0;
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      seen += this.#latency[bucket] as number;
      if (sum > 0 && seen >= share * sum) return 1_000 * leastSeconds * Math.exp(ratio * (bucket + 1));
    }
    return 0;
  }

  /**
   * Seconds from `from` until the first window of 5 s begins in which at most 1 % went wrong, once one was worse;
   * 0 when none was worse, undefined when it never came back.
   */
  recoverySeconds(from: number): number | undefined {
    let hurt = false;
    for (let start = from; start + 5 <= this.total.length; start += 1) {
      let total = 0;
      let bad = 0;
      for (let second = start; second < start + 5; second += 1) {
        total += this.total[second] ?? 0;
        bad += this.bad[second] ?? 0;
      }
      const good = bad <= 0.01 * total;
      if (hurt && good) return start - from;
      hurt ||= !good;
    }
    return hurt ? undefined : 0;
  }
}
