/** Ownership of fields by writers that do not apply: create, replace, patch. */
import {
  deepEqual,
  isObject,
  type JsonObject,
  type SchemaNode,
} from '../../../crds/structural/schema-node.ts';
import type { KubeObject, ManagedFieldsEntry } from '../../../kube/objects.ts';
import { withObjectMeta } from './atom.ts';
import { emptySet } from './field-set.ts';
import { decodeManagers, encodeManagers, type Managed, type Managers, managerId } from './managed-fields.ts';
import {
  capUpdateManagers,
  changeOwnership,
  type ResetFields,
  reconcileManagers,
  resetFieldsOf,
  stripUnowned,
  withoutReset,
} from './managers-update.ts';

export interface WriterOptions {
  /** Field manager of the request; empty counts as `unknown`. */
  readonly manager: string;
  /** `group/version` or `v1` of the request. */
  readonly apiVersion: string;
  /** `''` or absent for the main resource, `status`, `scale`. */
  readonly subresource?: string;
  /** Now, RFC 3339 with seconds. */
  readonly time: string;
  /** Fields that this request cannot change; default: as a built-in kind with a status subresource. */
  readonly resetFields?: ResetFields;
  /** The kind's empty object (`emptyObjectOf`), which a new object is compared with; default `{}`, right for custom kinds. */
  readonly empty?: JsonObject;
}

/** A copy of the object with these owners, or with no `managedFields` when there are none. */
export function withManagers<T>(object: T, managers: Managers): T {
  if (!isObject(object)) return object;
  const { managedFields: _, ...metadata } = isObject(object.metadata) ? object.metadata : ({} as JsonObject);
  const entries = encodeManagers(managers);
  return {
    ...object,
    metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: entries },
  } as T;
}

const withoutManagers = (object: unknown): unknown => {
  if (!isObject(object) || !isObject(object.metadata)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

function managedFieldsOf(object: unknown): ManagedFieldsEntry[] | undefined {
  const metadata = isObject(object) && isObject(object.metadata) ? object.metadata : undefined;
  const entries = metadata?.managedFields;
  return Array.isArray(entries) ? (entries as ManagedFieldsEntry[]) : undefined;
}

/** Owners that count: those the request itself wrote, else the live ones; `[{}]` clears them all. */
function startingManagers(before: unknown, after: unknown, subresource: string): Managers {
  const live = decodeManagers(managedFieldsOf(before));
  if (subresource !== '') return live;
  const written = managedFieldsOf(after);
  if (written?.length === 1 && Object.keys(written[0] ?? {}).length === 0) return new Map();
  const managers = decodeManagers(
    written?.filter((entry) => entry.manager !== undefined || entry.fieldsV1 !== undefined),
  );
  return managers.size === 0 ? live : managers;
}

/** Owners after a change by a writer that does not apply. `before` undefined means the object is new. */
export function updateManagers(
  schema: SchemaNode,
  before: unknown,
  after: unknown,
  managers: Managers,
  options: WriterOptions,
): Managers {
  const typed = withObjectMeta(schema);
  const reset = options.resetFields ?? resetFieldsOf(options.subresource ?? '', false);
  const info: Managed = {
    manager: options.manager === '' ? 'unknown' : options.manager,
    operation: 'Update',
    apiVersion: options.apiVersion,
    subresource: options.subresource ?? '',
    set: emptySet,
    time: options.time,
  };
  const change = changeOwnership(
    typed,
    withoutManagers(before ?? options.empty ?? {}),
    withoutManagers(after),
    reconcileManagers(managers, typed),
    'current-operation',
    reset,
  );
  const { modified, added } = change.comparison;
  const taken = stripUnowned({ ...info, set: withoutReset(modified.union(added), reset) });
  const next = change.managers;
  if (taken !== undefined) {
    const id = managerId(info);
    const previous = next.get(id);
    next.set(id, previous === undefined ? taken : { ...taken, set: taken.set.union(previous.set) });
  }
  return capUpdateManagers(next);
}

/**
 * The object to store after a create, replace or patch, with its `managedFields` brought up to date.
 * Objects whose live form has no owners at all stay without, as on a real API server.
 */
export function trackUpdate<T extends KubeObject>(
  schema: SchemaNode,
  before: KubeObject | undefined,
  after: T,
  options: WriterOptions,
): T {
  const managers = startingManagers(before, after, options.subresource ?? '');
  if (managers.size === 0 && before !== undefined) return withManagers(after, managers);
  return withManagers(after, updateManagers(schema, before, after, managers, options));
}

const timeless = (object: unknown): unknown =>
  isObject(object) && isObject(object.metadata)
    ? {
        ...object,
        metadata: {
          ...object.metadata,
          managedFields: managedFieldsOf(object)?.map(({ time: _, ...entry }) => entry),
        },
      }
    : object;

/** True when a write changes nothing but the times of owners: the store keeps the old object and its resourceVersion. */
export function isNoOp(before: KubeObject | undefined, after: KubeObject): boolean {
  return before !== undefined && deepEqual(timeless(before), timeless(after));
}
