/** Puts the pod together: listeners first, then the model; ready when it is loaded, verified and warm. */
import { randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import type { LoadReport, TerminationMessage } from '../crds/wire.ts';
import { Deadlines } from '../queue/deadlines.ts';
import { Bias } from './admission/bias.ts';
import { HeldRequests } from './admission/held.ts';
import { BatchQueue } from './batching/batch-queue.ts';
import { CostBook } from './batching/cost-book.ts';
import { Dispatcher, type Job } from './batching/dispatcher.ts';
import { createPieceSink } from './batching/split.ts';
import { createCallObserver } from './call-observer.ts';
import type { PodConfig } from './config.ts';
import type { Contract } from './contract/checks.ts';
import { openContract } from './contract/open.ts';
import { drainPod } from './drain.ts';
import { startGrpcListener } from './grpc/listener.ts';
import { extensions } from './http/extensions.ts';
import { createMetrics } from './http/metrics.ts';
import { figuresOf } from './http/page/figures.ts';
import { startInferenceServer, startOpsServer } from './http/server.ts';
import { createInferenceService } from './inference/service.ts';
import { InferenceStatistics } from './inference/statistics.ts';
import type { InferenceQueue } from './inference/types.ts';
import { collectGarbage } from './limits/collect.ts';
import { startWatchdog } from './limits/watchdog.ts';
import { batchCapMs, watchLiveConfig } from './live-config.ts';
import { LoadRecorder } from './load/recorder.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import { createAccessLog, slowMs } from './log/access-log.ts';
import type { Logger } from './log/logger.ts';
import { admissionOf, maxBytesHeldOf, stoodOf, waitingOf } from './pod-limits.ts';
import { isReady, type PodState, unreadiness } from './pod-state.ts';

export interface PodDependencies {
  readonly log: Logger;
  readonly version: string;
  /** Ends the process at once, whatever its threads do. */
  abort(message: TerminationMessage): void;
}

export interface Pod {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly opsPort: number;
  /** Settles when the model serves; rejects with a ModelError when it never will. */
  readonly ready: Promise<void>;
  load(): LoadReport;
  /** Unready, serve on for the proxies' sake, drain, stop. */
  drain(): Promise<void>;
  /** Cuts the first wait of a drain short. */
  hasten(): void;
}

/** Answers that nobody reads are plain bytes: they may hold more. */
const unsentFactor = 4;
/** How many times longer than a run the loading of the model may take. */
const loadFactor = 10;
const nowMs = () => performance.now();

/** Starts listening and loading. */
export const startPod = async (config: PodConfig, dependencies: PodDependencies): Promise<Pod> => {
  const { log, abort } = dependencies;
  const { modelName, modelVersion } = config;
  const state: PodState = {
    phase: 'loading',
    signature: undefined,
    stage: 'the model is being loaded',
    modelSha256: '',
    digestWanted: undefined,
  };
  const recorder = new LoadRecorder(nowMs());
  const statistics = new InferenceStatistics();
  const readStatistics = () => statistics.read(modelName, modelVersion, process.memoryUsage.rss());
  const held = new HeldRequests();
  const queue = new BatchQueue<Job>();
  let costs: CostBook | undefined;
  let pieces: InferenceQueue | undefined;
  let loaded: LoadedModel | undefined;
  let contract: Contract | undefined;
  let busySinceMs: () => number | undefined = () => undefined;
  let isMemoryShort = () => false;
  let unsentBytes = () => 0;

  const metrics = createMetrics({
    queueLength: () => queue.length,
    queueRows: () => queue.rows,
    predictedWaitSeconds: () => {
      const forecast = pieces?.forecast(undefined);
      return forecast === undefined ? undefined : forecast.waitMs / 1000;
    },
    inFlight: () => held.requests,
    bytesHeld: () => held.bytes,
    ready: () => isReady(state),
    busySeconds: () => recorder.read(nowMs()).counters.busySeconds,
    capacityRowsPerSecond: () => costs?.capacity(nowMs()).rowsPerSecond,
    targetBatchRows: () => costs?.capacity(nowMs()).rows,
    arrivalsPerSecond: () => recorder.arrivalsPerSecond(nowMs()),
    memoryLimitBytes: () => config.memoryLimitBytes,
  });
  metrics.setServer(dependencies.version);
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
    unsentBytes: () => unsentBytes(),
    isMemoryShort: () => isMemoryShort(),
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
    queue: () => pieces,
    get contract() {
      return contract;
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
      batchRequests: Math.max(1, Math.round((costs?.capacity(at).rows ?? 1) / recorder.rowsPerRequest)),
      batch: costs?.batchCosts(at, recorder.rowsPerRequest),
      queueLength: queue.length,
      inFlight: held.requests,
      oldestWaitMs: oldest === undefined ? 0 : Math.max(0, at - oldest),
      ...recorder.read(at),
    };
  };

  const whyUnready = () => unreadiness(state);
  const ops = await startOpsServer(config.listenHost, config.opsPort, {
    metrics,
    unreadiness: whyUnready,
    load,
  });
  const http = await startInferenceServer(
    config.listenHost,
    config.httpPort,
    {
      modelName,
      modelVersion,
      maxBodyBytes: config.maxBodyBytes,
      log,
      inference,
      closing: () => state.phase === 'draining' || state.phase === 'stopping',
    },
    {
      modelName,
      modelVersion,
      serverVersion: dependencies.version,
      signature: () => state.signature,
      unreadiness: whyUnready,
      revision: config.revision,
      modelSha256: () => state.modelSha256,
      figures: () => {
        const { counters, latency } = recorder.read(nowMs());
        return figuresOf({
          ...counters,
          latency,
          capacityRowsPerSecond: costs?.capacity(nowMs()).rowsPerSecond,
        });
      },
      freeSize: () => loaded?.warm.guess ?? 2,
      accessLog,
      statistics: readStatistics,
      nowMs,
    },
    log,
    maxBytesHeldOf(config) * unsentFactor,
  );
  unsentBytes = http.unsentBytes;
  const grpc = await startGrpcListener(
    config.listenHost,
    config.grpcPort,
    {
      modelName,
      modelVersion,
      serverVersion: dependencies.version,
      extensions,
      maxBodyBytes: config.maxBodyBytes,
      log,
      inference,
      signature: () => state.signature,
      isReady: () => isReady(state),
      statistics: () => [readStatistics()],
    },
    log,
  );
  log.info('listening', {
    host: config.listenHost,
    httpPort: http.port,
    opsPort: ops.port,
    grpcPort: grpc.port,
  });

  // Loading reads and optimises gigabytes: it may take much longer than a run.
  let isRunnerLoaded = false;
  const hangLimitMs = () =>
    isRunnerLoaded
      ? Math.max(config.hangLimitMs, 10 * Math.max(0, ...(loaded?.warm.costs.values() ?? [])))
      : config.hangLimitMs * loadFactor;
  const watchdog = startWatchdog({
    busySinceMs: () => busySinceMs(),
    hangLimitMs,
    // Without a limit of its own the pod may take the machine's memory, but not the last of it.
    memoryLimitBytes: config.memoryLimitBytes ?? totalmem(),
    rssBytes: () => process.memoryUsage.rss(),
    nowMs,
    collectGarbage: (isLast) => {
      const from = nowMs();
      collectGarbage(isLast);
      log.debug('garbage collected', { ms: Math.round(nowMs() - from) });
    },
    onHang: (busyMs) =>
      abort({
        reason: !isRunnerLoaded ? 'LoadFailed' : loaded === undefined ? 'WarmUpFailed' : 'RunHung',
        message: `the model ${isRunnerLoaded ? 'ran' : 'was being loaded'} for ${Math.round(busyMs)} ms without an end, the limit is ${Math.round(hangLimitMs())} ms`,
      }),
    onMemory: (rss, limit) =>
      abort({
        reason: 'MemoryExceeded',
        message: `the pod uses ${Math.round(rss / 1048576)} MiB of its limit of ${Math.round(limit / 1048576)} MiB: raise runtime.resources.limits.memory or use a smaller model`,
      }),
  });

  isMemoryShort = watchdog.isMemoryShort;

  let preload: NodeJS.Timeout | undefined;
  const start = async () => {
    loaded = await loadModel(config, {
      log,
      nowMs,
      inspected: ({ inputs, outputs, endsOnEmpty }) => {
        const signature = { name: modelName, inputs, outputs, endsOnEmpty };
        contract = openContract(config.contract, signature, log, (broken, count) =>
          metrics.contractFinding(broken.tensor, broken.rule, broken.action, count),
        );
        state.signature = signature;
      },
      runnerStarted: (since) => {
        busySinceMs = since;
      },
      verified: (sha256) => {
        isRunnerLoaded = true;
        state.modelSha256 = sha256;
        state.stage = 'the model is being warmed up';
        checkDigest(live.current.digests);
        metrics.setModel({
          model: modelName,
          version: modelVersion ?? '',
          revision: config.revision,
          sha256,
        });
      },
      runnerLost: (message) => abort({ reason: 'LoadFailed', message }),
    });
    const { model, runner, warm } = loaded;
    costs = new CostBook({
      warm: warm.costs,
      warmCpu: warm.cpuCosts,
      rowElements: warm.rowElements,
      maxRows: warm.maxRows,
      capMs: () => batchCapMs(live.current),
    });
    const dispatcher = new Dispatcher(
      queue,
      runner,
      costs,
      {
        started: (at) => recorder.busy(at),
        finished: (at, batch, runMs) => {
          recorder.idle(at, batch);
          const rows = batch.reduce((sum, job) => sum + job.rows, 0);
          metrics.batchRun(rows, runMs / 1000);
          statistics.ran(rows, runMs);
        },
        waited: (waitMs) => metrics.waited(waitMs / 1000),
        batchingOff: (why) => log.warn('batching is turned off', { why }),
      },
      { maxDelayMs: config.maxBatchDelayMs, gathers: true, nowMs },
    );
    pieces = {
      ...createPieceSink(dispatcher, warm.splitRows, nowMs),
      forecast: (like) => dispatcher.forecast(like),
    };
    // Ready for a moment would be enough for a rollout to take the good revision's pods away.
    watchdog.checkMemory();
    if (state.phase === 'loading') state.phase = 'ready';
    log.info('ready', {
      startMs: Math.round(nowMs()),
      threads: config.threads,
      opset: model.opset,
      batching: warm.remark,
      runner: loaded.isInline ? 'main thread' : 'thread',
      runMs: warm.costs.get(1),
    });
    // What the first caller of /v2 needs is loaded while nobody waits.
    preload = setTimeout(() => http.preload(), 100).unref();
  };

  let hasten: () => void = () => undefined;
  const hastened = new Promise<void>((resolve) => {
    hasten = resolve;
  });
  const drain = async () => {
    await drainPod({
      state,
      held,
      listeners: [http, grpc],
      log,
      delayMs: config.drainDelayMs,
      limitMs: config.drainLimitMs,
      hastened,
      busySinceMs: () => busySinceMs(),
      stopRunner: async () => loaded?.runner.stop(),
      abort,
    });
    clearTimeout(preload);
    watchdog.stop();
    live.close();
    await ops.close();
    log.info('stopped');
  };
  let draining: Promise<void> | undefined;
  return {
    httpPort: http.port,
    grpcPort: grpc.port,
    opsPort: ops.port,
    ready: start(),
    load,
    drain: () => {
      draining ??= drain();
      return draining;
    },
    hasten: () => hasten(),
  };
};
