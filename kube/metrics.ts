/** A plain registry of counters and gauges: this room counts, whoever serves `/metrics` reads `snapshot()`. */

export type Labels = Readonly<Record<string, string>>;

/** What the parts of this room report to. Names are without prefix, with base units: `watch_last_activity_seconds`. */
export interface Observer {
  /** Adds to a counter. */
  count(name: string, labels?: Labels, by?: number): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: Labels): void;
  /** Adds a duration to a summary (`‹name›_sum`, `‹name›_count`), seconds. */
  duration(name: string, seconds: number, labels?: Labels): void;
}

export interface Sample {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly labels: Labels;
  readonly value: number;
}

/** An observer that forgets everything. */
export const noObserver: Observer = { count() {}, gauge() {}, duration() {} };

/** Keeps the figures in memory. Series are bounded by what the callers use as labels: kinds, names of controllers, results. */
export class MetricsRegistry implements Observer {
  readonly #samples = new Map<
    string,
    { name: string; kind: Sample['kind']; labels: Labels; value: number }
  >();
  readonly #collectors = new Set<() => void>();

  count(name: string, labels: Labels = {}, by = 1): void {
    this.#entry(name, 'counter', labels).value += by;
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#entry(name, 'gauge', labels).value = value;
  }

  duration(name: string, seconds: number, labels: Labels = {}): void {
    this.#entry(`${name}_sum`, 'counter', labels).value += seconds;
    this.#entry(`${name}_count`, 'counter', labels).value += 1;
  }

  /** Calls `collect` before each snapshot, for gauges that are read rather than told (ages, lengths). Returns the way out. */
  onCollect(collect: () => void): () => void {
    this.#collectors.add(collect);
    return () => void this.#collectors.delete(collect);
  }

  /** Every series as it stands now. */
  snapshot(): Sample[] {
    for (const collect of this.#collectors) collect();
    return [...this.#samples.values()].map((sample) => ({ ...sample }));
  }

  /** Value of one series, 0 when it was never touched. */
  value(name: string, labels: Labels = {}): number {
    return this.#samples.get(keyOf(name, labels))?.value ?? 0;
  }

  /** Sum over all series of that name. */
  total(name: string): number {
    let sum = 0;
    for (const sample of this.#samples.values()) if (sample.name === name) sum += sample.value;
    return sum;
  }

  #entry(name: string, kind: Sample['kind'], labels: Labels) {
    const key = keyOf(name, labels);
    let entry = this.#samples.get(key);
    if (entry === undefined) {
      entry = { name, kind, labels, value: 0 };
      this.#samples.set(key, entry);
    }
    return entry;
  }
}

const keyOf = (name: string, labels: Labels) =>
  `${name}|${Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join(',')}`;
