/** Two revisions that serve at once are sized apart: each has its own share of the requests, its own queue and its own speed. */
import { figure, seconds } from './explain.ts';
import type { QueueModel } from './queueing.ts';
import type { GatewayObservation, PodObservation, RevisionNeed, ServiceEstimate } from './types.ts';

/** With fewer measured requests a revision is taken to be as fast as all together. */
const fewestSamples = 30;
/** A revision that gets less of the requests than this does not serve yet, or no longer. */
const smallestShare = 0.001;
/** Without a gateway pods of both stand in one line: the slower ones count where they are slower by this. */
const slower = 1.1;

/** Mean and spread of a revision's own service times, of the seconds that its pods still tell of. */
function serviceOf(pods: readonly PodObservation[]): ServiceEstimate | undefined {
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (const { reading } of pods) {
    if (reading === 'unknown') continue;
    const told = reading.report.seconds;
    for (let index = told.length - 1; index >= 0; index -= 1) {
      const second = told.at(index);
      if (second === undefined) continue;
      count += second.serviceCount;
      sum += second.serviceSumSeconds;
      squares += second.serviceSumSquares;
    }
  }
  if (count < fewestSamples || sum <= 0) return undefined;
  const meanSeconds = sum / count;
  return { meanSeconds, scv: Math.min(16, Math.max(0, squares / count / meanSeconds ** 2 - 1)) };
}

/** Shares as the gateways' routes ask them; where no gateway tells, each pod gets as much as any other. */
function sharesOf(
  byRevision: ReadonlyMap<string, readonly PodObservation[]>,
  gateways: readonly GatewayObservation[],
): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  const told = gateways.flatMap(({ report }) => report.models[0]?.revisions ?? []);
  for (const [revision, pods] of byRevision) {
    const weight = told.find((one) => one.revision === revision)?.weight ?? 0;
    weights.set(revision, told.length > 0 ? weight : pods.length);
  }
  const sum = [...weights.values()].reduce((all, one) => all + one, 0);
  return new Map([...weights].map(([revision, weight]) => [revision, sum > 0 ? weight / sum : 0]));
}

/**
 * What each revision needs for its share of a rate; empty where one alone serves. `replicasAt` is the count that keeps the
 * promise at a rate with a model.
 */
export function sizedApart(
  usable: readonly PodObservation[],
  gateways: readonly GatewayObservation[],
  ratePerSecond: number,
  model: QueueModel,
  replicasAt: (ratePerSecond: number, model: QueueModel) => number,
): readonly RevisionNeed[] {
  const ready = usable.filter((pod) => pod.ready);
  const first = ready[0]?.revision;
  if (ready.every(({ revision }) => revision === first)) return [];
  const byRevision = Map.groupBy(ready, ({ revision }) => revision);
  const shares = sharesOf(byRevision, gateways);
  const needs = [...byRevision].flatMap(([revision, pods]): RevisionNeed[] => {
    const share = shares.get(revision) ?? 0;
    if (share < smallestShare) return [];
    const service = serviceOf(pods) ?? model.service;
    return [
      {
        revision,
        share,
        serviceMs: 1_000 * service.meanSeconds,
        replicas: replicasAt(share * ratePerSecond, { ...model, service }),
      },
    ];
  });
  return needs.length > 1 ? needs : [];
}

/** Replicas that all need together; 0 where they are not to be told apart. */
export function apartSum(needs: readonly RevisionNeed[], model: QueueModel): number {
  const slowest = needs.reduce((most, { serviceMs }) => Math.max(most, serviceMs), 0);
  // A Service spreads requests over the pods of both alike: only a difference in speed makes them two queues.
  if (model.balancing === 'random' && slowest < slower * 1_000 * model.service.meanSeconds) return 0;
  return needs.reduce((sum, { replicas }) => sum + replicas, 0);
}

/** `revision a: 90% of the requests at 12ms need 8; revision b: …: 11 together`. */
export function apartSentence(needs: readonly RevisionNeed[], sum: number): string {
  const each = needs.map(
    ({ revision, share, serviceMs, replicas }) =>
      `revision ${revision}: ${figure(100 * share)}% of the requests at ${seconds(serviceMs / 1_000)} need ${replicas}`,
  );
  return `${each.join('; ')}: ${sum} together`;
}
