/** Puts the pod together: listeners first, then the model; ready when it is loaded, warmed and verified. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FetchManifest, LoadReport, TerminationMessage } from '../crds/wire.ts';
import { Dispatcher, type Job } from './batching/dispatcher.ts';
import { BatchQueue } from './batching/queue.ts';
import { warmUp } from './batching/warm-up.ts';
import type { PodConfig } from './config.ts';
import { sha256OfFile } from './fetch/digest.ts';
import type { InferContext } from './http/infer.ts';
import { createMetrics } from './http/metrics.ts';
import { type Listener, startInferenceServer, startOpsServer } from './http/server.ts';
import { inspectModel } from './inspect/inspect-model.ts';
import { ModelError } from './inspect/model-error.ts';
import { startWatchdog } from './limits/watchdog.ts';
import { watchLiveConfig } from './live-config.ts';
import { LoadRecorder } from './load/recorder.ts';
import type { Logger } from './log/logger.ts';
import { isReady, type PodState, unreadiness } from './pod-state.ts';
import { type Runner, startRunner } from './runner/runner.ts';

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
  readonly state: Readonly<PodState>;
  load(): LoadReport;
  /** Unready, serve on for the proxies' sake, drain, stop. `hasten` cuts the first wait short. */
  drain(): Promise<void>;
  hasten(): void;
}

/** How long warm-up may measure, beside the runs that it cannot do without. */
const warmUpBudgetMs = 150;
/** Share of the memory limit that waiting bodies may hold: parsed, a JSON body takes up to twelve times its size. */
const heldShare = 1 / 24;
const heldWithoutLimit = 256 * 1024 * 1024;

/** Starts listening and loading. */
export const startPod = async (config: PodConfig, dependencies: PodDependencies): Promise<Pod> => {
  const { log, abort } = dependencies;
  const nowMs = () => performance.now();
  const state: PodState = {
    phase: 'loading',
    signature: undefined,
    stage: 'the model is being loaded',
    modelSha256: '',
    digestWanted: undefined,
  };
  const recorder = new LoadRecorder(nowMs());
  const queue = new BatchQueue<Job>(1);
  let dispatcher: Dispatcher | undefined;
  let runner: Runner | undefined;
  let admitted = 0;
  let bytesHeld = 0;
  let busySince: () => number | undefined = () => undefined;
  let slowestRunMs = 0;

  const metrics = createMetrics({
    queueLength: () => queue.length,
    inFlight: () => admitted,
    bytesHeld: () => bytesHeld,
    ready: () => isReady(state),
    busySeconds: () => recorder.read(nowMs()).counters.busySeconds,
  });
  const checkDigest = () => {
    const wanted = live.current.digests[config.revision];
    const moved = wanted !== undefined && state.modelSha256 !== '' && wanted !== state.modelSha256;
    if (moved && state.digestWanted === undefined)
      log.error('the model is not the one that the revision serves', { wanted, got: state.modelSha256 });
    state.digestWanted = moved ? wanted : undefined;
  };
  const live = watchLiveConfig(
    config.configDir,
    (current) => {
      recorder.setTargets(current.slaLatencyMs);
      log.info('live configuration read', { timeoutMs: current.timeoutMs });
      queueMicrotask(checkDigest);
    },
    (error) => log.warn('live configuration ignored', { error: error.message }),
  );
  const maxBytesHeld = Math.max(
    config.maxBodyBytes,
    config.memoryLimitBytes === undefined ? heldWithoutLimit : config.memoryLimitBytes * heldShare,
  );

  const infer: InferContext = {
    modelName: config.modelName,
    modelVersion: config.modelVersion,
    maxBodyBytes: config.maxBodyBytes,
    log,
    nowMs,
    timeoutMs: () => live.current.timeoutMs,
    signature: () => state.signature,
    admission: () => {
      const { serviceCount, serviceSumSeconds } = recorder.counters;
      return {
        modelName: config.modelName,
        phase: state.phase,
        digestMoved: state.digestWanted !== undefined,
        admitted,
        maxQueue: config.maxQueue,
        bytesHeld,
        maxBytesHeld,
        serviceSeconds: serviceCount === 0 ? undefined : serviceSumSeconds / serviceCount,
      };
    },
    closing: () => state.phase === 'draining' || state.phase === 'closing',
    arrived: (at) => recorder.arrived(at),
    answered: (at, status, latencyMs) => {
      recorder.answered(at, status, latencyMs);
      metrics.requestAnswered(status, latencyMs / 1000);
    },
    hold: (requests, bytes) => {
      admitted += requests;
      bytesHeld += bytes;
      if (admitted === 0) onEmpty?.();
    },
    submit: (job) => dispatcher?.submit(job),
  };
  let onEmpty: (() => void) | undefined;

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
      draining: state.phase === 'draining' || state.phase === 'closing',
      revision: config.revision,
      modelSha256: state.modelSha256,
      parallelism: 1,
      queueLength: queue.length,
      inFlight: admitted,
      oldestWaitMs: oldest === undefined ? 0 : Math.max(0, at - oldest),
      ...recorder.read(at),
    };
  };

  const ops: Listener = await startOpsServer(config.listenHost, config.opsPort, {
    metrics,
    unreadiness: () => unreadiness(state),
    load,
  });
  const http = await startInferenceServer(
    config.listenHost,
    config.httpPort,
    infer,
    {
      modelName: config.modelName,
      modelVersion: config.modelVersion,
      serverVersion: dependencies.version,
      signature: () => state.signature,
      unreadiness: () => unreadiness(state),
    },
    log,
  );
  log.info('listening', { host: config.listenHost, httpPort: http.port, opsPort: ops.port });

  const stopWatchdog = startWatchdog({
    busySinceMs: () => busySince(),
    hangLimitMs: () => Math.max(config.hangLimitMs, 10 * slowestRunMs),
    memoryLimitBytes: config.memoryLimitBytes,
    rssBytes: () => process.memoryUsage.rss(),
    nowMs,
    onHang: (busyMs) =>
      abort({
        reason: state.phase === 'loading' ? 'WarmUpFailed' : 'RunHung',
        message: `the model ran for ${Math.round(busyMs)} ms without an end, the limit is ${Math.round(Math.max(config.hangLimitMs, 10 * slowestRunMs))} ms`,
      }),
    onMemory: (rss, limit) =>
      abort({
        reason: 'MemoryExceeded',
        message: `the pod uses ${Math.round(rss / 1048576)} MiB of its limit of ${Math.round(limit / 1048576)} MiB: raise runtime.resources.limits.memory or use a smaller model`,
      }),
  });

  const start = async () => {
    const modelPath = join(config.modelDir, 'model.onnx');
    const manifest = readManifest(config.modelDir);
    const model = inspectModel(modelPath);
    for (const remark of model.remarks) log.warn(remark);
    const verified = sha256OfFile(modelPath);
    // Awaited below; without this a failure while loading would count as unhandled.
    verified.catch(() => undefined);
    state.signature = { name: config.modelName, inputs: model.inputs, outputs: model.outputs };
    runner = await startRunner(
      {
        modelPath,
        ...(model.rewired === undefined ? {} : { modelBytes: model.rewired }),
        threads: config.threads,
      },
      (message) => abort({ reason: 'LoadFailed', message }),
      (since) => {
        busySince = since;
      },
    ).catch((error: unknown) => {
      throw new ModelError(
        'LoadFailed',
        `onnxruntime refused the model: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    const sha256 = await verified;
    if (sha256 !== manifest.sha256 || (config.modelSha256 !== undefined && sha256 !== config.modelSha256))
      throw new ModelError(
        'DigestMismatch',
        `the model has the sha256 ${sha256}, wanted ${config.modelSha256 ?? manifest.sha256}`,
      );
    state.modelSha256 = sha256;
    checkDigest();
    state.stage = 'the model is being warmed up';
    const warm = await warmUp(runner, {
      inputs: model.inputs,
      outputs: model.outputs.map((output) => output.name),
      mayBatch: model.mayBatch,
      maxRows: config.maxBatchRows,
      budgetMs: warmUpBudgetMs,
      nowMs,
    });
    queue.maxRows = warm.maxRows;
    slowestRunMs = Math.max(0, ...warm.costs.values());
    dispatcher = new Dispatcher(
      queue,
      runner,
      {
        started: (at) => recorder.busy(at),
        finished: (at, requests, rows, runMs) => {
          recorder.idle(at, requests);
          metrics.batchRun(rows, runMs / 1000);
        },
        waited: (waitMs) => metrics.waited(waitMs / 1000),
        batchingOff: (why) => log.warn('batching is turned off', { why }),
      },
      nowMs,
    );
    metrics.setModel({
      model: config.modelName,
      version: config.modelVersion ?? '',
      revision: config.revision,
      sha256,
    });
    if (state.phase === 'loading') state.phase = 'ready';
    log.info('ready', {
      startMs: Math.round(nowMs()),
      threads: config.threads,
      opset: model.opset,
      batching: warm.remark,
      runMs: warm.costs.get(1),
    });
    // What the first caller of /v2 needs is loaded while nobody waits.
    setTimeout(() => http.preload(), 100).unref();
  };

  let endDelay: (() => void) | undefined;
  let draining: Promise<void> | undefined;
  const drain = async () => {
    const wasReady = state.phase === 'ready';
    state.phase = 'draining';
    log.info('draining', { inFlight: admitted, delayMs: config.drainDelayMs });
    if (wasReady)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, config.drainDelayMs);
        endDelay = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    state.phase = 'closing';
    const closed = http.close();
    const emptied = new Promise<boolean>((resolve) => {
      if (admitted === 0) resolve(true);
      else {
        const timer = setTimeout(() => resolve(false), config.drainLimitMs);
        onEmpty = () => {
          clearTimeout(timer);
          resolve(true);
        };
      }
    });
    const inTime = await emptied;
    if (!inTime) log.warn('requests were not answered in time', { inFlight: admitted });
    if (runner?.busySinceMs !== undefined && !(await becameIdle(runner, config.drainLimitMs)))
      abort({ reason: 'RunHung', message: 'the model still ran when the pod had to end' });
    stopWatchdog();
    await runner?.stop();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    live.close();
    await Promise.race([ops.close(), new Promise((resolve) => setTimeout(resolve, 200).unref())]);
    log.info('stopped');
  };

  return {
    httpPort: http.port,
    opsPort: ops.port,
    ready: start(),
    state,
    load,
    drain: () => {
      draining ??= drain();
      return draining;
    },
    hasten: () => endDelay?.(),
  };
};

const becameIdle = async (runner: Runner, limitMs: number): Promise<boolean> => {
  const from = performance.now();
  while (runner.busySinceMs !== undefined) {
    if (performance.now() - from > limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
};

const readManifest = (dir: string): FetchManifest => {
  try {
    return JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as FetchManifest;
  } catch (error) {
    throw new ModelError(
      'ModelNotFound',
      `no fetched model is in ${dir}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
};
