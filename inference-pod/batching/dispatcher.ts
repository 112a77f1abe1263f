/** Moves requests from the queue to the runner and their answers back: one batch at a time, the next one sent before the last is answered. */
import type { Tensor } from '../../protocol/datatypes.ts';
import { type BatchResult, RunFailed, type Runner } from '../runner/runner.ts';
import { joinInputs, splitOutputs } from './batching.ts';
import type { BatchQueue, Waiting } from './queue.ts';

/** What became of the batch that a job was in. */
export interface BatchTimings {
  /** When the batch went to the runner, monotonic milliseconds. */
  readonly startedMs: number;
  /** What onnxruntime took. */
  readonly runMs: number;
  readonly rows: number;
}

/** A request that waits for the runner. */
export interface Job extends Waiting {
  readonly outputs: readonly string[];
  /** 1 for a request, less for a piece of one: the pieces of a request add up to 1. */
  readonly share: number;
  answer(outputs: readonly Tensor[], timings: BatchTimings): void;
  fail(error: Error): void;
}

/** Told of every batch, for counters. */
export interface BatchObserver {
  started(nowMs: number): void;
  /** `runMs` is what onnxruntime took; the way to the runner and back comes on top of it. */
  finished(nowMs: number, batch: readonly Job[], runMs: number): void;
  waited(waitMs: number): void;
  batchingOff(why: string): void;
}

export class Dispatcher {
  readonly #queue: BatchQueue<Job>;
  readonly #runner: Runner;
  readonly #observer: BatchObserver;
  readonly #nowMs: () => number;
  #scheduled = false;
  #running = 0;
  /** Members of a failed batch, to be run once more on their own. */
  #alone: Job[] = [];

  constructor(queue: BatchQueue<Job>, runner: Runner, observer: BatchObserver, nowMs: () => number) {
    this.#queue = queue;
    this.#runner = runner;
    this.#observer = observer;
    this.#nowMs = nowMs;
  }

  /** Requests inside the runner now. */
  get running(): number {
    return this.#running;
  }

  submit(job: Job): void {
    this.#queue.add(job);
    if (this.#scheduled || this.#running > 0) return;
    this.#scheduled = true;
    // After all requests of this turn of the loop were parsed: collecting them is most of what batching gains.
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#running > 0) return;
    const nowMs = this.#nowMs();
    this.#alone = this.#alone.filter((job) => !job.cancelled);
    const alone = this.#alone.shift();
    const batch = alone === undefined ? this.#queue.take(nowMs).batch : [alone];
    if (alone === undefined) for (const job of batch) this.#observer.waited(nowMs - job.enqueuedMs);
    if (batch.length === 0) return;
    this.#running = batch.length;
    this.#observer.started(nowMs);
    this.#runner.run(joinInputs(batch), batch[0]?.outputs ?? []).then(
      (result) => this.#done(batch, result, nowMs),
      (error: unknown) => this.#failed(batch, error instanceof Error ? error : new Error(String(error))),
    );
  }

  #finish(batch: readonly Job[], runMs: number): void {
    this.#running = 0;
    this.#observer.finished(this.#nowMs(), batch, runMs);
  }

  #done(batch: readonly Job[], result: BatchResult, startedMs: number): void {
    this.#finish(batch, result.runMs);
    const rows = batch.map((job) => job.rows);
    const timings = { startedMs, runMs: result.runMs, rows: rows.reduce((sum, count) => sum + count, 0) };
    const first = batch[0];
    if (batch.length === 1 && first !== undefined) {
      this.#pump();
      first.answer(result.outputs, timings);
      return;
    }
    const parts = splitOutputs(result.outputs, rows);
    if (parts === undefined) {
      this.#queue.maxRows = 1;
      this.#observer.batchingOff('an output has not one row per row of input');
      this.#alone.push(...batch);
      this.#pump();
      return;
    }
    this.#pump();
    for (const [i, job] of batch.entries()) job.answer(parts[i] ?? [], timings);
  }

  #failed(batch: readonly Job[], error: Error): void {
    this.#finish(batch, error instanceof RunFailed ? error.runMs : 0);
    // One request's values may fail a batch: the others must not suffer, so each is tried alone once.
    if (batch.length > 1 && error instanceof RunFailed) this.#alone.push(...batch);
    this.#pump();
    if (batch.length === 1 || !(error instanceof RunFailed)) for (const job of batch) job.fail(error);
  }
}
