/** One call: admission → deadline → contract → queue → answer. It is its own job in the queue, so that none is made per request. */
import type { ModelSignature, Tensor } from '../../protocol/datatypes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { allowedMs } from '../../queue/client-timeout.ts';
import type { Expiring, Spoke } from '../../queue/deadlines.ts';
import type { Place } from '../../queue/fair-queue.ts';
import {
  notReady,
  parameterTimeoutMs,
  refusalAtArrival,
  refusalOfBytes,
  timedOut,
} from '../admission/admission.ts';
import { promiseBroken, promiseEndMs, refusalOfWait } from '../admission/wait.ts';
import { groupKeyOf } from '../batching/batching.ts';
import type { Costed } from '../batching/cost-book.ts';
import type { BatchTimings, Job } from '../batching/dispatcher.ts';
import { refuseDeadlySizes, zeroRowOutputs } from '../batching/zero-rows.ts';
import type { CheckedInputs } from '../contract/checks.ts';
import { refuseUnrunnable } from '../runner/types.ts';
import { runFailure } from './run-failure.ts';
import type {
  Arrival,
  Call,
  InferenceDependencies,
  InferenceQueue,
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

export class OpenCall implements Call, Job, Expiring {
  readonly arrival: Arrival;
  readonly startedMs: number;
  deadlineMs: number;
  isFinished = false;
  spoke: Spoke | undefined;
  readonly #dependencies: InferenceDependencies;
  readonly #stoodMs: number;
  #limitMs: number;
  #isAdmitted = false;
  #heldBytes = 0;
  #onTimeout: ((error: ProtocolError) => void) | undefined;

  // What waits in the queue.
  inputs: readonly Tensor[] = nothing;
  outputs: readonly string[] = nothing;
  rows = 0;
  rowElements = 0;
  isLonely = false;
  readonly share = 1;
  groupKey = '';
  enqueuedMs = 0;
  promiseEndMs = Number.POSITIVE_INFINITY;
  cancelled = false;
  place: Place | undefined;
  #queue: InferenceQueue | undefined;
  #predictedMs = 0;
  #promisedMs: number | undefined;
  #ranUntilMs = 0;
  #pending: Pending | undefined;
  #checked: CheckedInputs | undefined;
  #flagged: string | undefined;
  #timings: InferTimings | undefined;

  constructor(dependencies: InferenceDependencies, arrival: Arrival, readMs: number, stoodMs: number) {
    this.#dependencies = dependencies;
    this.arrival = arrival;
    this.#stoodMs = stoodMs;
    this.startedMs = readMs - stoodMs;
    this.#limitMs = allowedMs(dependencies.timeoutMs(), arrival.clientTimeoutMs);
    this.deadlineMs = this.startedMs + this.#limitMs;
  }

  get connection(): object | undefined {
    return this.arrival.connection;
  }

  /** The wheel's word for the deadline. */
  get expiresMs(): number {
    return this.deadlineMs;
  }

  admit(): ModelSignature {
    const model = this.tryAdmit();
    if (model instanceof ProtocolError) throw model;
    return model;
  }

  tryAdmit(): ModelSignature | ProtocolError {
    const dependencies = this.#dependencies;
    const refusal =
      refusalAtArrival(dependencies.admission(), this.arrival.bytes) ??
      this.#refusal(dependencies.queue(), undefined);
    if (refusal !== undefined) return refusal;
    const model = dependencies.signature();
    if (model === undefined) return notReady(dependencies.modelName);
    this.#isAdmitted = true;
    dependencies.hold(1, 0);
    this.#startDeadline();
    return model;
  }

  holdBytes(bytes: number): void {
    if (!this.#isAdmitted || this.isFinished) return;
    const more = bytes - this.#heldBytes;
    const { bytesHeld, maxBytesHeld } = this.#dependencies.admission();
    const isAlone = bytesHeld === this.#heldBytes;
    const refusal = isAlone ? undefined : refusalOfBytes({ bytesHeld, maxBytesHeld }, more);
    if (refusal !== undefined) throw refusal;
    this.#dependencies.hold(0, more);
    this.#heldBytes = bytes;
  }

  onTimeout(handler: (error: ProtocolError) => void): void {
    this.#onTimeout = handler;
  }

  infer(work: Work): Promise<InferResult> {
    return new Promise((resolve, reject) => {
      if (this.isFinished || !this.#isAdmitted) throw new Error('the call is not open');
      if (this.#pending !== undefined) throw new Error('a call infers once at a time');
      this.#enqueue(work, { resolve, reject });
    });
  }

  #enqueue(work: Work, pending: Pending) {
    const dependencies = this.#dependencies;
    const model = dependencies.signature();
    const { inputs, outputs } = work;
    refuseUnrunnable(inputs);
    this.#checked = dependencies.contract?.inputs(inputs);
    const empty = model === undefined ? undefined : zeroRowOutputs(work, model);
    if (empty !== undefined) {
      pending.resolve({ outputs: empty, flagged: undefined, timings: notRun });
      return;
    }
    if (model !== undefined) refuseDeadlySizes(inputs, model);
    const queue = dependencies.queue();
    if (queue === undefined) throw notReady(dependencies.modelName);
    this.#shorten(parameterTimeoutMs(work.parameters.timeout));
    this.#describe(inputs, outputs);
    this.enqueuedMs = dependencies.nowMs();
    const refusal = this.#refusal(queue, this);
    if (refusal !== undefined) throw refusal;
    this.#pending = pending;
    this.#queue = queue;
    queue.submit(this);
  }

  #describe(inputs: readonly Tensor[], outputs: readonly string[]) {
    let rows = inputs[0]?.shape[0] ?? 1;
    let elements = 0;
    let isLonely = false;
    for (const input of inputs) {
      if ((input.shape[0] ?? 1) !== rows) isLonely = true;
      elements += input.data.length;
    }
    // Inputs whose first dimensions differ have no rows in common: such a request shares its batch with nobody.
    if (isLonely) rows = 1;
    this.inputs = inputs;
    this.outputs = outputs;
    this.rows = Math.max(1, rows);
    this.rowElements = elements / this.rows;
    this.isLonely = isLonely;
    this.groupKey = isLonely ? nextLonelyKey() : groupKeyOf(inputs, outputs);
  }

  /** Whether it would wait too long; before the body is read by what requests usually are, then by what it is. */
  #refusal(queue: InferenceQueue | undefined, like: Costed | undefined): ProtocolError | undefined {
    const dependencies = this.#dependencies;
    const limits = dependencies.waiting();
    if (queue === undefined || (limits.waiting === 0 && like === undefined)) return undefined;
    const { waitMs, serviceMs } = queue.forecast(like);
    this.#predictedMs = waitMs + serviceMs;
    const { bias } = dependencies;
    const { factor } = bias;
    const { shedMs } = limits;
    if (like !== undefined) {
      this.#promisedMs = shedMs;
      this.promiseEndMs = promiseEndMs({
        startedMs: this.startedMs,
        serviceMs: serviceMs * factor,
        shedMs,
        lastAnswerMs: bias.lastAnswerMs,
      });
    }
    if (limits.waiting === 0) return undefined;
    return refusalOfWait({
      waiting: limits.waiting,
      maxQueue: limits.maxQueue,
      shedMs,
      usableShare: bias.usableShare,
      waitMs: waitMs * factor,
      serviceMs: serviceMs * factor,
      stoodMs: this.#stoodMs,
      leftMs: this.deadlineMs - dependencies.nowMs(),
    });
  }

  /** The queue's answer. */
  answer(outputs: readonly Tensor[], timings: BatchTimings): void {
    const pending = this.#takePending();
    if (pending === undefined) return;
    const dependencies = this.#dependencies;
    this.#ranUntilMs = dependencies.nowMs();
    this.#timings = {
      queueMs: timings.startedMs - this.enqueuedMs,
      runMs: timings.runMs,
      batchRows: timings.rows,
    };
    try {
      this.#flagged = dependencies.contract?.outputs(outputs, this.#checked);
    } catch (error) {
      pending.reject(runFailure(error));
      return;
    }
    pending.resolve({ outputs, flagged: this.#flagged, timings: this.#timings });
  }

  /** The queue's refusal. */
  fail(error: Error): void {
    this.#takePending()?.reject(runFailure(error));
  }

  cancel(): void {
    this.#withdraw();
    this.#takePending()?.reject(new ProtocolError(499, 'the client closed the connection'));
  }

  finish(outcome: Outcome): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.#withdraw();
    this.#stopDeadline();
    const dependencies = this.#dependencies;
    if (this.#isAdmitted) dependencies.hold(-1, -this.#heldBytes);
    const nowMs = dependencies.nowMs();
    this.#learn(nowMs);
    dependencies.observer.finished(nowMs, {
      arrival: this.arrival,
      outcome,
      startedMs: this.startedMs,
      latencyMs: nowMs - this.startedMs,
      rows: this.rows,
      bytes: this.#heldBytes,
      flagged: this.#flagged,
      timings: this.#timings,
    });
  }

  /** The wheel's word: the deadline passed; or the queue's: it would. */
  expire(): void {
    this.#stopDeadline();
    this.#withdraw();
    const error = timedOut(this.#limitMs);
    const pending = this.#takePending();
    if (pending !== undefined) pending.reject(error);
    else this.#onTimeout?.(error);
  }

  /** The queue's word: by now the promise would be broken. */
  breakPromise(endMs: number, share: number): void {
    const pending = this.#takePending();
    if (pending === undefined) return;
    // Those that ran were the lucky ones: without this one they would tell that all is well.
    const { bias } = this.#dependencies;
    bias.observe(this.#predictedMs, endMs - this.enqueuedMs, share);
    bias.promised(false, share);
    pending.reject(promiseBroken(endMs - this.startedMs, this.#promisedMs ?? 0));
  }

  /** Predictions are held against the time at which the answer is written: at overload those of a batch wait for each other. */
  #learn(nowMs: number) {
    const timings = this.#timings;
    if (timings === undefined) return;
    const { bias } = this.#dependencies;
    const share = this.rows / Math.max(this.rows, timings.batchRows);
    bias.observe(this.#predictedMs, nowMs - this.enqueuedMs, share);
    bias.written(nowMs - this.#ranUntilMs, share);
    if (this.#promisedMs !== undefined && this.promiseEndMs < Number.POSITIVE_INFINITY)
      bias.promised(nowMs - this.startedMs <= this.#promisedMs, share);
  }

  #withdraw() {
    this.cancelled = true;
    if (this.#queue !== undefined) this.#queue.withdraw(this);
    this.#queue = undefined;
  }

  /** A limit that came in the body: it counts from the arrival like the others. */
  #shorten(limitMs: number | undefined) {
    if (limitMs === undefined || limitMs >= this.#limitMs) return;
    this.#stopDeadline();
    this.#limitMs = limitMs;
    this.deadlineMs = this.startedMs + limitMs;
    this.#startDeadline();
  }

  #startDeadline() {
    this.#dependencies.deadlines.add(this);
  }

  #stopDeadline() {
    this.#dependencies.deadlines.remove(this);
  }

  #takePending() {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}
