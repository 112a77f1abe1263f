/** `traffic.path: Auto`: the way is chosen once for a revision and what was promised of it, and kept after. Pure. */
import type { TrafficChoice } from '../../../crds/status.ts';
import type { ModelDeployment, RuntimeSpec } from '../../../crds/types.ts';
import { quantityNumber } from '../../../crds/values.ts';
import { resourcesOf } from '../desired/pod-template.ts';
import type { RevisionService } from '../scaling/by-revision.ts';
import { promise, seconds } from '../scaling/explain.ts';
import { scalingInputOf } from '../scaling/spec.ts';
import type { Why } from '../scaling/types.ts';
import type { OperatorDefaults, Snapshot } from '../snapshot.ts';
import { cutMessage, timestamp } from '../status/rounding.ts';
import { defaultGatewayResources } from './children.ts';
import { type HopFacts, weighHop } from './hop.ts';
import type { AutoPath } from './path.ts';
import type { WayMeasured } from './way-measured.ts';

/** Measured requests before the service time is believed: their mean is then within a fifth of the true one, mostly. */
const fewestRequests = 100;

/** Whether enough was measured for a choice, of all revisions together. */
export const isMeasured = ({ inputs: { serviceSamples = 0 } }: Pick<Why, 'inputs'>): boolean =>
  serviceSamples !== 'unknown' && serviceSamples >= fewestRequests;

/** What of the measurements a choice waits for: the fleet loop wakes the deployment when it changes. */
export const measuredTurn = (why: Pick<Why, 'inputs'>, way: WayMeasured | undefined): string =>
  [isMeasured(why), ...(way?.services ?? []).filter(isEnough).map(({ revision }) => revision)].join(' ');

const isEnough = ({ samples }: RevisionService) => samples >= fewestRequests;

/** Where no revision's own are known: those of all in the last five minutes, which so long after a rollout are the new one's. */
const serviceWindowMs = 300_000;

/** The gateway's pods where the operator's settings say nothing. */
const defaultGatewayPods = 2;

export interface AutoWay extends AutoPath {
  /** What status keeps; undefined where nothing was weighed yet, or nothing has to be. */
  readonly choice: TrafficChoice | undefined;
}

/** What a choice was made for beside the revision: where a person changes this, it is made anew. */
export function choiceBasis({ spec }: ModelDeployment): string {
  const { latency, maxReplicas } = scalingInputOf(spec);
  return `${latency.map(promise).join(', ')}; up to ${maxReplicas} replicas`;
}

const cpusOf = (resources: ReturnType<typeof resourcesOf>): number =>
  quantityNumber(resources.requests?.cpu ?? resources.limits?.cpu ?? '1');

/** CPUs that one replica asks for, and the gateway's pods together. */
export function cpusWeighed(
  runtime: RuntimeSpec | undefined,
  defaults: Pick<OperatorDefaults, 'resources' | 'gateway' | 'gatewayPods'>,
): Pick<HopFacts, 'cpuPerReplica' | 'gatewayCpus'> {
  const given = defaults.gateway?.resources;
  const gateway = resourcesOf(given === undefined ? undefined : { resources: given }, {
    resources: defaultGatewayResources,
  });
  return {
    cpuPerReplica: cpusOf(resourcesOf(runtime, defaults)),
    gatewayCpus: (defaults.gatewayPods ?? defaultGatewayPods) * cpusOf(gateway),
  };
}

/** Facts of the rollout that the choice turns on. */
export interface AutoFacts {
  /** Nothing of the spec that the choice reads is invalid. */
  readonly isValid: boolean;
  /** The revision that serves; undefined before the first one does. */
  readonly stable: string | undefined;
  readonly isRollingOut: boolean;
  /** Running number of the last rollout, 1 for the first. */
  readonly rollouts: number;
  readonly finishedAtMs: number | undefined;
}

const isFixed = (spec: ModelDeployment['spec']): boolean => spec.scaling.mode !== 'SLA';

/**
 * | spec                                    | measured              | chosen before        | way                    |
 * | path Gateway or Direct                  | any                   | any                  | not asked              |
 * | scaling.scaleToZero                     | any                   | any                  | Gateway                |
 * | mode Fixed or External                  | any                   | any                  | Direct: no pod saved   |
 * | one replica at most, or no latency      | any                   | any                  | Direct                 |
 * | else, or invalid                        | any                   | for this revision    | as chosen              |
 * | else                                    | too little of it      | for another          | as chosen then         |
 * | else                                    | too little            | never                | Direct, for now        |
 * | else                                    | 100 requests of it    | never, or for another| `weighHop`, kept       |
 *
 * "Of it": pods and gateways tell their service times by revision, so that a candidate's own are known when it becomes the one
 * that serves.
 */
export function autoWay(
  { deployment, scaling, defaults, nowMs }: Pick<Snapshot, 'deployment' | 'scaling' | 'defaults' | 'nowMs'>,
  facts: AutoFacts,
): AutoWay {
  const { spec, status } = deployment;
  const settled = (path: AutoWay['path'], why: string): AutoWay => ({ path, why, choice: undefined });
  const asked = spec.traffic?.path ?? 'Auto';
  if (asked !== 'Auto') return settled(asked, 'it is asked for');
  if (spec.scaling.scaleToZero !== undefined)
    return settled('Gateway', 'scaling.scaleToZero needs the gateway');
  if (isFixed(spec))
    return settled('Direct', `in scaling.mode ${spec.scaling.mode} the gateway saves no replica`);
  const before = status?.traffic?.choice;
  const keep = (choice: TrafficChoice): AutoWay => ({ path: choice.path, why: choice.message, choice });
  const unchosen = `the way is chosen when ${fewestRequests} requests of the revision that serves have been measured`;
  if (!facts.isValid) return before === undefined ? settled('Direct', unchosen) : keep(before);
  const { latency, maxReplicas } = scalingInputOf(spec);
  if (maxReplicas < 2 || latency.length === 0) {
    const service = { meanSeconds: 1, scv: 1 };
    const nothing = { service, slots: 1, latency, maxReplicas, cpuPerReplica: 1, gatewayCpus: 0 };
    return settled('Direct', weighHop(nothing).sentence);
  }
  const basis = choiceBasis(deployment);
  const { stable, isRollingOut, rollouts, finishedAtMs } = facts;
  if (before !== undefined && before.revision === stable && before.basis === basis) return keep(before);

  const inputs = scaling === 'unknown' ? {} : scaling.why.inputs;
  const known = (name: string) => {
    const value = inputs[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const [serviceMs, serviceScv] = ['serviceMs', 'serviceScv'].map(known);
  // Of a first revision every measurement is its own.
  const isItsOwn =
    (rollouts <= 1 && before === undefined) ||
    before?.revision === stable ||
    (finishedAtMs !== undefined && nowMs >= finishedAtMs + serviceWindowMs);
  const recent =
    isItsOwn && serviceMs !== undefined && serviceScv !== undefined && isMeasured({ inputs })
      ? { meanSeconds: serviceMs / 1_000, scv: serviceScv }
      : undefined;
  const own =
    scaling === 'unknown'
      ? undefined
      : scaling.way?.services.find((one) => one.revision === stable && isEnough(one));
  const service = recent ?? own;
  if (stable === undefined || isRollingOut || service === undefined || service.meanSeconds <= 0)
    return before === undefined ? settled('Direct', unchosen) : keep(before);

  const verdict = weighHop({
    service: { meanSeconds: service.meanSeconds, scv: service.scv },
    slots: known('slotsPerReplica') ?? 1,
    latency,
    maxReplicas,
    ...cpusWeighed(spec.runtime, defaults),
    hopCpuSeconds: scaling === 'unknown' ? undefined : scaling.way?.hopCpuSeconds,
  });
  const message = cutMessage(verdict.sentence, 384);
  return {
    path: verdict.path,
    why: message,
    choice: {
      path: verdict.path,
      revision: stable,
      basis,
      serviceTime: seconds(service.meanSeconds),
      time: timestamp(nowMs),
      message,
    },
  };
}
