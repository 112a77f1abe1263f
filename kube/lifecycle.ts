/** Starting is easy; this is how a process ends: unready first, then work, caches, lease, connections, each in bounded time. */
import { type Clock, realClock, sleep } from './clock.ts';
import { type Log, messageOf, noLog } from './log.ts';

/** In the order in which they end. The lease goes only after all work has stopped, else two processes write at once. */
const shutdownPhases = ['work', 'caches', 'lease', 'connections'] as const;
export type ShutdownPhase = (typeof shutdownPhases)[number];

export interface LifecycleOptions {
  readonly clock?: Clock;
  readonly log?: Log;
}

/** What is missing, one or several things; nothing when well. */
type Check = () => string | readonly string[] | undefined;

interface Step {
  readonly phase: ShutdownPhase;
  readonly name: string;
  readonly stop: () => Promise<void>;
  readonly timeoutMs: number;
}

export class Lifecycle {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #steps: Step[] = [];
  readonly #checks = new Map<string, Check>();
  #stopping: Promise<void> | undefined;

  constructor(options: LifecycleOptions = {}) {
    this.#clock = options.clock ?? realClock;
    this.#log = options.log ?? noLog;
  }

  /** Registers what must end, and how long it may take. Steps of one phase end together. */
  onStop(phase: ShutdownPhase, name: string, stop: () => Promise<void>, timeoutMs = 5000): void {
    this.#steps.push({ phase, name, stop, timeoutMs });
  }

  /** Registers a readiness check. */
  addCheck(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  /** What keeps this process from being ready; empty when it is. */
  unready(): string[] {
    if (this.#stopping !== undefined) return ['shutting down'];
    const missing: string[] = [];
    for (const [name, check] of this.#checks) {
      const problems = check() ?? [];
      for (const problem of typeof problems === 'string' ? [problems] : problems)
        missing.push(`${name}: ${problem}`);
    }
    return missing;
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Ends everything in order; a step that fails or is late is logged and left behind. Calling it again waits for the same end. */
  stop(): Promise<void> {
    // Unready before the first step begins, not after its synchronous part.
    this.#stopping ??= Promise.resolve().then(() => this.#stopAll());
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const phase of shutdownPhases) {
      const steps = this.#steps.filter((step) => step.phase === phase);
      await Promise.all(steps.map((step) => this.#stopOne(step)));
    }
  }

  async #stopOne(step: Step): Promise<void> {
    const intime = new AbortController();
    const late = sleep(this.#clock, step.timeoutMs, intime.signal).then(() => 'late' as const);
    try {
      if ((await Promise.race([step.stop(), late])) === 'late')
        this.#log.warn('shutdown step is late, going on', { step: step.name, timeoutMs: step.timeoutMs });
    } catch (error) {
      this.#log.error('shutdown step failed', { step: step.name, error: messageOf(error) });
    } finally {
      intime.abort();
    }
  }
}

/** What this needs of `process`. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
}

/** Ends in order on the first SIGTERM or SIGINT and exits 0; a second one exits at once with 130. */
export function stopOnSignals(
  source: SignalSource,
  lifecycle: Lifecycle,
  exit: (code: number) => void,
): void {
  const onSignal = () => {
    if (lifecycle.stopping) exit(130);
    else void lifecycle.stop().then(() => exit(0));
  };
  source.on('SIGTERM', onSignal);
  source.on('SIGINT', onSignal);
}
