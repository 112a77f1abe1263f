/** Which namespaces an installation claims, and what people hear of those that it does not get. */
import { groupVersion, kind } from '../../crds/constants.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../kube/clock.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Log } from '../../kube/log.ts';
import type { MetricsRegistry } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { apiVersionOf, resources } from '../../kube/resource.ts';
import type { Caches } from '../controllers/caches.ts';
import { type ClaimProblem, Claims, claimName } from './claims.ts';

export interface ClaimedNamespacesOptions {
  readonly api: KubeApi;
  readonly installation: string;
  /** Namespaces by name; none: each namespace that has a ModelDeployment. */
  readonly namespaces: readonly string[];
  readonly modelDeployments: Pick<Caches['modelDeployments'], 'store' | 'onChange'>;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  readonly onHeld: (namespace: string) => void;
}

/** The Event's reason. */
const eventReason = 'NamespaceNotClaimed';
const type = { apiVersion: groupVersion, kind };
const leaseIn = (namespace: string): KubeObject => ({
  apiVersion: apiVersionOf(resources.leases),
  kind: resources.leases.kind,
  metadata: { namespace, name: claimName },
});

/** A refusal is told at the ModelDeployments that wait for it, though not at all of a large namespace. */
const maxTold = 10;

/** Makes the claims; nothing is asked before they are started. */
export function claimNamespaces(options: ClaimedNamespacesOptions): Claims {
  const { api, installation, namespaces, modelDeployments, recorder, clock, log, metrics, onHeld } = options;
  const tell = (about: KubeObject, { message }: ClaimProblem) =>
    recorder.record(about, { type: 'Warning', reason: eventReason, message });
  const claims = new Claims({
    api,
    installation,
    clock,
    random: Math.random,
    log,
    observer: metrics,
    onHeld,
    onProblem: (namespace, problem) => {
      // Of a namespace that another installation serves, its users need no warning at their models.
      if (problem.kind === 'taken') tell(leaseIn(namespace), problem);
      if (problem.kind !== 'refused') return;
      const waiting = modelDeployments.store
        .list()
        .filter(({ metadata }) => metadata.namespace === namespace);
      for (const deployment of waiting.slice(0, maxTold)) tell({ ...deployment, ...type }, problem);
    },
  });
  const counts = new Map<string, number>();
  modelDeployments.onChange(({ type: change, object }) => {
    if (change === 'updated') return;
    const { namespace } = object.metadata;
    const count = (counts.get(namespace) ?? 0) + (change === 'added' ? 1 : -1);
    counts.set(namespace, count);
    const problem = claims.problemOf(namespace);
    if (change === 'added' && problem?.kind === 'refused') tell({ ...object, ...type }, problem);
    if (namespaces.length > 0) return;
    if (count > 0) claims.want(namespace);
    else claims.unwant(namespace);
  });
  for (const namespace of namespaces) claims.want(namespace);
  const told = new Set<string>();
  metrics.onCollect(() => {
    const states = claims.states();
    metrics.gauge('claims_held', states.filter(({ held }) => held).length);
    metrics.gauge('claims_wanted', states.length);
    // One series for each listed namespace; of a whole cluster only for those that somebody else has.
    for (const { namespace, held, problem } of states)
      if (namespaces.length > 0 || problem !== undefined || told.has(namespace)) {
        told.add(namespace);
        metrics.gauge('claim_held', held ? 1 : 0, { namespace });
      }
  });
  return claims;
}

/**
 * What /readyz says: an installation for named namespaces is not ready without them, one for the whole cluster is. Until the
 * answer is known it is not ready either, else `helm --wait` takes a second installation for a good one.
 */
export const claimProblems = (claims: Claims, namespaces: readonly string[]): string[] =>
  namespaces.length === 0
    ? []
    : claims.states().flatMap(({ namespace, held, problem }) => {
        if (problem !== undefined) return [problem.message];
        return held ? [] : [`namespace ${namespace} is not claimed yet`];
      });
