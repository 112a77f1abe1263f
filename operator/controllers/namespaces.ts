/** In which namespaces the caches are whole, and why they are not in the others. */
import { isForbidden, isNotFound } from '../../kube/errors.ts';
import { messageOf } from '../../kube/log.ts';
import type { Reflector } from '../../kube/reflector.ts';
import type { Scope } from '../../kube/reflector-group.ts';
import { type Caches, groupsOf } from './caches.ts';
import { rbacName } from './kinds.ts';

type Part = Pick<Reflector, 'type' | 'synced' | 'stalled' | 'fault'>;

/** What is wrong with the reading of one namespace (undefined: of all of them), for people; undefined when nothing is. */
export function readingProblem(namespace: Scope, parts: readonly Part[]): string | undefined {
  const where = namespace === undefined ? '' : `namespace ${namespace}: `;
  const named = (wrong: readonly Part[]) => wrong.map(({ type }) => rbacName(type)).join(', ');
  const refused = parts.filter(({ fault }) => isForbidden(fault));
  if (refused.length > 0)
    return namespace === undefined
      ? `may not list and watch ${named(refused)}: bind the operator's ClusterRole, or name its namespaces with --watch-namespaces`
      : `${where}may not list and watch ${named(refused)}: it does not exist, or the operator's Role and RoleBinding are missing in it`;
  const unknown = parts.filter(({ fault }) => isNotFound(fault));
  if (unknown.length > 0)
    return `${where}the server does not know ${named(unknown)}: install Ballast's CRDs first`;
  const missing = parts.filter(({ synced, stalled }) => !synced || stalled);
  if (missing.length === 0) return undefined;
  const why = missing.map(({ fault }) => fault).find((fault) => fault !== undefined);
  return `${where}no fresh list of ${missing.map(({ type }) => type.plural).join(', ')}${why === undefined ? '' : `: ${messageOf(why)}`}`;
}

export interface Namespaces {
  /** Whether every kind of that namespace is in the caches: only then anything is decided about it. */
  isRead(namespace: string): boolean;
  /** Resolves for each watched namespace when it is read; of one that is stopped before, never. */
  onRead(handler: (namespace: Scope) => void): void;
  /** What is wrong at present, one text per namespace. */
  problems(): string[];
  /** Watched namespaces, and whether they are read; undefined stands for all. */
  states(): { readonly namespace: Scope; readonly isRead: boolean }[];
}

/** Follows the caches namespace by namespace. */
export function followNamespaces(caches: Caches): Namespaces {
  const parts = new Map<Scope, Reflector[]>();
  for (const { reflectors } of groupsOf(caches))
    for (const reflector of reflectors)
      parts.set(reflector.namespace, [...(parts.get(reflector.namespace) ?? []), reflector]);
  const read = new Set<Scope>();
  const handlers: ((namespace: Scope) => void)[] = [];
  for (const [namespace, reflectors] of parts)
    Promise.all(reflectors.map((reflector) => reflector.whenSynced())).then(
      () => {
        read.add(namespace);
        for (const handler of handlers) handler(namespace);
      },
      () => {},
    );
  return {
    isRead: (namespace) => read.has(namespace) || read.has(undefined),
    onRead: (handler) => void handlers.push(handler),
    problems: () =>
      [
        ...[...parts].map(([namespace, reflectors]) => readingProblem(namespace, reflectors)),
        ...(caches.nodes === undefined ? [] : [nodesProblem(caches.nodes)]),
      ].filter((problem) => problem !== undefined),
    states: () => [...parts.keys()].map((namespace) => ({ namespace, isRead: read.has(namespace) })),
  };
}

/** Nothing waits for nodes, so a server that is slow is no problem; a refusal is one that somebody must mend. */
const nodesProblem = ({ fault }: Part): string | undefined =>
  isForbidden(fault)
    ? 'may not list and watch nodes: grant it by a ClusterRole, or set --read-nodes false'
    : undefined;
