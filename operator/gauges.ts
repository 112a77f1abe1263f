/** Figures that are read rather than told: ages of watches, pulls of the probe, the fleet loop's last round. */
import type { MetricsRegistry } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Reflector } from '../kube/reflector.ts';
import type { FleetLoop } from './controllers/fleet-loop.ts';
import type { Probe } from './probe/probe.ts';

/** Reads the gauges anew before each snapshot of `metrics`. */
export function collectGauges(
  metrics: MetricsRegistry,
  parts: { reflectors: readonly Reflector<KubeObject>[]; probe: Probe; fleet: FleetLoop },
): void {
  metrics.onCollect(() => {
    for (const { type, idleMs } of parts.reflectors)
      metrics.gauge('watch_last_activity_seconds', idleMs / 1000, { resource: type.plural });
    const { pulls, failures, inFlight, targets } = parts.probe.counts();
    metrics.gauge('probe_targets', targets);
    metrics.gauge('probe_pulls_in_flight', inFlight);
    metrics.gauge('probe_pulls', pulls);
    for (const [reason, count] of Object.entries(failures))
      metrics.gauge('probe_pull_failures', count, { reason });
    const { durationMs, decided } = parts.fleet.lastRound();
    metrics.gauge('fleet_round_duration_seconds', durationMs / 1000);
    metrics.gauge('fleet_round_decisions', decided);
  });
}
