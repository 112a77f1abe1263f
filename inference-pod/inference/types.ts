/** What the protocols of the pod, each a thin edge, and its inference say to each other; no transport is known here. */
import type { ModelSignature, Tensor } from '../../protocol/datatypes.ts';
import type { ProtocolError } from '../../protocol/errors.ts';
import type { Parameters } from '../../protocol/infer-request.ts';
import type { Deadlines } from '../../queue/deadlines.ts';
import type { AdmissionState } from '../admission/admission.ts';
import type { Bias } from '../admission/bias.ts';
import type { Forecast } from '../admission/wait.ts';
import type { Costed } from '../batching/cost-book.ts';
import type { JobSink } from '../batching/split.ts';
import type { Contract } from '../contract/checks.ts';
import type { TraceContext } from '../log/trace.ts';

/** By which protocol a call came. */
export type Protocol = 'rest' | 'v1' | 'grpc';

/** What is known of a request when its headers are there. */
export interface Arrival {
  readonly protocol: Protocol;
  readonly requestId: string;
  /** Size that the request announces, 0 when it does not. */
  readonly bytes: number;
  /** How long the caller waits, as it said itself; it can shorten the deployment's timeout only. */
  readonly clientTimeoutMs?: number | undefined;
  /** Requests with the same object (a socket, an HTTP/2 session) take turns with those of others. */
  readonly connection?: object | undefined;
  /** The caller's trace, when it says one. */
  readonly trace?: TraceContext | undefined;
}

/** What is asked of the model. */
export interface Work {
  readonly inputs: readonly Tensor[];
  /** Names of the wanted outputs, in the order of the answer. */
  readonly outputs: readonly string[];
  /** `timeout` (microseconds) may shorten the deadline further. */
  readonly parameters: Parameters;
}

export interface InferTimings {
  /** In the queue. */
  readonly queueMs: number;
  /** In onnxruntime, of the whole batch. */
  readonly runMs: number;
  /** Rows of the whole batch. */
  readonly batchRows: number;
}

/** What the model answered. */
export interface InferResult {
  readonly outputs: readonly Tensor[];
  /** Findings of the contract, ready for the answer's header. */
  readonly flagged: string | undefined;
  readonly timings: InferTimings;
}

/** How a call ended. */
export interface Outcome {
  /** HTTP status, or the one that a gRPC status stands for; 499 when the caller left. */
  readonly status: number;
  /** What was answered when it failed. */
  readonly error?: Error | undefined;
}

/** One request from its headers to its answer. */
export interface Call {
  readonly arrival: Arrival;
  readonly startedMs: number;
  /** Monotonic milliseconds at which the caller's patience ends. */
  readonly deadlineMs: number;
  readonly isFinished: boolean;
  /**
   * Lets the request in and starts its deadline, or throws a ProtocolError (503, 429, 504). To be called once, before
   * the body is read; gives back what the model takes.
   */
  admit(): ModelSignature;
  /** The same, the refusal given back: to throw it costs more than to make it, and at overload most calls are refused. */
  tryAdmit(): ModelSignature | ProtocolError;
  /**
   * What the call holds in memory by now: what was received so far, in the end the size unpacked. Throws a ProtocolError
   * (429) when that is too much beside what others hold.
   */
  holdBytes(bytes: number): void;
  /** Called when the deadline passes while no `infer` is pending: the body is still being read. */
  onTimeout(handler: (error: ProtocolError) => void): void;
  /** Runs the model; rejects with a ProtocolError: 400, 429, 500, 504. */
  infer(work: Work): Promise<InferResult>;
  /** The caller left: its work is dropped if it does not run yet. A pending `infer` is rejected; `finish` is still to come. */
  cancel(): void;
  /** Ends the call: counters, metrics, access line. Later calls do nothing. */
  finish(outcome: Outcome): void;
}

/** All that is known of a call at its end. */
export interface CallRecord {
  readonly arrival: Arrival;
  readonly outcome: Outcome;
  readonly startedMs: number;
  readonly latencyMs: number;
  readonly rows: number;
  readonly bytes: number;
  readonly flagged: string | undefined;
  /** Undefined when the model did not run for it. */
  readonly timings: InferTimings | undefined;
}

/** Told of every call, for counters, metrics and the access log. */
export interface CallObserver {
  arrived(nowMs: number): void;
  finished(nowMs: number, record: CallRecord): void;
}

/** What the service needs of the pod. */
export interface InferenceDependencies {
  readonly modelName: string;
  readonly observer: CallObserver;
  /** What must hold of the values, beside what the protocol asks: `spec.contract`. */
  readonly contract?: Contract | undefined;
  nowMs(): number;
  /** How long a request that is read now may have stood in its socket: it counts from then. */
  stoodMs(nowMs: number): number;
  timeoutMs(): number;
  signature(): ModelSignature | undefined;
  admission(): AdmissionState;
  /** Counts a request in while it is held: +1 and its bytes, later the same with minus. */
  hold(requests: number, bytes: number): void;
  /** What may wait and how long, as it is now. */
  waiting(): WaitingLimits;
  readonly deadlines: Deadlines;
  readonly bias: Bias;
  /** Undefined as long as the model is not warm. */
  queue(): InferenceQueue | undefined;
}

/** Bounds of the queue. */
export interface WaitingLimits {
  readonly waiting: number;
  readonly maxQueue: number;
  /** The highest promised latency when `traffic.shedAt` is `SLA`, else undefined. */
  readonly shedMs: number | undefined;
}

/** The queue in front of the runner, as a call sees it. */
export interface InferenceQueue extends JobSink {
  /** What a request has to expect; of one that is not read yet by what requests usually are. */
  forecast(like: Costed | undefined): Forecast;
}

export interface InferenceService {
  /** Counts the arrival. Every call must be finished once, whatever becomes of it. */
  begin(arrival: Arrival): Call;
}
