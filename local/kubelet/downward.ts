/** The downward API: a pod's own fields and resources as text. Pure. */
import type { Container, Pod } from '../../kube/objects.ts';
import { amountOf } from '../controllers/quantity.ts';

export interface DownwardSources {
  readonly pod: Pod;
  readonly podIP: string;
  readonly hostIP: string;
  readonly allocatable: Readonly<Record<string, string>>;
}

/** All labels or annotations as a downward file writes them. */
function pairs(values: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(values ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** Text of a `fieldRef`; undefined for a path that the downward API does not have. */
export function fieldValue(path: string, sources: DownwardSources): string | undefined {
  const { metadata, spec } = sources.pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript !== null) {
    const values = subscript[1] === 'labels' ? metadata.labels : metadata.annotations;
    return values?.[subscript[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return pairs(metadata.labels);
    case 'metadata.annotations':
      return pairs(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? 'default';
    case 'status.podIP':
    case 'status.podIPs':
      return sources.podIP;
    case 'status.hostIP':
    case 'status.hostIPs':
      return sources.hostIP;
    default:
      return undefined;
  }
}

/** Text of a `resourceFieldRef`: rounded up to whole divisors, an absent limit is the node's. */
export function resourceValue(
  reference: { containerName?: string; resource: string; divisor?: string },
  container: Container | undefined,
  sources: DownwardSources,
): string | undefined {
  const match = /^(limits|requests)\.(cpu|memory|ephemeral-storage)$/.exec(reference.resource);
  if (match === null) return undefined;
  const name = match[2] ?? '';
  const all = [...sources.pod.spec.containers, ...(sources.pod.spec.initContainers ?? [])];
  const from =
    reference.containerName === undefined ? container : all.find((c) => c.name === reference.containerName);
  if (from === undefined) return undefined;
  const limit = from.resources?.limits?.[name];
  const wanted =
    match[1] === 'limits'
      ? (limit ?? sources.allocatable[name])
      : (from.resources?.requests?.[name] ?? limit ?? '0');
  const amount = amountOf(wanted);
  const divisor = amountOf(reference.divisor);
  if (amount === undefined) return undefined;
  // "0" is what an omitted divisor becomes on its way through the API.
  const parts = amount / (divisor === undefined || divisor === 0 ? 1 : divisor);
  return String(Math.ceil(parts - 1e-6));
}
