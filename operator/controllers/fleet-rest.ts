/** Whether a ModelDeployment rests: a new decision would be the one in force, so none is made. */
import type { ModelDeployment } from '../../crds/types.ts';
import type { ReplicaFacts } from '../model/scaling/facts.ts';
import type { Measured } from '../model/scaling/measured.ts';
import type { PodObservation } from '../model/scaling/types.ts';
import type { GatewayReadings } from '../probe/gateway-probe.ts';

/**
 * A deployment at rest (no request in ten seconds, as many replicas as decided) of which nothing is new is decided again
 * only after this: in a large fleet nearly all are.
 */
const restMs = 4_500;

/** The inputs of a decision, to tell whether anything of them is new. */
export interface Seen {
  readonly atMs: number;
  readonly deployment: ModelDeployment;
  readonly facts: ReplicaFacts;
  readonly pods: readonly PodObservation[];
  readonly gateways: GatewayReadings | undefined;
}

/** Another answer of a gateway is no news while nobody asked anything in between and nothing waits. */
const sameGateways = (one: GatewayReadings | undefined, other: GatewayReadings | undefined) =>
  one === other ||
  (one?.expected === other?.expected &&
    one?.gateways.length === other?.gateways.length &&
    (one?.gateways ?? []).every(({ report }, index) => {
      const like = other?.gateways[index]?.report;
      const [load] = report.models;
      const [likeLoad] = like?.models ?? [];
      return (
        report.instance === like?.instance &&
        load?.counters.arrivals === likeLoad?.counters.arrivals &&
        load?.queueLength === 0
      );
    }));

const sameFacts = (one: ReplicaFacts, other: ReplicaFacts) =>
  one.replicas === other.replicas &&
  one.startingReplicas === other.startingReplicas &&
  one.crashingReplicas === other.crashingReplicas &&
  one.blockedReplicas === other.blockedReplicas &&
  one.rolloutInProgress === other.rolloutInProgress;

/** Another answer of the same process is no news either while nobody asked anything in between. */
const sameReading = (one: PodObservation['reading'], other: PodObservation['reading']) =>
  one === other ||
  (one !== 'unknown' &&
    other !== 'unknown' &&
    one.report.instance === other.report.instance &&
    one.report.counters.arrivals === other.report.counters.arrivals &&
    one.report.queueLength === 0 &&
    one.report.inFlight === 0);

const samePods = (one: readonly PodObservation[], other: readonly PodObservation[]) =>
  one.length === other.length &&
  one.every((pod, index) => {
    const like = other[index];
    return pod.pod === like?.pod && pod.ready === like.ready && sameReading(pod.reading, like.reading);
  });

/** Whether a new decision would be the one in force: nothing happens, and nothing is new since `before`. */
export function isAtRest(
  before: Seen | undefined,
  now: Seen,
  decision: { readonly replicas: number; readonly measured: Pick<Measured, 'requestRate'> } | undefined,
): boolean {
  if (before === undefined || decision === undefined || now.atMs - before.atMs >= restMs) return false;
  const { requestRate } = decision.measured;
  return (
    (requestRate === 0 || requestRate === 'unknown') &&
    decision.replicas === now.facts.replicas &&
    now.deployment === before.deployment &&
    sameFacts(now.facts, before.facts) &&
    samePods(now.pods, before.pods) &&
    sameGateways(now.gateways, before.gateways)
  );
}
