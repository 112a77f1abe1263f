/** Two revisions that serve at once are sized apart: each has its own share of the requests, its own queue and its own speed. */
import {
  fewestSamples,
  type MeasuredService,
  measuredBy,
  type RevisionService,
  recentService,
  servicesOf,
  youngService,
} from './by-revision.ts';
import { batchOf, type Estimates, slotsOf } from './estimate.ts';
import { figure, seconds } from './explain.ts';
import { correctionsOf } from './learned.ts';
import { modelOf } from './load.ts';
import { type QueueModel, servesPerSecond } from './queueing.ts';
import type {
  GatewayObservation,
  Known,
  Learned,
  PodObservation,
  RevisionNeed,
  ScalingInput,
  ServiceEstimate,
} from './types.ts';

/** A revision that gets less of the requests than this does not serve yet, or no longer. */
const smallestShare = 0.001;
/** Without a gateway pods of both stand in one line: the slower ones count where they are slower by this. */
const slower = 1.1;

/** One of several revisions that serve at once. */
export interface ServingPart {
  readonly revision: string;
  /** Of the requests, 0 to 1. */
  readonly share: number;
  /** As it was measured, or is taken to be. */
  readonly service: ServiceEstimate;
  /** Of its own pods: service time, slots, batches, and what was learned of it. */
  readonly model: QueueModel;
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

/** What a revision's pods tell of their service times; what gateways saw of it where they tell of too few. */
function measuredOf(
  pods: readonly PodObservation[],
  byGateways: RevisionService | undefined,
): MeasuredService {
  const own = recentService(pods);
  if (own.count >= fewestSamples || byGateways === undefined || byGateways.samples <= own.count) return own;
  return measuredBy(byGateways);
}

/** What is known when revisions are told apart. */
export interface PartsFrom {
  readonly estimates: Estimates;
  readonly input: ScalingInput;
  readonly learned: Learned;
}

/** The revisions that serve at once, each with a model of its own; empty where one alone does, or nothing is known of its time. */
export function servingParts(
  usable: readonly PodObservation[],
  gateways: readonly GatewayObservation[],
  { estimates, input, learned }: PartsFrom,
): readonly ServingPart[] {
  const ready = usable.filter((pod) => pod.ready);
  const first = ready[0]?.revision;
  const { service: known } = estimates;
  if (known === 'unknown' || ready.every(({ revision }) => revision === first)) return [];
  const byRevision = Map.groupBy(ready, ({ revision }) => revision);
  const shares = sharesOf(byRevision, gateways);
  const seen = servicesOf([], gateways);
  const parts = [...byRevision].flatMap(([revision, pods]): ServingPart[] => {
    const share = shares.get(revision) ?? 0;
    if (share < smallestShare) return [];
    const byGateways = seen.find((one) => one.revision === revision);
    const service = youngService(measuredOf(pods, byGateways), known);
    const own = { slots: slotsOf(pods), batch: batchOf(pods), burstiness: estimates.burstiness };
    const corrections = revision === learned.revision ? correctionsOf(learned) : {};
    return [{ revision, share, service, model: { ...modelOf(service, own, input), ...corrections } }];
  });
  return parts.length > 1 ? parts : [];
}

/** What each needs for its share of a rate. `replicasAt` is the count that keeps the promise at a rate with a model. */
export const needsOf = (
  parts: readonly ServingPart[],
  ratePerSecond: number,
  replicasAt: (ratePerSecond: number, model: QueueModel) => number,
): readonly RevisionNeed[] =>
  parts.map(({ revision, share, service, model }) => ({
    revision,
    share,
    serviceMs: 1_000 * service.meanSeconds,
    replicas: replicasAt(share * ratePerSecond, model),
  }));

/** Whether they are two queues: `model` is that of the revision that serves, or served before. */
export function areApart(parts: readonly ServingPart[], model: Known<QueueModel>): boolean {
  if (parts.length === 0 || model === 'unknown') return false;
  if (model.balancing !== 'random') return true;
  // A Service spreads requests over the pods of both alike: only a difference in speed makes them two queues.
  return parts.some((part) => servesPerSecond(model) >= slower * servesPerSecond(part.model));
}

/** Replicas that all need together. */
export const sumOf = (needs: readonly RevisionNeed[]): number =>
  needs.reduce((sum, { replicas }) => sum + replicas, 0);

/** A model of all of them as one, for what a replica serves on average: each counts by its share of the requests. */
export function together(parts: readonly ServingPart[], model: QueueModel): QueueModel {
  if (parts.length === 0) return model;
  const perRequest = parts.reduce((sum, part) => sum + part.share / servesPerSecond(part.model), 0);
  return {
    ...model,
    service: { ...model.service, meanSeconds: perRequest * model.slots },
    slowdown: undefined,
  };
}

/** `revision a: 90% of the requests at 12ms need 8; revision b: …: 11 together`. */
export function apartSentence(needs: readonly RevisionNeed[], sum: number): string {
  const each = needs.map(
    ({ revision, share, serviceMs, replicas }) =>
      `revision ${revision}: ${figure(100 * share)}% of the requests at ${seconds(serviceMs / 1_000)} need ${replicas}`,
  );
  return `${each.join('; ')}: ${sum} together`;
}
