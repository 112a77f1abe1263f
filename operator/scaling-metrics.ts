/** `ballast_scaling_*`: what the scaling decisions in force are made of. What is unknown has no series, never a 0. */
import type { ModelDeployment } from '../crds/types.ts';
import type { FleetDecision } from './controllers/fleet-decision.ts';
import type { RuntimeSample } from './http/metrics.ts';
import { utilisationOf } from './model/status/scaling.ts';

interface Series {
  readonly name: string;
  readonly help: string;
  readonly read: (decision: FleetDecision) => number | 'unknown' | undefined;
}

const input = (key: string) => (decision: FleetDecision) => decision.why.inputs[key];

/** Every gauge with its meaning, `ballast_` left out; the reference page is made from this list. */
export const scalingSeries: readonly Series[] = [
  {
    name: 'scaling_desired_replicas',
    help: 'Replicas decided.',
    read: ({ replicas }) => replicas,
  },
  {
    name: 'scaling_needed_replicas',
    help: 'Replicas that the load would need if there were no limits.',
    read: ({ why }) => (why.inputs.minReplicas === undefined ? undefined : why.needed),
  },
  {
    name: 'scaling_headroom_replicas',
    help: 'Replicas that room is to be kept for, where scaling.headroom asks for it.',
    read: ({ headroom }) => headroom,
  },
  { name: 'scaling_min_replicas', help: 'Lower limit in effect.', read: input('minReplicas') },
  { name: 'scaling_max_replicas', help: 'Upper limit in effect.', read: input('maxReplicas') },
  {
    name: 'scaling_arrivals_per_second',
    help: 'Requests per second of the last ten seconds, refused ones too.',
    read: input('arrivalRate10s'),
  },
  {
    name: 'scaling_planned_arrivals_per_second',
    help: 'Requests per second that the count is sized for.',
    read: input('plannedRate'),
  },
  {
    name: 'scaling_forecast_arrivals_per_second',
    help: 'Requests per second expected by the time at which a pod asked for now is ready.',
    read: input('forecastRate'),
  },
  {
    name: 'scaling_service_seconds',
    help: 'Mean time that a pod works on a request.',
    read: ({ why }) => {
      const { serviceMs } = why.inputs;
      return typeof serviceMs === 'number' ? serviceMs / 1_000 : serviceMs;
    },
  },
  {
    name: 'scaling_wait_factor',
    help: 'Measured waits over predicted ones, as calm traffic taught it; none before.',
    read: input('waitFactor'),
  },
  {
    name: 'scaling_full_busy_ratio',
    help: 'Of their time, what requests made up in replicas at which others waited all the while, 0 to 1; none before there were any.',
    read: input('fullBusyShare'),
  },
  {
    name: 'scaling_refused_per_second',
    help: 'Requests refused or failed per second, while they are a part that matters and may come again.',
    read: input('refusedRate'),
  },
  {
    name: 'scaling_utilisation_ratio',
    help: 'How busy a ready replica would be at the planned rate, 0 to 1 and above where there are too few.',
    read: ({ why }) => utilisationOf(why),
  },
  {
    name: 'scaling_queue_length',
    help: 'Requests that wait, at gateways and in pods.',
    read: input('queueLength'),
  },
  { name: 'scaling_ready_pods', help: 'Ready pods as the decision saw them.', read: input('readyPods') },
  {
    name: 'scaling_fresh_pods',
    help: 'Of these, pods with a fresh reading: where many are missing, the count is not lowered.',
    read: input('freshPods'),
  },
  {
    name: 'scaling_startup_seconds',
    help: 'How long a new pod takes until it is ready (nine of ten are as quick): learned, or 20 until three were seen.',
    read: input('startupSeconds'),
  },
  {
    name: 'scaling_last_change_timestamp_seconds',
    help: 'When this operator process last changed the count, seconds since 1970; none before it did.',
    read: ({ lastChange }) => (lastChange === undefined ? undefined : lastChange.at / 1_000),
  },
];

/** Two gauges with a label more. */
export const labelledScalingSeries = [
  {
    name: 'scaling_reason',
    label: 'reason',
    help: 'Always 1: what decides at present, one word of `status.scaling.current.reason`.',
  },
  {
    name: 'scaling_limited',
    label: 'reason',
    help: 'Always 1: what keeps more replicas from running although they are needed; none while nothing does.',
  },
] as const;

/** The series of every ModelDeployment about which something is decided, without their prefix. */
export function scalingSamples(
  deployments: readonly ModelDeployment[],
  decisionOf: (uid: string) => FleetDecision | undefined,
): RuntimeSample[] {
  const samples: RuntimeSample[] = [];
  for (const { metadata } of deployments) {
    const decision = decisionOf(metadata.uid);
    if (decision === undefined) continue;
    const labels = { namespace: metadata.namespace, model_deployment: metadata.name };
    for (const { name, read } of scalingSeries) {
      const value = read(decision);
      if (typeof value === 'number' && Number.isFinite(value))
        samples.push({ name, kind: 'gauge', labels, value });
    }
    const { reason, limited } = decision.why;
    samples.push({ name: 'scaling_reason', kind: 'gauge', labels: { ...labels, reason }, value: 1 });
    if (limited !== undefined)
      samples.push({
        name: 'scaling_limited',
        kind: 'gauge',
        labels: { ...labels, reason: limited.reason },
        value: 1,
      });
  }
  return samples;
}
