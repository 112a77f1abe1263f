/** Entry of the inference pod: `fetch` brings the model (init container), `serve` answers with it. */
import { exitCodes, podEnv } from '../crds/constants.ts';
import type { TerminationMessage } from '../crds/wire.ts';
import { messageOf } from '../protocol/errors.ts';
import { ConfigError, type PodConfig, readConfig } from './config.ts';
import { ModelError } from './inspect/model-error.ts';
import { withoutCoreDumps } from './limits/core-size.ts';
import { writeTermination } from './limits/termination.ts';
import { createLogger, type Logger } from './log/logger.ts';

const version = '0.1.0';

const exitCodeOf: Partial<Record<TerminationMessage['reason'], number>> = {
  ModelNotFound: exitCodes.modelUnavailable,
  ModelForbidden: exitCodes.modelUnavailable,
  ModelTooLarge: exitCodes.modelUnavailable,
  ModelInvalid: exitCodes.modelUnavailable,
  ModelUnsupported: exitCodes.modelUnavailable,
  DigestMismatch: exitCodes.digest,
  DigestMoved: exitCodes.digest,
  FetchFailed: exitCodes.fetchFailed,
  LoadFailed: exitCodes.loadFailed,
  WarmUpFailed: exitCodes.loadFailed,
  ConfigInvalid: exitCodes.config,
  ContractInvalid: exitCodes.contract,
};

const terminationOf = (error: unknown): TerminationMessage =>
  error instanceof ModelError
    ? { reason: error.reason, message: error.message }
    : { reason: 'LoadFailed', message: messageOf(error) };

/** What a shell reports for a process that SIGTERM ended. */
const terminated = 143;

const fetch = async (config: PodConfig, log: Logger): Promise<number> => {
  // As PID 1 a signal without a handler is ignored. What is there is kept and the next run goes on from it.
  process.once('SIGTERM', () => process.exit(terminated));
  if (config.modelUri === undefined) throw new ConfigError(`${podEnv.modelUri} is missing`);
  const { fetchModel } = await import('./fetch/fetch-model.ts');
  const { fetchNetwork } = await import('./fetch/network.ts');
  const { readLiveConfig } = await import('./live-config.ts');
  const live = readLiveConfig(config.configDir);
  const recorded = live instanceof Error ? undefined : live?.digests[config.revision];
  const manifest = await fetchModel({
    uri: config.modelUri,
    sha256: config.modelSha256,
    recordedSha256: config.revision === '' ? undefined : recorded,
    modelDir: config.modelDir,
    claimDir: config.claimDir,
    fileRoots: config.fileRoots,
    maxBytes: config.maxModelBytes,
    ...fetchNetwork(config, live instanceof Error ? undefined : live),
    attempts: 6,
    backOffMs: 500,
    stallMs: 30_000,
    log,
  });
  writeTermination(config.terminationLog, manifest);
  return exitCodes.ok;
};

const serve = async (config: PodConfig, log: Logger): Promise<number> => {
  // Installed before anything else: as PID 1 a signal without a handler is ignored.
  let onSignal: () => void = () => process.exit(exitCodes.ok);
  process.on('SIGTERM', () => onSignal());
  process.on('SIGINT', () => onSignal());
  const coreDumps = withoutCoreDumps();
  log.debug('core dumps', { coreDumps });
  const { startPod } = await import('./pod.ts');
  const pod = await startPod(config, {
    log,
    version,
    abort: (message) => {
      writeTermination(config.terminationLog, message);
      log.error('the pod ends itself', { reason: message.reason, why: message.message });
      // As PID 1 a SIGKILL to itself is ignored, and process.exit hangs while a run does.
      process.abort();
    },
  });
  const stopped = new Promise<void>((resolve) => {
    let isFirst = true;
    onSignal = () => {
      if (!isFirst) pod.hasten();
      isFirst = false;
      pod.drain().then(resolve, (error: unknown) => {
        log.error('draining failed', { error: String(error) });
        resolve();
      });
    };
  });
  await Promise.race([pod.ready, stopped]);
  await stopped;
  return exitCodes.ok;
};

const run = async (): Promise<number> => {
  let config: PodConfig;
  try {
    config = readConfig(process.env);
  } catch (error) {
    const message = messageOf(error);
    writeTermination(process.env[podEnv.terminationLog] ?? '/dev/termination-log', {
      reason: 'ConfigInvalid',
      message,
    });
    createLogger('info', {}).error('the configuration is invalid', { error: message });
    return exitCodes.config;
  }
  const log = createLogger(config.logLevel, {
    model: config.modelName,
    revision: config.revision,
    pod: config.podName,
  });
  const command = process.argv[2];
  try {
    if (command === 'fetch') return await fetch(config, log);
    if (command === 'serve') return await serve(config, log);
    throw new ConfigError(`the command is '${command ?? ''}', it must be fetch or serve`);
  } catch (error) {
    const message: TerminationMessage =
      error instanceof ConfigError
        ? { reason: 'ConfigInvalid', message: error.message }
        : terminationOf(error);
    writeTermination(config.terminationLog, message);
    log.error('the pod cannot go on', { reason: message.reason, why: message.message });
    return exitCodeOf[message.reason] ?? 1;
  }
};

process.exit(await run());
