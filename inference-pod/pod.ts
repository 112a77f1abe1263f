/** Puts the pod together: listeners first, then the model; ready when it is loaded, verified and warm. */
import { randomUUID } from 'node:crypto';
import type { LoadReport, TerminationMessage } from '../crds/wire.ts';
import { HeldRequests } from './admission/held.ts';
import { Dispatcher, type Job } from './batching/dispatcher.ts';
import { BatchQueue } from './batching/queue.ts';
import { submitInPieces } from './batching/split.ts';
import type { PodConfig } from './config.ts';
import { drainPod } from './drain.ts';
import { createMetrics } from './http/metrics.ts';
import { startInferenceServer, startOpsServer } from './http/server.ts';
import { createInferenceService } from './inference/service.ts';
import { startWatchdog } from './limits/watchdog.ts';
import { watchLiveConfig } from './live-config.ts';
import { LoadRecorder } from './load/recorder.ts';
import { type LoadedModel, loadModel } from './load-model.ts';
import type { Logger } from './log/logger.ts';
import { isReady, type PodState, unreadiness } from './pod-state.ts';

export interface PodDependencies {
  readonly log: Logger;
  readonly version: string;
  /** Ends the process at once, whatever its threads do. */
  abort(message: TerminationMessage): void;
}

export interface Pod {
  readonly httpPort: number;
  readonly opsPort: number;
  /** Settles when the model serves; rejects with a ModelError when it never will. */
  readonly ready: Promise<void>;
  load(): LoadReport;
  /** Unready, serve on for the proxies' sake, drain, stop. */
  drain(): Promise<void>;
  /** Cuts the first wait of a drain short. */
  hasten(): void;
}

/** Share of the memory limit that waiting bodies may hold: parsed, a JSON body takes up to twelve times its size. */
const heldShare = 1 / 24;
const heldBytesWithoutLimit = 256 * 1024 * 1024;
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
  const held = new HeldRequests();
  const queue = new BatchQueue<Job>(1);
  let dispatcher: Dispatcher | undefined;
  let loaded: LoadedModel | undefined;
  let busySinceMs: () => number | undefined = () => undefined;

  const metrics = createMetrics({
    queueLength: () => queue.length,
    inFlight: () => held.requests,
    bytesHeld: () => held.bytes,
    ready: () => isReady(state),
    busySeconds: () => recorder.read(nowMs()).counters.busySeconds,
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
  const maxBytesHeld = Math.max(
    config.maxBodyBytes,
    config.memoryLimitBytes === undefined ? heldBytesWithoutLimit : config.memoryLimitBytes * heldShare,
  );

  const inference = createInferenceService({
    modelName,
    nowMs,
    timeoutMs: () => live.current.timeoutMs,
    signature: () => state.signature,
    admission: () => ({
      modelName,
      phase: state.phase,
      digestMoved: state.digestWanted !== undefined,
      admitted: held.requests,
      maxQueue: config.maxQueue,
      bytesHeld: held.bytes,
      maxBytesHeld,
      serviceSeconds: recorder.counters.serviceSumSeconds / Math.max(1, recorder.counters.serviceCount),
    }),
    observer: {
      arrived: (at) => recorder.arrived(at),
      finished: (at, { outcome, latencyMs }) => {
        recorder.answered(at, outcome.status, latencyMs);
        metrics.requestAnswered(outcome.status, latencyMs / 1000);
      },
    },
    hold: (requests, bytes) => held.add(requests, bytes),
    submit: (job) =>
      submitInPieces(job, loaded?.warm.splitRows ?? Number.POSITIVE_INFINITY, nowMs, (piece) =>
        dispatcher?.submit(piece),
      ),
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
    },
    log,
  );
  log.info('listening', { host: config.listenHost, httpPort: http.port, opsPort: ops.port });

  // Loading reads and optimises gigabytes: it may take much longer than a run.
  let isRunnerLoaded = false;
  const hangLimitMs = () =>
    isRunnerLoaded
      ? Math.max(config.hangLimitMs, 10 * Math.max(0, ...(loaded?.warm.costs.values() ?? [])))
      : config.hangLimitMs * loadFactor;
  const watchdog = startWatchdog({
    busySinceMs: () => busySinceMs(),
    hangLimitMs,
    memoryLimitBytes: config.memoryLimitBytes,
    rssBytes: () => process.memoryUsage.rss(),
    nowMs,
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

  let preload: NodeJS.Timeout | undefined;
  const start = async () => {
    loaded = await loadModel(config, {
      log,
      nowMs,
      inspected: ({ inputs, outputs }) => {
        state.signature = { name: modelName, inputs, outputs };
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
    queue.maxRows = warm.maxRows;
    dispatcher = new Dispatcher(
      queue,
      runner,
      {
        started: (at) => recorder.busy(at),
        finished: (at, batch, runMs) => {
          recorder.idle(at, batch);
          metrics.batchRun(
            batch.reduce((sum, { rows }) => sum + rows, 0),
            runMs / 1000,
          );
        },
        waited: (waitMs) => metrics.waited(waitMs / 1000),
        batchingOff: (why) => log.warn('batching is turned off', { why }),
      },
      nowMs,
    );
    // Ready for a moment would be enough for a rollout to take the good revision's pods away.
    watchdog.checkMemory();
    if (state.phase === 'loading') state.phase = 'ready';
    log.info('ready', {
      startMs: Math.round(nowMs()),
      threads: config.threads,
      opset: model.opset,
      batching: warm.remark,
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
      http,
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
