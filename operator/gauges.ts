/** Figures that are read rather than told: ages of watches, pulls of the probe, the fleet loop's last round. */
import type { MetricsRegistry } from '../kube/metrics.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Reflector } from '../kube/reflector.ts';
import type { FleetLoop } from './controllers/fleet-loop.ts';
import type { Namespaces } from './controllers/namespaces.ts';
import type { Probe } from './probe/probe.ts';

/** Reads the gauges anew before each snapshot of `metrics`. */
export function collectGauges(
  metrics: MetricsRegistry,
  parts: {
    reflectors: readonly Reflector<KubeObject>[];
    namespaces: Namespaces;
    probe: Probe;
    fleet: FleetLoop;
  },
): void {
  metrics.onCollect(() => {
    for (const { type, namespace, idleMs } of parts.reflectors) {
      const where = namespace === undefined ? {} : { namespace };
      metrics.gauge('watch_last_activity_seconds', idleMs / 1000, { resource: type.plural, ...where });
    }
    for (const { namespace, isRead } of parts.namespaces.states())
      metrics.gauge('namespace_read', isRead ? 1 : 0, { namespace: namespace ?? '' });
    const { pulls, failures, inFlight, targets } = parts.probe.counts();
    metrics.gauge('probe_targets', targets);
    metrics.gauge('probe_pulls_in_flight', inFlight);
    metrics.count('probe_pulls_total', {}, pulls - metrics.value('probe_pulls_total'));
    for (const [reason, count] of Object.entries(failures))
      metrics.count(
        'probe_pull_failures_total',
        { reason },
        count - metrics.value('probe_pull_failures_total', { reason }),
      );
    const { durationMs, decided } = parts.fleet.lastRound();
    metrics.gauge('fleet_round_duration_seconds', durationMs / 1000);
    metrics.gauge('fleet_round_decisions', decided);
  });
}
