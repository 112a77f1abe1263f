/** Watches over the runner and the memory, and ends the pod where either is lost. */
import { totalmem } from 'node:os';
import type { TerminationMessage } from '../crds/wire.ts';
import { collectGarbage } from './limits/collect.ts';
import { startWatchdog, type Watchdog } from './limits/watchdog.ts';
import { nowMs, type PodCore } from './pod-core.ts';

/** How many times longer than a run the loading of the model may take. */
const loadFactor = 10;

/** Starts it; `abort` ends the process at once. */
export const startGuard = (
  { config, log, model }: PodCore,
  abort: (message: TerminationMessage) => void,
): Watchdog => {
  // Loading reads and optimises gigabytes: it may take much longer than a run.
  const hangLimitMs = () =>
    model.isRunnerLoaded
      ? Math.max(config.hangLimitMs, 10 * Math.max(0, ...(model.loaded?.warm.costs.values() ?? [])))
      : config.hangLimitMs * loadFactor;
  const watchdog = startWatchdog({
    busySinceMs: () => model.busySinceMs(),
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
        reason: !model.isRunnerLoaded
          ? 'LoadFailed'
          : model.loaded === undefined
            ? 'WarmUpFailed'
            : 'RunHung',
        message: `the model ${model.isRunnerLoaded ? 'ran' : 'was being loaded'} for ${Math.round(busyMs)} ms without an end, the limit is ${Math.round(hangLimitMs())} ms`,
      }),
    onMemory: (rss, limit) =>
      abort({
        reason: 'MemoryExceeded',
        message: `the pod uses ${Math.round(rss / 1048576)} MiB of its limit of ${Math.round(limit / 1048576)} MiB: raise runtime.resources.limits.memory or use a smaller model`,
      }),
  });
  model.isMemoryShort = watchdog.isMemoryShort;
  return watchdog;
};
