/** What a pod that no node takes is short of, read from the scheduler's words. */

/** One reason of the scheduler's message: what is short, and on how many nodes. */
interface Shortage {
  readonly what: string;
  readonly nodes: number;
}

/**
 * Words of kube-scheduler's filters (1.25 to 1.36), the first match counts. What is not a resource's own name is one of the
 * words of the API: it is in the description of `status.pending.causes[].short`.
 */
const filters: readonly (readonly [RegExp, string])[] = [
  [/^Insufficient (\S+)/i, '$1'],
  [/^Too many pods/i, 'pods'],
  [/volume|persistent|\bpvc\b|storage ?class/i, 'volume'],
  [/untolerated taint|had taint/i, 'taint'],
  [/topology spread/i, 'spread'],
  [/affinity|selector|didn't match the requested node name/i, 'affinity'],
  [/free ports/i, 'ports'],
  [/resource ?claim|allocate all claims|devices?\b/i, 'device'],
  [/unschedulable/i, 'cordon'],
  [/no nodes available|^0\/0 nodes/i, 'node'],
];

/** Shortages that another node of the same kind heals; the rest is about where the pod may run. */
const isPlace = (what: string): boolean =>
  ['volume', 'taint', 'spread', 'affinity', 'ports', 'cordon', 'node', 'other'].includes(what);

function shortagesOf(message: string): Shortage[] {
  // What follows the first full stop is what preemption or device claims found about other pods.
  const own = message.trim().replace(/\.(\s.*)?$/s, '');
  const listed = /^\d+\/\d+ nodes are available:\s*(.*)$/is.exec(own)?.[1] ?? own;
  const found = new Map<string, number>();
  for (const part of listed.split(/[,;] (?=\d+ )/)) {
    const [, count, words = ''] = /^(?:(\d+) )?(.*)$/s.exec(part.trim()) ?? [];
    if (words === '') continue;
    const match = filters.map(([pattern, name]) => [pattern.exec(words), name] as const).find(([hit]) => hit);
    const what = match === undefined ? 'other' : match[1].replace('$1', match[0]?.[1] ?? '');
    found.set(what, (found.get(what) ?? 0) + Number(count ?? 1));
  }
  return [...found].map(([what, nodes]) => ({ what, nodes }));
}

/**
 * What is short, in one or a few words: resources before places, since a cluster's tainted nodes (its control plane) are
 * there all the time; several where as many nodes lack them, `cpu, memory`.
 */
export function shortOf(message: string): string {
  const all = shortagesOf(message);
  const resources = all.filter(({ what }) => !isPlace(what));
  const told = resources.length > 0 ? resources : all.filter(({ what }) => what !== 'other');
  const most = Math.max(0, ...told.map(({ nodes }) => nodes));
  const names = told.filter(({ nodes }) => nodes === most).map(({ what }) => what);
  return names.length === 0 ? 'other' : [...new Set(names)].sort().slice(0, 3).join(', ');
}

/** What to do about a shortage; `asked` is what one pod asks for, such as `4 cpu`. */
export function remedyFor(short: string, asked: (resource: string) => string | undefined): string {
  const [first = 'other'] = short.split(', ');
  switch (first) {
    case 'pods':
      return 'every node runs as many pods as it may: a node autoscaler adds a node, or add one';
    case 'node':
      return 'the cluster has no node: a node autoscaler adds one, or add one';
    case 'cordon':
      return 'the nodes with room are cordoned: uncordon one (kubectl uncordon), or add a node';
    case 'taint':
      return 'tolerate the taint in spec.runtime.pod.tolerations, or add a node without it';
    case 'affinity':
      return 'no node fits spec.runtime.pod.nodeSelector or affinity: correct them, or add a node that fits';
    case 'spread':
      return 'spec.runtime.pod.topologySpread with DoNotSchedule leaves no node: add one in the domain that lacks pods, or write ScheduleAnyway';
    case 'volume':
      return 'look at the claim (kubectl describe pvc): it is not bound, or only nodes without room reach its volume';
    case 'ports':
      return 'the port that the pod asks for on its node is taken everywhere: add a node';
    case 'device':
      return 'no node has the device that the pod claims: add one that has';
    case 'other':
      return 'kubectl describe pod tells more';
  }
  const each = asked(first);
  const size = each === undefined ? '' : ` (each pod asks for ${each} ${first})`;
  return `a node autoscaler adds a node${size}; without one add a node, free room, or lower spec.runtime.resources.requests`;
}
