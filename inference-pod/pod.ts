/** Puts the pod together: listeners first, then the model; ready when it is loaded, verified and warm. */
import type { LoadReport, TerminationMessage } from '../crds/wire.ts';
import type { PodConfig } from './config.ts';
import { drainPod } from './drain.ts';
import type { Logger } from './log/logger.ts';
import { openModel } from './open-model.ts';
import { createCore } from './pod-core.ts';
import { startGuard } from './pod-guard.ts';
import { startListeners } from './pod-listeners.ts';

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

/** Starts listening and loading. */
export const startPod = async (config: PodConfig, dependencies: PodDependencies): Promise<Pod> => {
  const { log, abort } = dependencies;
  const core = createCore(config, log, dependencies.version);
  const { http, grpc, ops } = await startListeners(core);
  const watchdog = startGuard(core, abort);
  let preload: NodeJS.Timeout | undefined;
  const start = async () => {
    await openModel(core, abort, () => watchdog.checkMemory());
    // What the first caller of /v2 needs is loaded while nobody waits.
    preload = setTimeout(() => http.preload(), 100).unref();
  };

  let hasten: () => void = () => undefined;
  const hastened = new Promise<void>((resolve) => {
    hasten = resolve;
  });
  const drain = async () => {
    await drainPod({
      state: core.state,
      held: core.held,
      listeners: [http, grpc],
      log,
      delayMs: config.drainDelayMs,
      limitMs: config.drainLimitMs,
      hastened,
      busySinceMs: () => core.model.busySinceMs(),
      stopRunner: async () => core.model.loaded?.runner.stop(),
      abort,
    });
    clearTimeout(preload);
    watchdog.stop();
    core.live.close();
    await ops.close();
    log.info('stopped');
  };
  let draining: Promise<void> | undefined;
  return {
    httpPort: http.port,
    grpcPort: grpc.port,
    opsPort: ops.port,
    ready: start(),
    load: core.load,
    drain: () => {
      draining ??= drain();
      return draining;
    },
    hasten: () => hasten(),
  };
};
