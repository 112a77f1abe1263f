/** Server-side apply: merges what one manager wants into an object, and keeps the books of who owns which field. */
import { goJson } from '../../../crds/structural/field-error.ts';
import { deepEqual, isObject, type SchemaNode } from '../../../crds/structural/schema-node.ts';
import type { KubeObject, ManagedFieldsEntry } from '../../../kube/objects.ts';
import { withObjectMeta } from './atom.ts';
import { emptySet, type FieldSet } from './field-set.ts';
import {
  type ApplyConflict,
  type Conflict,
  conflictAnswer,
  decodeManagers,
  type Managed,
  type Managers,
  managerId,
} from './managed-fields.ts';
import {
  changeOwnership,
  reconcileManagers,
  resetFieldsOf,
  stripUnowned,
  withoutReset,
} from './managers-update.ts';
import { typedErrors } from './typed-errors.ts';
import { compare, mergeApplied, removeItems, toFieldSet, withNamedFields } from './typed-value.ts';
import { updateManagers, type WriterOptions, withManagers } from './update.ts';

export interface ApplyOptions extends WriterOptions {
  /** Take fields from other owners instead of answering with a conflict. */
  readonly force: boolean;
}

export type ApplyResult<T extends KubeObject = KubeObject> =
  | {
      /** The object to default, validate and store. */
      readonly object: T;
      /** False when nothing but ownership may have changed. */
      readonly changed: boolean;
    }
  | { readonly conflict: ApplyConflict }
  /** The applied object does not fit the schema's types. */
  | { readonly error: string };

const lastAppliedKey = 'kubectl.kubernetes.io/last-applied-configuration';

function without(object: unknown, ...names: string[]): unknown {
  if (!isObject(object) || !isObject(object.metadata)) return object;
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([name]) => !names.includes(name)),
  );
  return { ...object, metadata };
}

interface Attempt {
  readonly object: unknown;
  readonly changed: boolean;
  readonly managers: Managers;
  readonly conflicts: Conflict[];
}

/** The merged object without what the manager applied last time and leaves out now, unless somebody else owns it. */
function prune(
  merged: unknown,
  schema: SchemaNode,
  managers: Managers,
  applier: string,
  last: FieldSet | undefined,
): unknown {
  const own = managers.get(applier)?.set ?? emptySet;
  if (last === undefined || last.difference(own).isEmpty) return merged;
  const lastNamed = withNamedFields(last, schema);
  const reduced = removeItems(merged, lastNamed, schema) ?? {};
  const owned = [...managers.values()].reduce((all, owner) => all.union(owner.set), emptySet);
  const mergedSet = withNamedFields(toFieldSet(merged, schema), schema);
  const keptSet = withNamedFields(toFieldSet(reduced, schema), schema);
  const kept =
    removeItems(merged, mergedSet.difference(keptSet.union(withNamedFields(owned, schema))), schema) ?? {};
  const finalSet = withNamedFields(toFieldSet(kept, schema), schema);
  return removeItems(merged, mergedSet.difference(finalSet).intersection(lastNamed), schema) ?? {};
}

function attempt(
  schema: SchemaNode,
  live: unknown,
  applied: unknown,
  start: Managers,
  options: ApplyOptions,
): Attempt {
  const reset = options.resetFields ?? resetFieldsOf(options.subresource ?? '', false);
  const info: Managed = {
    manager: options.manager,
    operation: 'Apply',
    apiVersion: options.apiVersion,
    subresource: options.subresource ?? '',
    set: withoutReset(toFieldSet(applied, schema), reset),
    time: options.time,
  };
  const id = managerId(info);
  const managers = reconcileManagers(start, schema);
  const previous = managers.get(id);
  managers.set(id, info);
  const merged = mergeApplied(live, applied, schema);
  const object = prune(merged, schema, managers, id, previous?.set);
  const change = changeOwnership(schema, live, object, managers, id, reset);
  const changed = !deepEqual(live, object);
  const owner = stripUnowned({ ...info, time: changed ? options.time : previous?.time });
  if (owner === undefined) change.managers.delete(id);
  else change.managers.set(id, owner);
  return { object, changed, managers: change.managers, conflicts: change.conflicts };
}

/** Fields of kubectl's last client-side apply that nobody changed since: `kubectl apply --server-side` may take them. */
function lastAppliedSet(live: unknown, schema: SchemaNode, apiVersion: string): FieldSet | undefined {
  const metadata = isObject(live) && isObject(live.metadata) ? live.metadata : undefined;
  const annotations = isObject(metadata?.annotations) ? metadata.annotations : undefined;
  const text = annotations?.[lastAppliedKey];
  if (typeof text !== 'string' || text === '') return undefined;
  try {
    const last: unknown = JSON.parse(text);
    if (!isObject(last) || last.apiVersion !== apiVersion) return undefined;
    const { added, modified, removed } = compare(last, live, schema);
    return toFieldSet(last, schema).difference(modified).difference(added).difference(removed);
  } catch {
    return undefined;
  }
}

function withLastApplied(object: unknown, applied: unknown): unknown {
  if (!isObject(object) || !isObject(object.metadata) || !isObject(object.metadata.annotations))
    return object;
  const annotations = object.metadata.annotations;
  if (typeof annotations[lastAppliedKey] !== 'string' || annotations[lastAppliedKey] === '') return object;
  const copy = structuredClone(applied);
  if (isObject(copy) && isObject(copy.metadata) && isObject(copy.metadata.annotations))
    delete copy.metadata.annotations[lastAppliedKey];
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [lastAppliedKey]: `${goJson(copy)}\n` } },
  };
}

/** Go writes the core group as an empty one. */
const goGroupVersion = (apiVersion = '') => (apiVersion.includes('/') ? apiVersion : `/${apiVersion}`);

/**
 * Applies an object for a manager. `live` undefined creates it. The caller defaults, validates and stores the result;
 * `isNoOp(live, stored)` says whether anything but times changed.
 */
export function serverSideApply<T extends KubeObject = KubeObject>(
  schema: SchemaNode,
  live: T | undefined,
  applied: KubeObject,
  options: ApplyOptions,
): ApplyResult<T> {
  const typed = withObjectMeta(schema);
  const errors = typedErrors(applied, typed);
  if (errors.length > 0) {
    const { name, namespace } = applied.metadata;
    return {
      error: `failed to create typed patch object (${namespace ?? ''}/${name ?? ''}; ${goGroupVersion(applied.apiVersion)}, Kind=${applied.kind}): ${errors.length === 1 ? errors[0] : `errors:\n${errors.map((text) => `  ${text}`).join('\n')}`}`,
    };
  }
  const entries = live?.metadata.managedFields as ManagedFieldsEntry[] | undefined;
  const plain = without(live ?? {}, 'managedFields');
  let managers = decodeManagers(entries);
  if (managers.size === 0 && live !== undefined)
    managers = updateManagers(schema, undefined, plain, managers, {
      ...options,
      manager: 'before-first-apply',
    });
  let result = attempt(typed, plain, applied, managers, options);
  let conflicts = options.force ? [] : result.conflicts;
  if (conflicts.length > 0 && options.manager === 'kubectl') {
    const allowed = lastAppliedSet(plain, typed, options.apiVersion);
    if (allowed !== undefined) {
      conflicts = conflicts.filter(({ path }) => !allowed.has(path));
      if (conflicts.length === 0)
        result = attempt(typed, plain, applied, managers, { ...options, force: true });
    }
  }
  if (conflicts.length > 0) return { conflict: conflictAnswer(conflicts) };
  const object = options.manager === 'kubectl' ? withLastApplied(result.object, applied) : result.object;
  return { object: withManagers(object as T, result.managers), changed: result.changed };
}
