/** The probes of one running container: thresholds, periods, and the startup probe that holds the others back. */
import type { Clock } from '../../kube/clock.ts';
import { sleep } from '../../kube/clock.ts';
import type { Container, Probe } from '../../kube/objects.ts';
import type { CheckResult } from './probe-check.ts';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export interface ProbeHost {
  readonly clock: Clock;
  check(probe: Probe): Promise<CheckResult>;
  /** The startup probe passed, or there is none. */
  onStarted(): void;
  onReady(ready: boolean): void;
  /** Liveness or startup failed as often as allowed: the container must be restarted. */
  onKill(kind: ProbeKind, probe: Probe): void;
  onFailure(kind: ProbeKind, output: string): void;
}

/**
 * A process that starts is not ready for some 100 ms. Within the first period it is asked again soon, so that this does not
 * cost a whole period; the first failure counts at the period's end. The kubelet does not do this; only the waiting differs.
 */
const eagerMs = 100;

/** Runs until the signal aborts. Readiness goes on while a pod is being ended; liveness and startup do not. */
export function runProbes(
  container: Container,
  host: ProbeHost,
  stop: AbortSignal,
  ending: AbortSignal,
): void {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  const begin = () => {
    host.onStarted();
    if (readinessProbe === undefined) host.onReady(true);
    else
      void loop('readiness', readinessProbe, host, stop, (passed) => {
        host.onReady(passed);
        return false;
      });
    if (livenessProbe !== undefined)
      void loop('liveness', livenessProbe, host, either(stop, ending), (passed) => {
        if (!passed) host.onKill('liveness', livenessProbe);
        return !passed;
      });
  };
  if (startupProbe === undefined) begin();
  else
    void loop('startup', startupProbe, host, either(stop, ending), (passed) => {
      if (passed) begin();
      else host.onKill('startup', startupProbe);
      return true;
    });
}

function either(a: AbortSignal, b: AbortSignal): AbortSignal {
  return AbortSignal.any([a, b]);
}

/** Calls `decided` when the threshold of either side is reached; ends when it returns true. */
async function loop(
  kind: ProbeKind,
  probe: Probe,
  host: ProbeHost,
  stop: AbortSignal,
  decided: (passed: boolean) => boolean,
): Promise<void> {
  const { clock } = host;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const successThreshold = probe.successThreshold ?? 1;
  const failureThreshold = probe.failureThreshold ?? 3;
  const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
  if (delayMs > 0) await sleep(clock, delayMs, stop);
  // A command costs a process each time, and liveness must not be asked too early.
  let eager = kind !== 'liveness' && probe.exec === undefined;
  let last: boolean | undefined;
  let run = 0;
  while (!stop.aborted) {
    const nextMs = clock.monotonicMs() + periodMs;
    let result = await host.check(probe);
    while (eager && !result.ok && clock.monotonicMs() + eagerMs < nextMs) {
      await sleep(clock, eagerMs, stop);
      if (stop.aborted) return;
      result = await host.check(probe);
    }
    eager = false;
    if (stop.aborted) return;
    run = result.ok === last ? run + 1 : 1;
    last = result.ok;
    if (!result.ok) host.onFailure(kind, result.output);
    if (run >= (result.ok ? successThreshold : failureThreshold) && decided(result.ok)) return;
    await sleep(clock, nextMs - clock.monotonicMs(), stop);
  }
}
