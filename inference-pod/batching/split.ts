/** Large requests are run in pieces, so that no request can make a run too long or too large for the pod; others run in between. */
import type { Tensor, TensorData } from '../../protocol/datatypes.ts';
import { joinTensors } from './batching.ts';
import type { BatchTimings, Job } from './dispatcher.ts';

/** How long one piece should take at most, milliseconds: what a small request may have to wait behind it. */
const pieceMs = 100;
const mostRows = 256;

/** Rows of a piece: as many as take a tenth of a second by the cost curve, at least the best batch, at most 256. */
export const chooseSplitRows = (costs: ReadonlyMap<number, number>, maxRows: number): number => {
  const measured = Math.max(1, ...costs.keys());
  const perRowMs = (costs.get(measured) ?? pieceMs) / measured;
  return Math.max(maxRows, Math.min(mostRows, Math.floor(pieceMs / Math.max(perRowMs, 1e-6))), 1);
};

/** A copy of some rows: the buffer of a piece goes to the runner's thread, those of the request stay. */
const rowsOf = (tensor: Tensor, start: number, end: number): Tensor => {
  const perRow = tensor.data.length / (tensor.shape[0] ?? 1);
  const data = tensor.data.slice(start * perRow, end * perRow) as TensorData;
  return { ...tensor, shape: [end - start, ...tensor.shape.slice(1)], data };
};

/** Takes jobs in and, when nobody waits for them any more, out again. */
export interface JobSink {
  submit(job: Job): void;
  withdraw(job: Job): void;
}

/** A job of many rows, run piece by piece: the next one goes in when the last is answered. */
class Pieces {
  readonly #job: Job;
  readonly #rowsEach: number;
  readonly #nowMs: () => number;
  readonly #sink: JobSink;
  readonly #answers: (readonly Tensor[])[] = [];
  #timings: BatchTimings | undefined;
  #current: Job | undefined;

  constructor(job: Job, rowsEach: number, nowMs: () => number, sink: JobSink) {
    this.#job = job;
    this.#rowsEach = rowsEach;
    this.#nowMs = nowMs;
    this.#sink = sink;
  }

  submitFrom(start: number): void {
    const job = this.#job;
    const end = Math.min(start + this.#rowsEach, job.rows);
    this.#current = {
      inputs: job.inputs.map((tensor) => rowsOf(tensor, start, end)),
      outputs: job.outputs,
      rows: end - start,
      rowElements: job.rowElements,
      isLonely: job.isLonely,
      share: job.share / Math.ceil(job.rows / this.#rowsEach),
      groupKey: job.groupKey,
      connection: job.connection,
      enqueuedMs: this.#nowMs(),
      deadlineMs: job.deadlineMs,
      // What has begun is finished: to drop it would waste what ran.
      promiseEndMs: start === 0 ? job.promiseEndMs : Number.POSITIVE_INFINITY,
      place: undefined,
      get cancelled() {
        return job.cancelled;
      },
      answer: (outputs, timings) => this.#answered(start, end, outputs, timings),
      fail: (error) => job.fail(error),
      expire: () => job.expire(),
      breakPromise: (endMs, share) => job.breakPromise(endMs, share),
    };
    this.#sink.submit(this.#current);
  }

  withdraw(): void {
    if (this.#current !== undefined) this.#sink.withdraw(this.#current);
  }

  #answered(start: number, end: number, outputs: readonly Tensor[], timings: BatchTimings): void {
    const job = this.#job;
    if (job.cancelled) return;
    if (outputs.some((output) => output.shape[0] !== end - start)) {
      job.fail(new Error('an output has not one row per row of input'));
      return;
    }
    this.#answers.push(outputs);
    this.#timings = {
      startedMs: this.#timings?.startedMs ?? timings.startedMs,
      runMs: (this.#timings?.runMs ?? 0) + timings.runMs,
      rows: Math.max(this.#timings?.rows ?? 0, timings.rows),
    };
    if (end < job.rows) this.submitFrom(end);
    else job.answer(joinAnswers(this.#answers), this.#timings);
  }
}

/** Submits a job whole when it is small enough, else piece by piece; a failed piece fails the job. */
export const createPieceSink = (sink: JobSink, splitRows: number, nowMs: () => number): JobSink => {
  const inPieces = new WeakMap<Job, Pieces>();
  return {
    submit: (job) => {
      if (job.rows <= splitRows) {
        sink.submit(job);
        return;
      }
      const pieces = new Pieces(job, splitRows, nowMs, sink);
      inPieces.set(job, pieces);
      pieces.submitFrom(0);
    },
    withdraw: (job) => {
      if (job.rows <= splitRows) sink.withdraw(job);
      else inPieces.get(job)?.withdraw();
    },
  };
};

const joinAnswers = (answers: readonly (readonly Tensor[])[]): Tensor[] =>
  (answers[0] ?? []).map((_output, i) =>
    joinTensors(answers.flatMap((outputs) => (outputs[i] === undefined ? [] : [outputs[i]]))),
  );
