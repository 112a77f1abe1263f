/** Moves requests from the queue to the runner and their answers back: one batch at a time, the next one sent before the last is answered. */
import type { Tensor } from '../../protocol/datatypes.ts';
import type { Forecast } from '../admission/wait.ts';
import { releaseTensors } from '../runner/release.ts';
import { type BatchResult, RunFailed, type Runner } from '../runner/runner.ts';
import type { BatchQueue, BatchRules, Waiting } from './batch-queue.ts';
import { type Batchable, joinInputs, splitOutputs } from './batching.ts';
import type { CostBook, Costed } from './cost-book.ts';
import { type Forecasted, forecast, type KnownCosts, remainingMs } from './forecast.ts';
import { Gatherer, type Gathering } from './gathering.ts';

/** What became of the batch that a job was in. */
export interface BatchTimings {
  /** When the batch went to the runner, monotonic milliseconds. */
  readonly startedMs: number;
  /** What onnxruntime took. */
  readonly runMs: number;
  readonly rows: number;
}

/** A request that waits for the runner. */
export interface Job extends Waiting, Batchable {
  readonly outputs: readonly string[];
  /** 1 for a request, less for a piece of one: the pieces of a request add up to 1. */
  readonly share: number;
  /** True once nobody waits for the answer any more. */
  readonly cancelled: boolean;
  answer(outputs: readonly Tensor[], timings: BatchTimings): void;
  fail(error: Error): void;
  /** It was not run, since its answer would have come too late. */
  expire(): void;
  /** It was not run: its answer, predicted for `endMs`, would have broken the promise. It was `share` of what was to run. */
  breakPromise(endMs: number, share: number): void;
}

/** Told of every batch, for counters. */
export interface BatchObserver {
  started(nowMs: number): void;
  /** `runMs` is what onnxruntime took; the way to the runner and back comes on top of it. */
  finished(nowMs: number, batch: readonly Job[], runMs: number): void;
  waited(waitMs: number): void;
  batchingOff(why: string): void;
}

export interface DispatcherOptions {
  /** How long a batch that is not full may wait for more, milliseconds; 0: what waits is taken when the runner is free. */
  readonly maxDelayMs: number;
  /** Whether a batch may wait a moment for the callers of the last one, where that pays. */
  readonly gathers: boolean;
  readonly nowMs: () => number;
}

interface Running {
  readonly batch: readonly Job[];
  readonly rows: number;
  readonly startedMs: number;
  readonly expectedMs: number;
}

interface Gathered extends Gathering {
  readonly like: Costed;
  readonly fromRows: number;
  readonly sinceMs: number;
}

const nothing: Forecast = Object.freeze({ waitMs: 0, serviceMs: 0 });

export class Dispatcher {
  readonly #queue: BatchQueue<Job>;
  readonly #runner: Runner;
  readonly #costs: CostBook;
  readonly #observer: BatchObserver;
  readonly #options: DispatcherOptions;
  readonly #rules: BatchRules<Job>;
  readonly #known: KnownCosts;
  readonly #forecast: Forecasted = { waitMs: 0, serviceMs: 0 };
  /** When the last forecast was made. */
  #atMs = 0;
  #scheduled = false;
  /** The kind of request that came last. */
  #usual: Costed | undefined;
  #running: Running | undefined;
  #delay: NodeJS.Timeout | undefined;
  readonly #gatherer = new Gatherer();
  #gathering: Gathered | undefined;
  /** Members of a failed batch, to be run once more on their own. */
  #alone: Job[] = [];

  constructor(
    queue: BatchQueue<Job>,
    runner: Runner,
    costs: CostBook,
    observer: BatchObserver,
    options: DispatcherOptions,
  ) {
    this.#queue = queue;
    this.#runner = runner;
    this.#costs = costs;
    this.#observer = observer;
    this.#options = options;
    this.#rules = {
      maxRows: (first, waitingRows) => costs.rowsToTake(first, waitingRows, options.nowMs()),
      costMs: (like, rows) => costs.costMs(like, rows),
    };
    this.#known = {
      usualRows: (group, waitingRows) => costs.usualRows(group, waitingRows, this.#atMs),
      costMs: (group, rows) => costs.costMs(group, rows),
    };
  }

  submit(job: Job): void {
    if (this.#usual?.groupKey !== job.groupKey)
      this.#usual = { groupKey: job.groupKey, rows: 1, rowElements: job.rowElements, isLonely: job.isLonely };
    this.#queue.add(job);
    this.#schedule();
  }

  /** Takes a request that nobody waits for any more out of the queue; one that runs already is left to run. */
  withdraw(job: Job): void {
    this.#queue.remove(job);
  }

  /** What a request has to expect if it came now, until the next forecast is made; of one that is not read yet by the kind of the last. */
  forecast(of: Costed | undefined): Forecast {
    const like = of ?? this.#usual;
    if (like === undefined) return nothing;
    const running = this.#running;
    this.#atMs = this.#options.nowMs();
    const runningMs =
      running === undefined ? 0 : remainingMs(this.#atMs - running.startedMs, running.expectedMs);
    return forecast(like, this.#queue.groups(), this.#known, runningMs, this.#forecast);
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined) return;
    this.#scheduled = true;
    // After all requests of this turn of the loop were parsed: collecting them is most of what batching gains.
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#running !== undefined) return;
    const nowMs = this.#options.nowMs();
    let alone = this.#alone.shift();
    while (alone?.cancelled === true) alone = this.#alone.shift();
    if (alone !== undefined) {
      this.#run([alone], nowMs);
      return;
    }
    if (this.#gathers(nowMs) || this.#mayWaitForMore(nowMs)) return;
    const { batch, expired, broken } = this.#queue.take(nowMs, this.#rules);
    for (const job of batch) this.#observer.waited(nowMs - job.enqueuedMs);
    // Those that are dropped are answered while the batch runs.
    const endMs = nowMs + this.#run(batch, nowMs);
    for (const job of expired) job.expire();
    for (const job of broken) job.breakPromise(endMs, 1 / (batch.length + broken.length));
  }

  /** Sends a batch to the runner; gives back what it should take. */
  #run(batch: readonly Job[], nowMs: number): number {
    const [first] = batch;
    if (first === undefined) return 0;
    let rows = 0;
    for (const job of batch) rows += job.rows;
    const expectedMs = this.#costs.costMs(first, rows);
    this.#running = { batch, rows, startedMs: nowMs, expectedMs };
    this.#observer.started(nowMs);
    this.#runner.run(joinInputs(batch), first.outputs).then(
      (result) => this.#done(batch, result),
      (error: unknown) => this.#failed(batch, error instanceof Error ? error : new Error(String(error))),
    );
    return expectedMs;
  }

  /** With `batching.maxDelay` a batch that is not full waits a little, as long as its oldest request has the time. */
  #mayWaitForMore(nowMs: number): boolean {
    const { maxDelayMs } = this.#options;
    if (maxDelayMs <= 0) return false;
    const first = this.#queue.first;
    if (first === undefined) return false;
    const usual = this.#costs.usualRows(first, 0, nowMs);
    if (this.#queue.waitingRows(first) >= usual) return false;
    const slackMs = first.deadlineMs - nowMs - this.#costs.costMs(first, usual);
    const leftMs = Math.min(first.enqueuedMs + maxDelayMs - nowMs, slackMs);
    if (leftMs <= 0) return false;
    this.#delay ??= setTimeout(() => {
      this.#delay = undefined;
      this.#pump();
    }, leftMs);
    return true;
  }

  /** Whether the next batch should wait for the callers of the last, which are to be answered first then. */
  #gather([first]: readonly Job[], answeredRows: number): boolean {
    if (first === undefined || !this.#options.gathers) return false;
    const nowMs = this.#options.nowMs();
    const waitingRows = this.#queue.waitingRows(first);
    const gathering = this.#gatherer.after({
      answeredRows,
      waitingRows,
      maxRows: this.#costs.maxRows,
      slackMs: (this.#queue.first?.deadlineMs ?? Number.POSITIVE_INFINITY) - nowMs,
      costMs: (rows) => this.#costs.hopefulMs(first, rows),
    });
    if (gathering === undefined) return false;
    const { groupKey, rowElements, isLonely } = first;
    const like = { groupKey, rowElements, isLonely, rows: 1 };
    this.#gathering = { ...gathering, like, fromRows: waitingRows, sinceMs: nowMs };
    return true;
  }

  /** Looks once per turn whether those that were waited for are here; it is over soon, and a timer is too coarse for it. */
  #gathers(nowMs: number): boolean {
    const gathering = this.#gathering;
    if (gathering === undefined) return false;
    const { like, fromRows, rows, longestMs, sinceMs } = gathering;
    const waitingRows = this.#queue.waitingRows(like);
    const waitedMs = nowMs - sinceMs;
    if (waitingRows < rows && waitedMs < longestMs) {
      this.#schedule();
      return true;
    }
    this.#gathering = undefined;
    this.#gatherer.ended(fromRows, waitingRows, waitedMs, (size) => this.#costs.hopefulMs(like, size));
    return false;
  }

  #finish(runMs: number, cpuMs?: number): Running | undefined {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return undefined;
    const nowMs = this.#options.nowMs();
    const [first] = running.batch;
    if (first !== undefined) this.#costs.observe(first, running.rows, nowMs - running.startedMs, cpuMs);
    this.#observer.finished(nowMs, running.batch, runMs);
    return running;
  }

  #done(batch: readonly Job[], result: BatchResult): void {
    const running = this.#finish(result.runMs, result.cpuMs);
    const timings = { startedMs: running?.startedMs ?? 0, runMs: result.runMs, rows: running?.rows ?? 0 };
    const first = batch[0];
    if (batch.length === 1 && first !== undefined) {
      this.#pump();
      first.answer(result.outputs, timings);
      return;
    }
    const parts = splitOutputs(
      result.outputs,
      batch.map((job) => job.rows),
    );
    if (parts === undefined) {
      this.#costs.turnBatchingOff();
      this.#observer.batchingOff('an output has not one row per row of input');
      this.#alone.push(...batch);
      this.#pump();
      return;
    }
    // The batch has copies; up to here one that fails might have needed them.
    for (const job of batch) releaseTensors(job.inputs);
    const waits = this.#gather(batch, timings.rows);
    if (!waits) this.#pump();
    for (const [i, job] of batch.entries()) job.answer(parts[i] ?? [], timings);
    if (waits) this.#schedule();
  }

  #failed(batch: readonly Job[], error: Error): void {
    this.#finish(error instanceof RunFailed ? error.runMs : 0);
    // One request's values may fail a batch: the others must not suffer, so each is tried alone once.
    if (batch.length > 1 && error instanceof RunFailed) this.#alone.push(...batch);
    this.#pump();
    if (batch.length === 1 || !(error instanceof RunFailed)) for (const job of batch) job.fail(error);
  }
}
