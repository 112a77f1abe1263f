/** Series about single ModelDeployments, read from their status: what is unknown there has no series, never a 0. */
import type { ModelDeployment } from '../crds/types.ts';
import type { RuntimeSample } from './http/metrics.ts';

/** Every gauge with its meaning, `ballast_` left out; the reference page is made from this list. */
export const modelSeries = [
  {
    name: 'cost_per_hour',
    label: undefined,
    help: 'What its pods cost, in the unit of the prices (`cost.perReplicaHour`, or the nodes’ price label).',
  },
  {
    name: 'pods_pending',
    label: 'reason',
    help: 'Pods that are wanted and do not run yet, by what they wait for: `status.pending`.',
  },
] as const;

/** The series of every ModelDeployment, without their prefix. */
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
