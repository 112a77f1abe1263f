/** Counts for the statistics extension of the protocol: of requests, of rows, and of the runs that answered them. */
import type { CallRecord } from './types.ts';

/** How often something happened and how long it took altogether. */
export interface Spent {
  readonly count: number;
  readonly ns: number;
}

/** One model of `GET /v2/models/stats`. */
export interface ModelStatistics {
  readonly name: string;
  readonly version?: string | undefined;
  /** Milliseconds since 1970; 0 before the first inference. */
  readonly last_inference: number;
  /** Rows of the requests that were answered. */
  readonly inference_count: number;
  /** Runs of the model: fewer than rows when requests share a run. */
  readonly execution_count: number;
  readonly inference_stats: Readonly<
    Record<
      | 'success'
      | 'fail'
      | 'queue'
      | 'compute_input'
      | 'compute_infer'
      | 'compute_output'
      | 'cache_hit'
      | 'cache_miss',
      Spent
    >
  >;
  readonly response_stats: Readonly<Record<string, never>>;
  readonly batch_stats: readonly {
    readonly batch_size: number;
    readonly compute_input: Spent;
    readonly compute_infer: Spent;
    readonly compute_output: Spent;
  }[];
  readonly memory_usage: readonly { readonly type: 'CPU'; readonly id: 0; readonly byte_size: number }[];
}

/** Of a model that cannot be batched each request has a size of its own: no more of them are told apart. */
const mostBatchSizes = 512;

class Counter {
  count = 0;
  #ms = 0;

  add(ms: number): void {
    this.count += 1;
    this.#ms += Math.max(0, ms);
  }

  read(): Spent {
    return { count: this.count, ns: Math.round(this.#ms * 1e6) };
  }
}

const nothing: Spent = Object.freeze({ count: 0, ns: 0 });

/** Counts from the start of the pod on. */
export class InferenceStatistics {
  #lastInference = 0;
  #rows = 0;
  readonly #runs = new Counter();
  readonly #success = new Counter();
  readonly #fail = new Counter();
  readonly #queue = new Counter();
  readonly #run = new Counter();
  readonly #rest = new Counter();
  readonly #bySize = new Map<number, Counter>();

  /** A call has ended; `dateMs` is the time of day. */
  finished(dateMs: number, { outcome, latencyMs, rows, timings }: CallRecord): void {
    if (outcome.status !== 200) {
      this.#fail.add(latencyMs);
      return;
    }
    this.#success.add(latencyMs);
    this.#lastInference = Math.round(dateMs);
    this.#rows += rows;
    const { queueMs, runMs } = timings ?? { queueMs: 0, runMs: 0 };
    this.#queue.add(queueMs);
    this.#run.add(runMs);
    this.#rest.add(latencyMs - queueMs - runMs);
  }

  /** The model has run once. */
  ran(rows: number, runMs: number): void {
    this.#runs.add(runMs);
    let counter = this.#bySize.get(rows);
    if (counter === undefined) {
      if (this.#bySize.size >= mostBatchSizes) return;
      counter = new Counter();
      this.#bySize.set(rows, counter);
    }
    counter.add(runMs);
  }

  /** The figures as the protocol names them. */
  read(name: string, version: string | undefined, memoryBytes: number): ModelStatistics {
    return {
      name,
      ...(version === undefined ? {} : { version }),
      last_inference: this.#lastInference,
      inference_count: this.#rows,
      execution_count: this.#runs.count,
      inference_stats: {
        success: this.#success.read(),
        fail: this.#fail.read(),
        queue: this.#queue.read(),
        // Everything but waiting and running: to read the request, check it, and write the answer.
        compute_input: this.#rest.read(),
        compute_infer: this.#run.read(),
        compute_output: nothing,
        cache_hit: nothing,
        cache_miss: nothing,
      },
      response_stats: {},
      batch_stats: [...this.#bySize]
        .sort(([a], [b]) => a - b)
        .map(([size, counter]) => ({
          batch_size: size,
          compute_input: nothing,
          compute_infer: counter.read(),
          compute_output: nothing,
        })),
      memory_usage: [{ type: 'CPU', id: 0, byte_size: memoryBytes }],
    };
  }
}
