/** Brings the model into the pod: loaded, verified, warm, and the way from the queue to its runner laid. */
import type { TerminationMessage } from '../crds/wire.ts';
import { CostBook } from './batching/cost-book.ts';
import { Dispatcher } from './batching/dispatcher.ts';
import { createPieceSink } from './batching/split.ts';
import { openContract } from './contract/open.ts';
import { batchCapMs } from './live-config.ts';
import { loadModel } from './load-model.ts';
import { nowMs, type PodCore } from './pod-core.ts';

/** Rejects with a ModelError when the model will never serve. `checkMemory` is asked before the pod says that it is ready. */
export const openModel = async (
  core: PodCore,
  abort: (message: TerminationMessage) => void,
  checkMemory: () => void,
): Promise<void> => {
  const { config, log, state, model: parts, recorder, statistics, queue, metrics, live, checkDigest } = core;
  const { modelName, modelVersion } = config;
  const loaded = await loadModel(config, {
    log,
    nowMs,
    inspected: ({ inputs, outputs, endsOnEmpty }) => {
      const signature = { name: modelName, inputs, outputs, endsOnEmpty };
      parts.contract = openContract(config.contract, signature, log, (broken, count) =>
        metrics.contractFinding(broken.tensor, broken.rule, broken.action, count),
      );
      state.signature = signature;
    },
    runnerStarted: (since) => {
      parts.busySinceMs = since;
    },
    verified: (sha256) => {
      parts.isRunnerLoaded = true;
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
  parts.loaded = loaded;
  const { model, runner, warm } = loaded;
  const costs = new CostBook({
    warm: warm.costs,
    warmCpu: warm.cpuCosts,
    rowElements: warm.rowElements,
    maxRows: warm.maxRows,
    capMs: () => batchCapMs(live.current),
  });
  parts.costs = costs;
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
  parts.pieces = {
    ...createPieceSink(dispatcher, warm.splitRows, nowMs),
    forecast: (like) => dispatcher.forecast(like),
  };
  // Ready for a moment would be enough for a rollout to take the good revision's pods away.
  checkMemory();
  if (state.phase === 'loading') state.phase = 'ready';
  log.info('ready', {
    startMs: Math.round(nowMs()),
    threads: config.threads,
    opset: model.opset,
    batching: warm.remark,
    runner: loaded.isInline ? 'main thread' : 'thread',
    runMs: warm.costs.get(1),
  });
};
