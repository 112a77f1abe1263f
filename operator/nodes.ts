/** What is read of nodes for the cost of pods, and the wake-up of whom a changed price concerns. */
import type { Pod } from '../kube/objects.ts';
import type { Reflector } from '../kube/reflector.ts';
import type { ObjectKey } from '../kube/resource.ts';
import { type NodeObject, type NodesReading, nodeFactsOf } from './model/cost.ts';

/** Makes the reader of nodes for `gather`; `reflector` is undefined where the settings say that nodes are not to be read. */
export function nodesReader(
  reflector: Reflector<NodeObject> | undefined,
  priceLabel: string,
): (pods: readonly Pod[]) => NodesReading {
  return (pods) => {
    if (reflector === undefined)
      return { unread: 'the operator does not read nodes (chart value nodes.read, setting --read-nodes)' };
    if (reflector.fault !== undefined && !reflector.synced)
      return { unread: 'the API server refuses the operator the nodes: grant get, list and watch on nodes' };
    if (!reflector.synced) return { unread: 'the nodes are being read' };
    const byName = new Map(
      pods.flatMap(({ spec: { nodeName } }) => {
        const node = nodeName === undefined ? undefined : reflector.store.get(nodeName as ObjectKey);
        return node === undefined || nodeName === undefined
          ? []
          : [[nodeName, nodeFactsOf(node, priceLabel)] as const];
      }),
    );
    return { priceLabel, byName };
  };
}

/** Calls `wake` with each pod of a node whose price or size changed: nodes are labelled after their pods came, too. */
export function followPrices(
  reflector: Reflector<NodeObject>,
  priceLabel: string,
  pods: () => readonly Pod[],
  wake: (pod: Pod) => void,
): void {
  const told = (node: NodeObject) => Object.values(nodeFactsOf(node, priceLabel)).join(' ');
  reflector.onChange(({ type, object, previous }) => {
    // At the first list everything is new and reconciled anyway; a node that goes takes its pods along, which tell it.
    if (type === 'deleted' || !reflector.synced) return;
    if (previous !== undefined && told(previous) === told(object)) return;
    for (const pod of pods()) if (pod.spec.nodeName === object.metadata.name) wake(pod);
  });
}
