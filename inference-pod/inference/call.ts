/** One call: admission → deadline → contract → queue → answer. It is its own job in the queue, so that none is made per request. */
import type { ModelSignature, Tensor } from '../../protocol/datatypes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { allowedMs, Overloaded, refusalAtArrival, timedOut } from '../admission/admission.ts';
import { groupKeyOf } from '../batching/batching.ts';
import type { BatchTimings, Job } from '../batching/dispatcher.ts';
import { zeroRowOutputs } from '../batching/zero-rows.ts';
import { refuseUnrunnable } from '../runner/types.ts';
import { runFailure } from './run-failure.ts';
import type {
  Arrival,
  Call,
  InferenceDependencies,
  InferResult,
  InferTimings,
  Outcome,
  Work,
} from './types.ts';

const nothing: readonly never[] = Object.freeze([]);
const notRun: InferTimings = Object.freeze({ queueMs: 0, runMs: 0, batchRows: 0 });

let lonelyRequests = 0;
/** A key that no other request has: a caller's own id would not do, since two requests may carry the same. */
const nextLonelyKey = () => {
  lonelyRequests += 1;
  return `alone ${lonelyRequests}`;
};

interface Pending {
  resolve(result: InferResult): void;
  reject(error: ProtocolError): void;
}

export class OpenCall implements Call, Job {
  readonly arrival: Arrival;
  readonly startedMs: number;
  deadlineMs: number;
  isFinished = false;
  readonly #dependencies: InferenceDependencies;
  #limitMs: number;
  #isHeld = false;
  #bytes: number;
  #timer: NodeJS.Timeout | undefined;
  #onTimeout: ((error: ProtocolError) => void) | undefined;

  // What waits in the queue.
  inputs: readonly Tensor[] = nothing;
  outputs: readonly string[] = nothing;
  rows = 0;
  readonly share = 1;
  groupKey = '';
  enqueuedMs = 0;
  cancelled = false;
  #pending: Pending | undefined;
  #flags: readonly string[] = nothing;
  #timings: InferTimings | undefined;

  constructor(dependencies: InferenceDependencies, arrival: Arrival, startedMs: number) {
    this.#dependencies = dependencies;
    this.arrival = arrival;
    this.startedMs = startedMs;
    this.#bytes = arrival.bytes;
    this.#limitMs = allowedMs(dependencies.timeoutMs(), arrival.clientTimeoutMs);
    this.deadlineMs = startedMs + this.#limitMs;
  }

  admit(): ModelSignature {
    const dependencies = this.#dependencies;
    const refusal = refusalAtArrival(dependencies.admission(), this.#bytes);
    if (refusal !== undefined) throw refusal;
    const model = dependencies.signature();
    if (model === undefined) throw new Overloaded(503, `model '${dependencies.modelName}' is not ready`, 1);
    this.#isHeld = true;
    dependencies.hold(1, this.#bytes);
    this.#startTimer();
    return model;
  }

  holdBytes(bytes: number): void {
    if (!this.#isHeld || this.isFinished) return;
    this.#dependencies.hold(0, bytes - this.#bytes);
    this.#bytes = bytes;
  }

  onTimeout(handler: (error: ProtocolError) => void): void {
    this.#onTimeout = handler;
  }

  infer(work: Work): Promise<InferResult> {
    return new Promise((resolve, reject) => {
      if (this.isFinished || !this.#isHeld) throw new Error('the call is not open');
      if (this.#pending !== undefined) throw new Error('a call infers once at a time');
      this.#enqueue(work, { resolve, reject });
    });
  }

  #enqueue(work: Work, pending: Pending) {
    const dependencies = this.#dependencies;
    const model = dependencies.signature();
    const { inputs, outputs } = work;
    refuseUnrunnable(inputs);
    this.#flags = dependencies.contract?.inputs(inputs) ?? nothing;
    const empty = model === undefined ? undefined : zeroRowOutputs(work, model);
    if (empty !== undefined) {
      pending.resolve({ outputs: empty, flags: this.#flags, timings: notRun });
      return;
    }
    let rows = inputs[0]?.shape[0] ?? 1;
    // Inputs whose first dimensions differ have no rows in common: such a request shares its batch with nobody.
    const isLonely = inputs.some((input) => (input.shape[0] ?? 1) !== rows);
    if (isLonely) rows = 1;
    this.inputs = inputs;
    this.outputs = outputs;
    this.rows = Math.max(1, rows);
    this.groupKey = isLonely ? nextLonelyKey() : groupKeyOf(inputs, outputs);
    this.enqueuedMs = dependencies.nowMs();
    this.#pending = pending;
    dependencies.submit(this);
  }

  /** The queue's answer. */
  answer(outputs: readonly Tensor[], timings: BatchTimings): void {
    const pending = this.#takePending();
    if (pending === undefined) return;
    this.#timings = {
      queueMs: timings.startedMs - this.enqueuedMs,
      runMs: timings.runMs,
      batchRows: timings.rows,
    };
    let flags = this.#flags;
    try {
      const found = this.#dependencies.contract?.outputs(outputs) ?? nothing;
      if (found.length > 0) flags = this.#flags = [...flags, ...found];
    } catch (error) {
      pending.reject(runFailure(error));
      return;
    }
    pending.resolve({ outputs, flags, timings: this.#timings });
  }

  /** The queue's refusal. */
  fail(error: Error): void {
    this.#takePending()?.reject(runFailure(error));
  }

  cancel(): void {
    this.cancelled = true;
    this.#takePending()?.reject(new ProtocolError(499, 'the client closed the connection'));
  }

  finish(outcome: Outcome): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.cancelled = true;
    clearTimeout(this.#timer);
    const dependencies = this.#dependencies;
    if (this.#isHeld) dependencies.hold(-1, -this.#bytes);
    const nowMs = dependencies.nowMs();
    dependencies.observer.finished(nowMs, {
      arrival: this.arrival,
      outcome,
      startedMs: this.startedMs,
      latencyMs: nowMs - this.startedMs,
      rows: this.rows,
      bytes: this.#bytes,
      flags: this.#flags,
      timings: this.#timings,
    });
  }

  #startTimer() {
    this.#timer = setTimeout(() => this.#expire(), this.#limitMs);
  }

  #expire() {
    const error = timedOut(this.#limitMs);
    this.cancelled = true;
    const pending = this.#takePending();
    if (pending !== undefined) pending.reject(error);
    else this.#onTimeout?.(error);
  }

  #takePending() {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}
