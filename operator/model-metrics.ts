/** Series about single ModelDeployments, read from their status: what is unknown there has no series, never a 0. */
import type { ModelDeployment } from '../crds/types.ts';
import type { RuntimeSample } from './http/metrics.ts';

/** `ballast_cost_per_hour` and `ballast_pods_pending`, without their prefix. */
export function modelSamples(deployments: readonly ModelDeployment[]): RuntimeSample[] {
  return deployments.flatMap(({ metadata, status }) => {
    const labels = { namespace: metadata.namespace, model_deployment: metadata.name };
    const gauge = (name: string, value: number, more: Record<string, string> = {}): RuntimeSample => ({
      name,
      kind: 'gauge',
      labels: { ...labels, ...more },
      value,
    });
    const cost = Number(status?.cost?.perHour ?? Number.NaN);
    const waiting = Map.groupBy(status?.pending?.causes ?? [], ({ reason }) => reason);
    return [
      ...(Number.isFinite(cost) ? [gauge('cost_per_hour', cost)] : []),
      ...[...waiting].map(([reason, causes]) =>
        gauge(
          'pods_pending',
          causes.reduce((sum, { pods }) => sum + pods, 0),
          { reason },
        ),
      ),
    ];
  });
}
