/** Eviction: a deletion that PodDisruptionBudgets may refuse. */
import type { LabelSelector } from '../../kube/objects.ts';
import { type Core, storedOrThrow } from './core.ts';
import { type DeleteOptions, deleteObject } from './delete.ts';
import type { Kind } from './kind.ts';
import { type AnyObject, cloneJson, isJson, jsonAt, listAt, numberAt, textAt } from './object.ts';
import { labelSelectorMatch } from './selectors.ts';
import { internalError, tooManyRequests } from './status-error.ts';
import { timestamp } from './time.ts';

const collection = 'poddisruptionbudgets.policy';

const isReady = (pod: AnyObject) =>
  listAt(pod.status, 'conditions').some(
    (c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'True',
  );

/** Evicts a pod or throws the 429 that asks the caller to try later. */
export function evictPod(
  core: Core,
  pods: Kind,
  namespace: string,
  name: string,
  options: DeleteOptions,
): void {
  const pod = storedOrThrow(core, pods, namespace, name);
  const phase = textAt(pod.status, 'phase');
  const exempt =
    ['Succeeded', 'Failed', 'Pending'].includes(phase) || pod.metadata.deletionTimestamp !== undefined;
  const budgets = core.storage.list(collection, namespace).filter(([, budget]) => {
    const selector = jsonAt(budget, 'spec').selector;
    return isJson(selector) && labelSelectorMatch(selector as LabelSelector)(pod.metadata.labels ?? {});
  });
  if (!exempt && budgets.length > 1)
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  const entry = exempt ? undefined : budgets[0];
  if (entry !== undefined) spend(core, entry[0], entry[1], pod, options.dryRun ?? false);
  deleteObject(core, pods, namespace, name, options);
}

function spend(core: Core, key: string, budget: AnyObject, pod: AnyObject, dryRun: boolean): void {
  const always = textAt(budget.spec, 'unhealthyPodEvictionPolicy') === 'AlwaysAllow';
  const healthy = numberAt(budget.status, 'currentHealthy') ?? 0;
  const desired = numberAt(budget.status, 'desiredHealthy') ?? 0;
  // An unready pod serves nobody: it goes when the budget says so, or when enough others are healthy.
  if (!isReady(pod) && (always || (desired > 0 && healthy >= desired))) return;
  const stale = (numberAt(budget.status, 'observedGeneration') ?? 0) < (budget.metadata.generation ?? 0);
  const allowed = numberAt(budget.status, 'disruptionsAllowed') ?? 0;
  const refuse = (message: string) =>
    tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", stale ? 10 : 0, [
      { reason: 'DisruptionBudget', message },
    ]);
  const name = budget.metadata.name;
  if (stale) throw refuse(`The disruption budget ${name} is still being processed by the server.`);
  if (allowed <= 0)
    throw refuse(`The disruption budget ${name} needs ${desired} healthy pods and has ${healthy} currently`);
  if (dryRun) return;
  core.storage.put(collection, key, (resourceVersion) => {
    const draft = cloneJson(budget);
    const disrupted = {
      ...jsonAt(draft.status, 'disruptedPods'),
      [pod.metadata.name ?? '']: timestamp(core.clock),
    };
    draft.status = { ...jsonAt(draft, 'status'), disruptionsAllowed: allowed - 1, disruptedPods: disrupted };
    draft.metadata.resourceVersion = resourceVersion;
    return draft;
  });
}
