/** What becomes of each call outside of its answer: the load report, the metrics, the access line. */
import type { PodMetrics } from './http/metrics.ts';
import type { InferenceStatistics } from './inference/statistics.ts';
import type { CallObserver } from './inference/types.ts';
import type { LoadRecorder } from './load/recorder.ts';
import type { AccessLog } from './log/access-log.ts';
import { isSampled } from './log/trace.ts';

export interface CallSinks {
  readonly recorder: LoadRecorder;
  readonly metrics: PodMetrics;
  readonly accessLog: AccessLog;
  readonly statistics: InferenceStatistics;
}

/** Makes the observer of the inference service. */
export const createCallObserver = ({
  recorder,
  metrics,
  accessLog,
  statistics,
}: CallSinks): CallObserver => ({
  arrived: (at) => recorder.arrived(at),
  finished: (at, record) => {
    const { arrival, outcome, latencyMs, rows, bytes, flagged, timings } = record;
    statistics.finished(Date.now(), record);
    const { protocol, requestId, trace } = arrival;
    const { status, error } = outcome;
    const reason = reasonOf(error);
    recorder.answered(at, status, latencyMs);
    metrics.requestAnswered({
      protocol,
      status,
      seconds: latencyMs / 1000,
      rows,
      reason,
      traceId: trace !== undefined && isSampled(trace) ? trace.traceId : undefined,
    });
    accessLog.write(at, {
      protocol,
      requestId,
      trace,
      status,
      reason,
      error,
      latencyMs,
      rows,
      bytes,
      timings,
      flagged,
    });
  },
});

/** Refusals say why in one word; other errors do not. */
const reasonOf = (error: Error | undefined): string | undefined => {
  const reason = (error as { readonly reason?: unknown } | undefined)?.reason;
  return typeof reason === 'string' ? reason : undefined;
};
