/** How long a pod stands by a node that is gone: not the five minutes that Kubernetes gives where nothing is said. */
import type { PodTemplateSpec } from '../../../kube/objects.ts';

type Toleration = NonNullable<PodTemplateSpec['spec']['tolerations']>[number];

/** Nothing of a pod is lost with it, and another takes seconds to start; a kubelet that restarts is away for less. */
const standBySeconds = 30;
const goneNode = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** What was asked for, and for a node that is gone our own answer, unless there is one. */
export function withNodeLoss(given: readonly Toleration[] = []): Toleration[] {
  const answers = ({ key, operator, effect }: Toleration, taint: string) =>
    (key === taint || (key === undefined && operator === 'Exists')) &&
    (effect === undefined || effect === 'NoExecute');
  const ours = goneNode
    .filter((taint) => !given.some((one) => answers(one, taint)))
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: standBySeconds }));
  return [...given.map((one) => ({ ...one })), ...ours];
}
