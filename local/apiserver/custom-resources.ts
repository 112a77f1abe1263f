/** CustomResourceDefinitions live: a CRD's kinds are served as soon as it is stored, and go with it. */
import type { Condition } from '../../kube/objects.ts';
import { customKinds } from './custom-kind.ts';
import { deleteObject } from './delete.ts';
import type { Kind } from './kind.ts';
import { crdFinalizer } from './kinds/definition.ts';
import { LaterQueue } from './later.ts';
import { type AnyObject, cloneJson, jsonAt, listAt, sameJson, textAt } from './object.ts';
import type { Registry } from './registry.ts';
import { timestamp } from './time.ts';

const crdCollection = 'customresourcedefinitions.apiextensions.k8s.io';
const crds = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };

/** Follows CRDs; the returned function stops it. */
export function serveCustomResources(registry: Registry): () => void {
  const { storage, catalog } = registry.core;
  const served = new Map<string, Kind[]>();
  const settle = (name: string): void => {
    const crd = storage.get(crdCollection, name);
    if (crd === undefined) return;
    if (crd.metadata.deletionTimestamp === undefined) accept(registry, name, nameConflict(registry, crd));
    else finalize(registry, name);
  };
  const queue = new LaterQueue('custom resources', settle);
  const withdraw = (name: string): void => {
    for (const kind of served.get(name) ?? []) catalog.remove(kind);
    served.delete(name);
  };
  const serve = (crd: AnyObject): void => {
    const name = crd.metadata.name ?? '';
    withdraw(name);
    if (nameConflict(registry, crd) !== undefined) return;
    const kinds = customKinds(crd);
    served.set(name, kinds);
    for (const kind of kinds) catalog.add(kind);
  };
  const unsubscribe = storage.subscribe(undefined, (event) => {
    if (event.collection !== crdCollection) {
      if (event.type !== 'DELETED') return;
      const owner = storage.get(crdCollection, event.collection);
      if (owner?.metadata.deletionTimestamp !== undefined) queue.add(event.collection);
      return;
    }
    const crd = event.object;
    const name = crd.metadata.name ?? '';
    if (event.type === 'DELETED') {
      withdraw(name);
      // Names that it had may be what another definition waits for.
      for (const [other, waiting] of storage.list(crdCollection))
        if (!served.has(other)) {
          serve(waiting);
          queue.add(other);
        }
      return;
    }
    if (event.previous === undefined || !sameJson(event.previous.spec, crd.spec)) serve(crd);
    queue.add(name);
  });
  return () => {
    queue.stop();
    unsubscribe();
  };
}

/** Text of the condition when another kind of the group has one of the names. */
function nameConflict(registry: Registry, crd: AnyObject): { reason: string; message: string } | undefined {
  const group = textAt(crd.spec, 'group');
  const names = jsonAt(crd.spec, 'names');
  for (const kind of registry.core.catalog.all()) {
    if (kind.group !== group || kind.collection === crd.metadata.name) continue;
    const taken = [kind.plural, kind.singular, ...kind.shortNames];
    if (taken.includes(textAt(names, 'plural')))
      return { reason: 'PluralConflict', message: `"${textAt(names, 'plural')}" is already in use` };
    if (kind.kind === textAt(names, 'kind') || kind.listKind === textAt(names, 'kind'))
      return { reason: 'KindConflict', message: `"${textAt(names, 'kind')}" is already in use` };
    const short = listAt(names, 'shortNames').find((name) => taken.includes(String(name)));
    if (short !== undefined) return { reason: 'ShortNamesConflict', message: `"${short}" is already in use` };
  }
  return undefined;
}

/** Writes acceptedNames, storedVersions and the conditions. */
function accept(
  registry: Registry,
  name: string,
  taken: { reason: string; message: string } | undefined,
): void {
  if (registry.find(crds, { name }) === undefined) return;
  const at = timestamp(registry.core.clock);
  const conditions: Condition[] =
    taken === undefined
      ? [
          { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
          {
            type: 'Established',
            status: 'True',
            reason: 'InitialNamesAccepted',
            message: 'the initial names have been accepted',
          },
        ]
      : [
          { type: 'NamesAccepted', status: 'False', ...taken },
          {
            type: 'Established',
            status: 'False',
            reason: 'NotAccepted',
            message: 'not all names are accepted',
          },
        ];
  registry.edit<AnyObject>(
    crds,
    { name },
    (draft) => {
      const before = jsonAt(draft, 'status');
      const old = listAt(before, 'conditions') as Condition[];
      const storage = listAt(draft.spec, 'versions').find((v) => jsonAt({ v }, 'v').storage === true);
      const stored = new Set([...listAt(before, 'storedVersions'), textAt(storage, 'name')]);
      draft.status = {
        conditions: conditions.map((condition) => {
          const same = old.find((o) => o.type === condition.type && o.status === condition.status);
          return { ...condition, lastTransitionTime: same?.lastTransitionTime ?? at };
        }),
        acceptedNames:
          taken === undefined ? cloneJson(jsonAt(draft.spec, 'names')) : { plural: '', kind: '' },
        storedVersions: [...stored],
      };
    },
    { subresource: 'status', fieldManager: 'kube-apiserver' },
  );
}

/** Deletes the objects of a terminating CRD; when none is left, takes the finalizer away. */
function finalize(registry: Registry, name: string): void {
  const { core } = registry;
  const crd = core.storage.get(crdCollection, name);
  if (crd?.metadata.finalizers?.includes(crdFinalizer) !== true) return;
  const kind = core.catalog.all().find((candidate) => candidate.collection === name);
  if (kind !== undefined)
    for (const [, object] of core.storage.list(kind.collection))
      if (object.metadata.deletionTimestamp === undefined)
        deleteObject(core, kind, object.metadata.namespace, object.metadata.name ?? '', {});
  if (core.storage.count(name) > 0) return;
  registry.edit(crds, { name }, (draft) => {
    draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((f) => f !== crdFinalizer);
  });
}
