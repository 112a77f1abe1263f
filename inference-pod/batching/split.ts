/** Large requests are run in pieces, so that no request can make a run too long or too large for the pod; others run in between. */
import type { Tensor, TensorData } from '../../protocol/datatypes.ts';
import { type CostCurve, joinTensors } from './batching.ts';
import type { BatchTimings, Job } from './dispatcher.ts';

/** How long one piece should take at most, milliseconds: what a small request may have to wait behind it. */
const pieceMs = 100;
const mostRows = 256;

/** Rows of a piece: as many as take a tenth of a second by the cost curve, at least the best batch, at most 256. */
export const chooseSplitRows = (costs: CostCurve, maxRows: number): number => {
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

/**
 * Submits a job whole when it is small enough, else piece by piece: the next one when the last is answered. A failed
 * piece fails the job; one whose job was cancelled meanwhile is the last.
 */
export const submitInPieces = (
  job: Job,
  splitRows: number,
  nowMs: () => number,
  submit: (job: Job) => void,
): void => {
  if (job.rows <= splitRows) {
    submit(job);
    return;
  }
  const pieces = Math.ceil(job.rows / splitRows);
  const answers: (readonly Tensor[])[] = [];
  let whole: BatchTimings | undefined;
  const submitFrom = (start: number) => {
    const end = Math.min(start + splitRows, job.rows);
    submit({
      inputs: job.inputs.map((tensor) => rowsOf(tensor, start, end)),
      outputs: job.outputs,
      rows: end - start,
      share: job.share / pieces,
      groupKey: job.groupKey,
      enqueuedMs: nowMs(),
      deadlineMs: job.deadlineMs,
      get cancelled() {
        return job.cancelled;
      },
      answer: (outputs, timings) => {
        if (outputs.some((output) => output.shape[0] !== end - start)) {
          job.fail(new Error('an output has not one row per row of input'));
          return;
        }
        answers.push(outputs);
        whole = {
          startedMs: whole?.startedMs ?? timings.startedMs,
          runMs: (whole?.runMs ?? 0) + timings.runMs,
          rows: Math.max(whole?.rows ?? 0, timings.rows),
        };
        if (end < job.rows) submitFrom(end);
        else job.answer(joinAnswers(answers), whole);
      },
      fail: (error) => job.fail(error),
    });
  };
  submitFrom(0);
};

const joinAnswers = (answers: readonly (readonly Tensor[])[]): Tensor[] =>
  (answers[0] ?? []).map((_output, i) =>
    joinTensors(answers.flatMap((outputs) => (outputs[i] === undefined ? [] : [outputs[i]]))),
  );
