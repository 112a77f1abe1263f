/** Whether a pod fits the one node, and why not in the scheduler's words. Pure. */
import type { Container, LabelSelector, Pod } from '../../kube/objects.ts';
import type { Node } from './kinds.ts';
import { isFinished } from './pod-state.ts';
import { amountOf } from './quantity.ts';
import { selects } from './selector.ts';

type Amounts = Map<string, number>;

const requestsOf = (container: Container): Amounts => {
  const amounts: Amounts = new Map();
  // A limit without a request asks for the limit, as the API server's defaults do.
  for (const [name, value] of Object.entries({
    ...container.resources?.limits,
    ...container.resources?.requests,
  }))
    amounts.set(name, amountOf(value) ?? 0);
  return amounts;
};

/** What a pod asks of its node: the sum of its containers, or its largest init container when that is more. */
export function podRequests(pod: Pod): Amounts {
  const sum: Amounts = new Map();
  for (const container of pod.spec.containers)
    for (const [name, amount] of requestsOf(container)) sum.set(name, (sum.get(name) ?? 0) + amount);
  for (const container of pod.spec.initContainers ?? [])
    for (const [name, amount] of requestsOf(container)) sum.set(name, Math.max(sum.get(name) ?? 0, amount));
  return sum;
}

interface Term {
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

function meetsTerm(term: Term, labels: Record<string, string>): boolean {
  const expressions = term.matchExpressions ?? [];
  return (
    expressions.length > 0 &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      if (operator === 'Gt') return Number(value) > Number(values[0]);
      if (operator === 'Lt') return Number(value) < Number(values[0]);
      return false;
    })
  );
}

function matchesNode(pod: Pod, labels: Record<string, string>): boolean {
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
    if (labels[key] !== value) return false;
  const affinity = pod.spec.affinity as
    | { nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: Term[] } } }
    | undefined;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || (required.nodeSelectorTerms ?? []).some((term) => meetsTerm(term, labels));
}

interface PodTerm {
  labelSelector?: LabelSelector;
  namespaces?: string[];
  topologyKey?: string;
}
interface PodRules {
  requiredDuringSchedulingIgnoredDuringExecution?: PodTerm[];
}

/** Required rules about other pods. There is one node, so every pod of it shares every topology that the node has. */
function brokenPodRule(pod: Pod, placed: readonly Pod[]): string | undefined {
  const { podAffinity, podAntiAffinity } = (pod.spec.affinity ?? {}) as {
    podAffinity?: PodRules;
    podAntiAffinity?: PodRules;
  };
  const meets = (term: PodTerm, of: Pod, other: Pod) =>
    (term.namespaces ?? [of.metadata.namespace]).includes(other.metadata.namespace) &&
    selects(term.labelSelector, other.metadata.labels);
  // The first pod of a group may come although nobody is there yet.
  for (const term of podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
    if (!placed.some((other) => meets(term, pod, other)) && !meets(term, pod, pod))
      return "1 node(s) didn't match pod affinity rules";
  for (const term of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
    if (placed.some((other) => meets(term, pod, other)))
      return "1 node(s) didn't match pod anti-affinity rules";
  for (const other of placed) {
    const rules = (other.spec.affinity as { podAntiAffinity?: PodRules } | undefined)?.podAntiAffinity;
    for (const term of rules?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
      if (meets(term, other, pod)) return "1 node(s) didn't satisfy existing pods anti-affinity rules";
  }
  return undefined;
}

/** Undefined when the pod fits; else the message of its PodScheduled condition. */
export function whyUnfit(pod: Pod, node: Node, placed: readonly Pod[]): string | undefined {
  if (!matchesNode(pod, node.metadata.labels ?? {}))
    return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
  if (node.spec?.unschedulable === true) return '0/1 nodes are available: 1 node(s) were unschedulable.';
  const others = placed.filter((other) => !isFinished(other) && other.metadata.uid !== pod.metadata.uid);
  const broken = brokenPodRule(pod, others);
  if (broken !== undefined) return `0/1 nodes are available: ${broken}.`;
  const allocatable = node.status?.allocatable ?? {};
  const used: Amounts = new Map();
  for (const other of others)
    for (const [name, amount] of podRequests(other)) used.set(name, (used.get(name) ?? 0) + amount);
  const short: string[] = [];
  if (others.length + 1 > (amountOf(allocatable.pods) ?? 0)) short.push('1 Too many pods');
  for (const [name, amount] of podRequests(pod)) {
    const free = (amountOf(allocatable[name]) ?? 0) - (used.get(name) ?? 0);
    // A millionth of a core lost to binary fractions is no shortage.
    if (amount > free + 1e-6) short.push(`1 Insufficient ${name}`);
  }
  return short.length === 0 ? undefined : `0/1 nodes are available: ${short.join(', ')}.`;
}
