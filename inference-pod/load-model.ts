/** From the fetched file to a runner that is loaded, verified and warm. */
import { messageOf } from '../protocol/errors.ts';
import { type WarmUpResult, warmUp } from './batching/warm-up.ts';
import type { PodConfig } from './config.ts';
import { modelPathOf, readManifest, verifyFiles } from './fetch/manifest.ts';
import { type InspectedModel, inspectModel } from './inspect/inspect-model.ts';
import { ModelError } from './inspect/model-error.ts';
import type { Logger } from './log/logger.ts';
import { startInlineRunner } from './runner/inline.ts';
import { type Runner, startRunner } from './runner/runner.ts';

/** Told of each step, so that probes and the watchdog know where the start is. */
export interface LoadSteps {
  readonly log: Logger;
  nowMs(): number;
  inspected(model: InspectedModel): void;
  runnerStarted(busySinceMs: () => number | undefined): void;
  verified(sha256: string): void;
  runnerLost(message: string): void;
}

export interface LoadedModel {
  readonly model: InspectedModel;
  readonly runner: Runner;
  readonly warm: WarmUpResult;
  /** The main thread runs it itself. */
  readonly isInline: boolean;
}

const refused = (error: unknown): never => {
  throw new ModelError('LoadFailed', `onnxruntime refused the model: ${messageOf(error)}`);
};

/** Longest batch that the main thread runs itself, milliseconds: nothing else waits longer for it. */
const longestInlineMs = 1;

/** How many times the largest batch that was measured a piece of a large request may be. */
const pieceBatches = 4;

/** Measured, and large requests may run in pieces. */
const isShort = ({ costs, splitRows }: WarmUpResult): boolean =>
  Number.isFinite(splitRows) && costs.size > 1 && Math.max(...costs.values()) <= longestInlineMs;

/** Loads the model; rejects with a ModelError when it can never be served. */
export const loadModel = async (config: PodConfig, steps: LoadSteps): Promise<LoadedModel> => {
  const manifest = readManifest(config.modelDir);
  if (manifest === undefined)
    throw new ModelError('ModelNotFound', `no fetched model is in ${config.modelDir}`);
  const modelPath = modelPathOf(config.modelDir, manifest);
  const model = inspectModel(modelPath, manifest.files !== undefined);
  for (const remark of model.remarks) steps.log.warn(remark);
  steps.inspected(model);
  const verified = verifyFiles(config.modelDir, manifest);
  // Awaited below; without this a failure while loading would count as unhandled.
  verified.catch(() => undefined);
  const options = {
    modelPath,
    ...(model.rewired === undefined ? {} : { modelBytes: model.rewired }),
    threads: config.threads,
  };
  const onThread = () => startRunner(options, steps.runnerLost, steps.runnerStarted).catch(refused);
  const mayBeInline = model.isQuick && config.runnerThread === 'Auto';
  let runner = mayBeInline ? await startInlineRunner(options).catch(refused) : await onThread();
  try {
    await verified;
    const { sha256 } = manifest;
    const wanted = config.modelSha256 ?? sha256;
    if (sha256 !== wanted)
      throw new ModelError('DigestMismatch', `the model has the sha256 ${sha256}, wanted ${wanted}`);
    steps.verified(sha256);
    const measure = () =>
      warmUp(runner, {
        inputs: model.inputs,
        outputs: model.outputs.map((output) => output.name),
        mayBatch: model.mayBatch,
        maxRows: config.maxBatchRows,
        budgetMs: config.warmUpMs,
        nowMs: steps.nowMs,
      });
    const warm = await measure();
    if (!mayBeInline) return { model, runner, warm, isInline: false };
    if (isShort(warm)) {
      const splitRows = Math.min(warm.splitRows, pieceBatches * Math.max(...warm.costs.keys()));
      return { model, runner, warm: { ...warm, splitRows }, isInline: true };
    }
    await runner.stop();
    runner = await onThread();
    return { model, runner, warm: await measure(), isInline: false };
  } catch (error) {
    await runner.stop().catch(() => undefined);
    throw error;
  }
};
