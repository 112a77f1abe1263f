/** Series that are counted in a few nanoseconds: labels are bound once, when a series is first needed. */

export type Labels = Readonly<Record<string, string>>;

/** The last observation of a bucket that somebody traced. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  readonly atSeconds: number;
}

export interface Sample {
  /** What follows the family's name, such as `_bucket`. */
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
  readonly exemplar?: Exemplar | undefined;
}

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** One name of the exposition with all its series. A counter's name ends in `_total`. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
  readonly labelNames: readonly string[];
  samples(): readonly Sample[];
}

export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** One counter with its labels. */
export interface Cell {
  value: number;
}

/** A counter; `cell` binds label values, in the order of the label names, once. */
export class CounterFamily implements Family {
  readonly name: string;
  readonly help: string;
  readonly type = 'counter';
  readonly labelNames: readonly string[];
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: Cell }>();

  constructor(options: FamilyOptions) {
    this.name = options.name;
    this.help = options.help;
    this.labelNames = options.labelNames ?? [];
  }

  cell(...values: readonly string[]): Cell {
    const key = values.join('\u0000');
    const known = this.#cells.get(key);
    if (known !== undefined) return known.cell;
    const cell: Cell = { value: 0 };
    this.#cells.set(key, { labels: labelsOf(this.labelNames, values), cell });
    return cell;
  }

  samples(): readonly Sample[] {
    return [...this.#cells.values()].map(({ labels, cell }) => ({ suffix: '', labels, value: cell.value }));
  }
}

/** A figure that is read when somebody asks; nothing is said while it is unknown. */
export class ReadFamily implements Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly labelNames: readonly string[] = [];
  readonly #read: () => number | undefined;

  constructor(type: 'counter' | 'gauge', options: FamilyOptions, read: () => number | undefined) {
    this.type = type;
    this.name = options.name;
    this.help = options.help;
    this.#read = read;
  }

  samples(): readonly Sample[] {
    const value = this.#read();
    return value === undefined ? [] : [{ suffix: '', labels: {}, value }];
  }
}

/** A gauge whose value is always 1: what it says is in its labels. */
export class InfoFamily implements Family {
  readonly name: string;
  readonly help: string;
  readonly type = 'gauge';
  readonly labelNames: readonly string[];
  #labels: Labels | undefined;

  constructor(options: FamilyOptions) {
    this.name = options.name;
    this.help = options.help;
    this.labelNames = options.labelNames ?? [];
  }

  set(...values: readonly string[]): void {
    this.#labels = labelsOf(this.labelNames, values);
  }

  samples(): readonly Sample[] {
    return this.#labels === undefined ? [] : [{ suffix: '', labels: this.#labels, value: 1 }];
  }
}

/** A histogram without labels, with the last traced observation of each bucket. */
export class HistogramFamily implements Family {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly labelNames: readonly string[] = [];
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  readonly #exemplars: (Exemplar | undefined)[];
  #sum = 0;

  constructor(options: FamilyOptions & { readonly bounds: readonly number[] }) {
    this.name = options.name;
    this.help = options.help;
    this.#bounds = Float64Array.from(options.bounds);
    this.#counts = new Float64Array(options.bounds.length + 1);
    this.#exemplars = new Array<Exemplar | undefined>(options.bounds.length + 1).fill(undefined);
  }

  observe(value: number): void {
    const bucket = this.#bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** The same, for a request that can be looked up under its trace. */
  observeTraced(value: number, traceId: string, atSeconds: number): void {
    this.observe(value);
    this.#exemplars[this.#bucketOf(value)] = { traceId, value, atSeconds };
  }

  samples(): readonly Sample[] {
    const samples: Sample[] = [];
    let cumulative = 0;
    for (const [i, count] of this.#counts.entries()) {
      cumulative += count;
      const bound = this.#bounds[i];
      samples.push({
        suffix: '_bucket',
        labels: { le: bound === undefined ? '+Inf' : String(bound) },
        value: cumulative,
        exemplar: this.#exemplars[i],
      });
    }
    samples.push({ suffix: '_sum', labels: {}, value: this.#sum });
    samples.push({ suffix: '_count', labels: {}, value: cumulative });
    return samples;
  }

  #bucketOf(value: number): number {
    const bounds = this.#bounds;
    let i = 0;
    // Most observations are small: from below is faster than halving.
    while (i < bounds.length && value > (bounds[i] as number)) i += 1;
    return i;
  }
}

const labelsOf = (names: readonly string[], values: readonly string[]): Labels =>
  Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
