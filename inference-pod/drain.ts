/** The end of a pod, in order: unready, serve on for the proxies' sake, answer what is there, stop the runner between two runs. */
import type { TerminationMessage } from '../crds/wire.ts';
import type { HeldRequests } from './admission/held.ts';
import type { Logger } from './log/logger.ts';
import type { PodState } from './pod-state.ts';

export interface DrainSteps {
  readonly state: PodState;
  readonly held: HeldRequests;
  /** Those that serve callers. */
  readonly listeners: readonly { close(): Promise<void> }[];
  readonly log: Logger;
  /** How long proxies may go on sending after the pod became unready. */
  readonly delayMs: number;
  /** How long requests, and then the runner, may take to end. */
  readonly limitMs: number;
  /** Cuts the delay short. */
  readonly hastened: Promise<void>;
  /** Work of the runner, the loading of the model included; undefined when it is idle. */
  busySinceMs(): number | undefined;
  stopRunner(): Promise<void>;
  abort(message: TerminationMessage): void;
}

const within = <T>(promise: Promise<T>, ms: number): Promise<T | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** Resolves when the process may end. */
export const drainPod = async (steps: DrainSteps): Promise<void> => {
  const { state, held, log } = steps;
  const wasReady = state.phase === 'ready';
  state.phase = 'draining';
  log.info('draining', { inFlight: held.requests, delayMs: wasReady ? steps.delayMs : 0 });
  if (wasReady) await within(steps.hastened, steps.delayMs);
  // No new connections; what comes on those that are open is answered and told to close.
  const closed = Promise.all(steps.listeners.map((listener) => listener.close()));
  if (!(await held.whenEmpty(steps.limitMs)))
    log.warn('requests were not answered in time', { inFlight: held.requests });
  state.phase = 'stopping';
  // A worker inside run() must never be terminated: the process would end with 134 as if it had crashed.
  if (!(await becameIdle(steps))) {
    steps.abort({ reason: 'RunHung', message: 'the model still ran when the pod had to end' });
    return;
  }
  await steps.stopRunner();
  await within(closed, 1000);
};

const becameIdle = async (steps: DrainSteps): Promise<boolean> => {
  const from = performance.now();
  while (steps.busySinceMs() !== undefined) {
    if (performance.now() - from > steps.limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
};
