/** What the pod knows and counts while it runs, and the service that answers calls by it; the model comes later. */
import { randomUUID } from 'node:crypto';
import type { LoadReport } from '../crds/wire.ts';
import { Deadlines } from '../queue/deadlines.ts';
import { Bias } from './admission/bias.ts';
import { HeldRequests } from './admission/held.ts';
import { BatchQueue } from './batching/batch-queue.ts';
import type { CostBook } from './batching/cost-book.ts';
import type { Job } from './batching/dispatcher.ts';
import { createCallObserver } from './call-observer.ts';
import type { PodConfig } from './config.ts';
import type { Contract } from './contract/checks.ts';
import { createMetrics, type PodMetrics } from './http/metrics.ts';
import { createInferenceService } from './inference/service.ts';
import { InferenceStatistics } from './inference/statistics.ts';
import type { InferenceQueue, InferenceService } from './inference/types.ts';
import { type LiveConfigWatch, watchLiveConfig } from './live-config.ts';
import { LoadRecorder } from './load/recorder.ts';
import type { LoadedModel } from './load-model.ts';
import { type AccessLog, createAccessLog, slowMs } from './log/access-log.ts';
import type { Logger } from './log/logger.ts';
import { admissionOf, stoodOf, waitingOf } from './pod-limits.ts';
import { isReady, type PodState } from './pod-state.ts';

/** Milliseconds since the process began, monotonic. */
export const nowMs = (): number => performance.now();

/** What comes with the model and with the listeners, each in its turn; before that it is as if there were none. */
export interface ModelParts {
  costs: CostBook | undefined;
  pieces: InferenceQueue | undefined;
  loaded: LoadedModel | undefined;
  contract: Contract | undefined;
  /** Loading reads and optimises gigabytes; from then on runs are short. */
  isRunnerLoaded: boolean;
  busySinceMs: () => number | undefined;
  isMemoryShort: () => boolean;
  unsentBytes: () => number;
}

export interface PodCore {
  readonly config: PodConfig;
  readonly log: Logger;
  readonly version: string;
  readonly state: PodState;
  readonly model: ModelParts;
  readonly recorder: LoadRecorder;
  readonly statistics: InferenceStatistics;
  readonly held: HeldRequests;
  readonly queue: BatchQueue<Job>;
  readonly metrics: PodMetrics;
  readonly accessLog: AccessLog;
  readonly live: LiveConfigWatch;
  readonly inference: InferenceService;
  /** The report of `GET /load`. */
  load(): LoadReport;
  /** Compares the model with the digest that the revision must serve. */
  checkDigest(digests: Readonly<Record<string, string>>): void;
}

/** Makes it; nothing listens and nothing is loaded yet. */
export const createCore = (config: PodConfig, log: Logger, version: string): PodCore => {
  const { modelName } = config;
  const state: PodState = {
    phase: 'loading',
    signature: undefined,
    stage: 'the model is being loaded',
    modelSha256: '',
    digestWanted: undefined,
  };
  const model: ModelParts = {
    costs: undefined,
    pieces: undefined,
    loaded: undefined,
    contract: undefined,
    isRunnerLoaded: false,
    busySinceMs: () => undefined,
    isMemoryShort: () => false,
    unsentBytes: () => 0,
  };
  const recorder = new LoadRecorder(nowMs());
  const statistics = new InferenceStatistics();
  const held = new HeldRequests();
  const queue = new BatchQueue<Job>();

  const metrics = createMetrics({
    queueLength: () => queue.length,
    queueRows: () => queue.rows,
    predictedWaitSeconds: () => {
      const forecast = model.pieces?.forecast(undefined);
      return forecast === undefined ? undefined : forecast.waitMs / 1000;
    },
    inFlight: () => held.requests,
    bytesHeld: () => held.bytes,
    ready: () => isReady(state),
    busySeconds: () => recorder.read(nowMs()).counters.busySeconds,
    capacityRowsPerSecond: () => model.costs?.capacity(nowMs()).rowsPerSecond,
    targetBatchRows: () => model.costs?.capacity(nowMs()).rows,
    arrivalsPerSecond: () => recorder.arrivalsPerSecond(nowMs()),
    memoryLimitBytes: () => config.memoryLimitBytes,
  });
  metrics.setServer(version);
  const accessLog = createAccessLog({
    log,
    level: config.logLevel,
    perSecond: config.accessLogPerSecond,
    slowMs: () => slowMs(live.current.slaLatencyMs),
  });
  const checkDigest = (digests: Readonly<Record<string, string>>) => {
    const wanted = Object.hasOwn(digests, config.revision) ? digests[config.revision] : undefined;
    const moved = wanted !== undefined && state.modelSha256 !== '' && wanted !== state.modelSha256;
    if (moved && state.digestWanted === undefined)
      log.error('the model is not the one that the revision serves', { wanted, got: state.modelSha256 });
    state.digestWanted = moved ? wanted : undefined;
  };
  const live = watchLiveConfig(
    config.configDir,
    (current) => {
      recorder.setTargets(current.slaLatencyMs);
      checkDigest(current.digests);
      log.info('live configuration read', { timeoutMs: current.timeoutMs });
    },
    (error) => log.warn('live configuration ignored', { error: error.message }),
  );

  const admission = admissionOf({
    config,
    state,
    held,
    unsentBytes: () => model.unsentBytes(),
    isMemoryShort: () => model.isMemoryShort(),
  });
  const waiting = waitingOf(config, queue, live);
  const inference = createInferenceService({
    modelName,
    nowMs,
    stoodMs: stoodOf(nowMs),
    timeoutMs: () => live.current.timeoutMs,
    signature: () => state.signature,
    admission: () => admission,
    waiting: () => waiting,
    deadlines: new Deadlines(nowMs),
    bias: new Bias(),
    queue: () => model.pieces,
    get contract() {
      return model.contract;
    },
    observer: createCallObserver({ recorder, metrics, accessLog, statistics }),
    hold: (requests, bytes) => held.add(requests, bytes),
  });

  const instance = randomUUID();
  const load = (): LoadReport => {
    const at = nowMs();
    const oldest = queue.oldestMs;
    return {
      version: 1,
      instance,
      startedAtMs: Math.round(performance.timeOrigin),
      uptimeMs: at,
      ready: isReady(state),
      draining: state.phase === 'draining' || state.phase === 'stopping',
      revision: config.revision,
      modelSha256: state.modelSha256,
      parallelism: 1,
      batchRequests: Math.max(1, Math.round((model.costs?.capacity(at).rows ?? 1) / recorder.rowsPerRequest)),
      batch: model.costs?.batchCosts(at, recorder.rowsPerRequest),
      queueLength: queue.length,
      inFlight: held.requests,
      oldestWaitMs: oldest === undefined ? 0 : Math.max(0, at - oldest),
      ...recorder.read(at),
    };
  };

  return {
    config,
    log,
    version,
    state,
    model,
    recorder,
    statistics,
    held,
    queue,
    metrics,
    accessLog,
    live,
    inference,
    load,
    checkDigest,
  };
};
