/** What a ModelDeployment costs per hour: the share of each node that its pods ask for, times the node's price. Pure. */
import { quantityNumber } from '../../crds/values.ts';
import type { KubeObject, Pod, PodTemplateSpec } from '../../kube/objects.ts';

/** What is read of a node. */
export interface NodeObject extends KubeObject {
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> };
}

export interface NodeFacts {
  /** Price per hour by the node's label; undefined where it has none, or one that is no number. */
  readonly price: number | undefined;
  /** What its pods may ask for together; undefined where the node does not say. */
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
}

/** The nodes of a ModelDeployment's pods, or why they are unknown. */
export type NodesReading =
  | { readonly unread: string }
  | { readonly priceLabel: string; readonly byName: ReadonlyMap<string, NodeFacts> };

const pricePattern = /^[0-9]{1,9}(\.[0-9]{1,12})?$/;

function quantity(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    const value = quantityNumber(text);
    return value > 0 ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Price and size of a node. */
export function nodeFactsOf(node: NodeObject, priceLabel: string): NodeFacts {
  const label = node.metadata.labels?.[priceLabel];
  const { cpu, memory } = node.status?.allocatable ?? {};
  return {
    price: label !== undefined && pricePattern.test(label) ? Number(label) : undefined,
    cpu: quantity(cpu),
    memory: quantity(memory),
  };
}

/** What the scheduler counts for a pod: its containers together, or its largest init container, whichever is more. */
export function requestOf(template: PodTemplateSpec | undefined, resource: 'cpu' | 'memory'): number {
  const of = (container: { resources?: { requests?: Record<string, string> } }) =>
    quantity(container.resources?.requests?.[resource]) ?? 0;
  const { containers = [], initContainers = [] } = template?.spec ?? {};
  const together = containers.reduce((sum, container) => sum + of(container), 0);
  return Math.max(together, ...initContainers.map(of));
}

/** One pod that has a node, with the template that it was made from. */
export interface PlacedPod {
  readonly node: string;
  readonly template: PodTemplateSpec | undefined;
}

export interface Cost {
  /** Of all pods that have a node. */
  readonly perHour: number | 'unknown';
  readonly perReplicaHour: number | 'unknown';
  readonly source: 'Spec' | 'NodePrice' | 'Unknown';
  readonly message: string;
  /** A node that the cache has not seen yet: it is looked at again soon. */
  readonly again: boolean;
}

/** Pods that hold a part of a node: placed and not ended. Those that are ending hold it until they are gone. */
export const isHolding = (pod: Pod): boolean =>
  pod.spec.nodeName !== undefined && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';

const pods = (count: number) => (count === 1 ? '1 pod' : `${count} pods`);

const way = 'or write spec.cost.perReplicaHour';

/**
 * | spec.cost.perReplicaHour | nodes        | every pod's node has price and size | cost               |
 * | written                  | any          | any                                 | that, for each pod |
 * | absent                   | not read     | –                                   | unknown, with why  |
 * | absent                   | read         | no                                  | unknown, with why  |
 * | absent                   | read         | yes                                 | the sum of shares  |
 *
 * A pod's share of a node is the larger of its share of the CPU and of the memory: the smaller one is of no use to others.
 * What is unknown of one pod makes the sum unknown: half a sum would read as a low price.
 */
export function costOf(
  perReplicaHour: string | undefined,
  placed: readonly PlacedPod[],
  nodes: NodesReading | undefined,
): Cost {
  const unknown = (message: string, again = false): Cost => ({
    perHour: placed.length === 0 ? 0 : 'unknown',
    perReplicaHour: 'unknown',
    source: 'Unknown',
    message,
    again,
  });
  if (perReplicaHour !== undefined) {
    const each = Number(perReplicaHour);
    const message = `${pods(placed.length)} at spec.cost.perReplicaHour`;
    return { perHour: each * placed.length, perReplicaHour: each, source: 'Spec', message, again: false };
  }
  if (nodes === undefined || 'unread' in nodes)
    return unknown(`${nodes?.unread ?? 'nodes are not read'}; ${way}`);
  const { priceLabel, byName } = nodes;
  if (placed.length === 0) return unknown('no pod has a node');
  const missing = placed.find(({ node }) => !byName.has(node));
  if (missing !== undefined) return unknown(`node ${missing.node} is not known yet`, true);
  const priceless = placed.filter(({ node }) => byName.get(node)?.price === undefined);
  if (priceless.length > 0)
    return unknown(
      `${pods(priceless.length)} of ${placed.length} run on nodes without a price in the label ${priceLabel} (node ${priceless[0]?.node}): label the nodes, ${way}`,
    );
  let perHour = 0;
  for (const { node, template } of placed) {
    const { price = 0, cpu, memory } = byName.get(node) ?? {};
    const [asksCpu, asksMemory] = [requestOf(template, 'cpu'), requestOf(template, 'memory')];
    if (asksCpu + asksMemory === 0)
      return unknown(`the pods ask for no cpu and no memory: set spec.runtime.resources.requests, ${way}`);
    if (cpu === undefined || memory === undefined)
      return unknown(`node ${node} does not tell its allocatable cpu and memory; ${way}`);
    perHour += price * Math.min(1, Math.max(asksCpu / cpu, asksMemory / memory));
  }
  const count = new Set(placed.map(({ node }) => node)).size;
  return {
    perHour,
    perReplicaHour: perHour / placed.length,
    source: 'NodePrice',
    message: `${pods(placed.length)} on ${count === 1 ? '1 node' : `${count} nodes`}, each at its share of the price in the node label ${priceLabel}`,
    again: false,
  };
}
