/** From the fetched file to a runner that is loaded, verified and warm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FetchManifest } from '../crds/wire.ts';
import { type WarmUpResult, warmUp } from './batching/warm-up.ts';
import type { PodConfig } from './config.ts';
import { sha256OfFile } from './fetch/digest.ts';
import { type InspectedModel, inspectModel } from './inspect/inspect-model.ts';
import { ModelError } from './inspect/model-error.ts';
import type { Logger } from './log/logger.ts';
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
}

/** How long warm-up may measure, beside the runs that it cannot do without. */
const warmUpBudgetMs = 150;

/** Loads the model; rejects with a ModelError when it can never be served. */
export const loadModel = async (config: PodConfig, steps: LoadSteps): Promise<LoadedModel> => {
  const modelPath = join(config.modelDir, 'model.onnx');
  const manifest = readManifest(config.modelDir);
  const model = inspectModel(modelPath);
  for (const remark of model.remarks) steps.log.warn(remark);
  steps.inspected(model);
  const digest = sha256OfFile(modelPath);
  // Awaited below; without this a failure while loading would count as unhandled.
  digest.catch(() => undefined);
  const runner = await startRunner(
    {
      modelPath,
      ...(model.rewired === undefined ? {} : { modelBytes: model.rewired }),
      threads: config.threads,
    },
    steps.runnerLost,
    steps.runnerStarted,
  ).catch((error: unknown) => {
    throw new ModelError(
      'LoadFailed',
      `onnxruntime refused the model: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  try {
    const sha256 = await digest;
    const wanted = config.modelSha256 ?? manifest.sha256;
    if (sha256 !== wanted || sha256 !== manifest.sha256)
      throw new ModelError('DigestMismatch', `the model has the sha256 ${sha256}, wanted ${wanted}`);
    steps.verified(sha256);
    const warm = await warmUp(runner, {
      inputs: model.inputs,
      outputs: model.outputs.map((output) => output.name),
      mayBatch: model.mayBatch,
      maxRows: config.maxBatchRows,
      budgetMs: warmUpBudgetMs,
      nowMs: steps.nowMs,
    });
    return { model, runner, warm };
  } catch (error) {
    await runner.stop();
    throw error;
  }
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
