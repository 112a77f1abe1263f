/**
 * One line per request, as far as a log can bear it: failures and slow requests first, others as a sample. What is left
 * out is counted and said in the next line. Bodies never appear.
 */
import type { Logger } from './logger.ts';
import type { TraceContext } from './trace.ts';

/** What is known of a request at its end. */
export interface AccessRecord {
  readonly protocol: string;
  /** What was asked for, where it is not always the same. */
  readonly path?: string | undefined;
  readonly requestId: string;
  readonly trace?: TraceContext | undefined;
  /** HTTP status, or the one that a gRPC status stands for. */
  readonly status: number;
  /** Why it was refused, in one word. */
  readonly reason?: string | undefined;
  readonly error?: Error | undefined;
  readonly latencyMs: number;
  readonly rows?: number | undefined;
  readonly bytes?: number | undefined;
  readonly timings?:
    | { readonly queueMs: number; readonly runMs: number; readonly batchRows: number }
    | undefined;
  /** What the contract found. */
  readonly flagged?: string | undefined;
}

export interface AccessLogOptions {
  readonly log: Logger;
  /** The level of the process's log: nothing is put together that it would throw away. */
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  /** Lines in one second for requests that went well. */
  readonly perSecond: number;
  /** What is slow, read each time: it follows the promise. */
  slowMs(): number;
}

export interface AccessLog {
  /** Writes the request's line, or counts it as left out. */
  write(nowMs: number, record: AccessRecord): void;
}

/** Failures and slow requests have a bound of their own: overload must not make the log its second victim. */
const notablePerSecond = 100;
const maxErrorLength = 300;

/** Makes the log. */
export const createAccessLog = (options: AccessLogOptions): AccessLog => {
  const { log, level, perSecond } = options;
  const writesInfo = level === 'info' || level === 'debug';
  const writesWarnings = level !== 'error';
  let second = Number.NEGATIVE_INFINITY;
  let ordinary = 0;
  let notable = 0;
  let suppressed = 0;
  return {
    write: (nowMs, record) => {
      const isFailure = record.status >= 500;
      if (isFailure ? !writesWarnings : !writesInfo) return;
      const now = Math.floor(nowMs / 1000);
      if (now !== second) {
        second = now;
        ordinary = 0;
        notable = 0;
      }
      const isNotable = record.status >= 400 || record.latencyMs > options.slowMs();
      if (isNotable ? notable >= notablePerSecond : ordinary >= perSecond) {
        suppressed += 1;
        return;
      }
      if (isNotable) notable += 1;
      else ordinary += 1;
      const fields = fieldsOf(record, suppressed, level === 'debug');
      suppressed = 0;
      if (isFailure) log.warn('request', fields);
      else log.info('request', fields);
    },
  };
};

/** True when the message may quote what the caller sent: it is told to the caller, and stays out of the log. */
const quotesCaller = ({ status }: AccessRecord) => status >= 400 && status < 500 && status !== 429;

/** What a line says of a request; what is not known is left out. */
const fieldsOf = (
  record: AccessRecord,
  suppressed: number,
  isDebug: boolean,
): Record<string, string | number | undefined> => {
  const { trace, timings } = record;
  const error = isDebug || !quotesCaller(record) ? record.error?.message.slice(0, maxErrorLength) : undefined;
  return {
    protocol: record.protocol,
    path: record.path,
    status: record.status,
    reason: record.reason,
    error,
    latencyMs: round(record.latencyMs),
    queueMs: timings === undefined ? undefined : round(timings.queueMs),
    runMs: timings === undefined ? undefined : round(timings.runMs),
    batchRows: timings?.batchRows,
    rows: record.rows === 0 ? undefined : record.rows,
    bytes: record.bytes,
    flagged: record.flagged?.slice(0, maxErrorLength),
    requestId: record.requestId,
    traceId: trace?.traceId,
    spanId: trace?.spanId,
    parentId: trace?.parentId,
    traceFlags: trace?.flags,
    traceState: trace?.state,
    suppressed: suppressed === 0 ? undefined : suppressed,
  };
};

const round = (ms: number) => Math.round(ms * 1000) / 1000;

const slowWithoutPromiseMs = 1000;

/** From when on a request is slow: beyond the highest promised latency, or a second where nothing is promised. */
export const slowMs = (promisedMs: readonly number[]): number => {
  if (promisedMs.length === 0) return slowWithoutPromiseMs;
  let highest = 0;
  for (const ms of promisedMs) if (ms > highest) highest = ms;
  return highest;
};
