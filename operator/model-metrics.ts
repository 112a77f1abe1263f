/** Series about single ModelDeployments, read from their status: what is unknown there has no series, never a 0. */
import type { ModelDeployment } from '../crds/types.ts';
import type { RuntimeSample } from './http/metrics.ts';
import { conditionOf } from './model/status/conditions.ts';

/** Every gauge with its meaning, `ballast_` left out; the reference page is made from this list. */
export const modelSeries = [
  {
    name: 'available',
    label: undefined,
    help: '1 while something serves (asleep counts: the gateway holds who comes), 0 while nothing does although it should; none while nothing is asked for (the condition `Available`).',
  },
  {
    name: 'stalled',
    label: 'reason',
    help: 'Always 1: why what the spec asks for cannot be had, such as `ModelUnavailable`; none while nothing stalls (the condition `Stalled`).',
  },
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

/** Whether something serves; undefined where nobody asks for anything, or the operator has not looked yet. */
function availableOf({ status }: ModelDeployment): 0 | 1 | undefined {
  const found = conditionOf(status?.conditions, 'Available');
  if (found?.status === 'True') return 1;
  const isAskedFor = found?.reason !== 'Suspended' && status?.scaling?.desiredReplicas !== 0;
  return found?.status === 'False' && isAskedFor ? 0 : undefined;
}

/** The series of every ModelDeployment, without their prefix. */
export function modelSamples(deployments: readonly ModelDeployment[]): RuntimeSample[] {
  return deployments.flatMap((deployment) => {
    const { metadata, status } = deployment;
    const labels = { namespace: metadata.namespace, model_deployment: metadata.name };
    const gauge = (name: string, value: number, more: Record<string, string> = {}): RuntimeSample => ({
      name,
      kind: 'gauge',
      labels: { ...labels, ...more },
      value,
    });
    const available = availableOf(deployment);
    const stalled = conditionOf(status?.conditions, 'Stalled');
    const cost = Number(status?.cost?.perHour ?? Number.NaN);
    const waiting = Map.groupBy(status?.pending?.causes ?? [], ({ reason }) => reason);
    return [
      ...(available === undefined ? [] : [gauge('available', available)]),
      ...(stalled?.status === 'True' ? [gauge('stalled', 1, { reason: stalled.reason })] : []),
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
