/** How owners change when an object changes: what others lose, what conflicts, what is too old to be kept apart. */
import type { SchemaNode } from '../../../crds/structural/schema-node.ts';
import { emptySet, type FieldSet, fieldElement, fieldSetOfPaths } from './field-set.ts';
import { type Conflict, type Managed, type Managers, managerId, unownedSet } from './managed-fields.ts';
import { type Comparison, compare, reconcileWithSchema } from './typed-value.ts';

/** Fields that a request cannot change and so cannot own, such as `status` on the main resource. */
export type ResetFields = readonly (readonly string[])[];

/** What a kind with a status subresource resets: `status` on the main resource, `spec` and metadata on `/status`. */
export function resetFieldsOf(subresource: string, isCustom: boolean): ResetFields {
  if (subresource === '') return [['status']];
  if (subresource !== 'status') return [];
  // A custom resource's status writer may own nothing but what is in status; built-in kinds keep other metadata.
  return isCustom ? [['spec'], ['metadata']] : [['spec'], ['metadata', 'labels']];
}

/** A set without what a request cannot own. */
export function withoutReset(set: FieldSet, reset: ResetFields): FieldSet {
  if (reset.length === 0) return set;
  return set.recursiveDifference(fieldSetOfPaths(reset.map((path) => path.map(fieldElement))));
}

export interface OwnershipChange {
  readonly managers: Managers;
  readonly conflicts: Conflict[];
  readonly comparison: Comparison;
}

/** Takes changed and vanished fields from all owners but one; owners without fields are dropped. */
export function changeOwnership(
  schema: SchemaNode | undefined,
  before: unknown,
  after: unknown,
  managers: Managers,
  self: string,
  reset: ResetFields,
): OwnershipChange {
  const whole = compare(before, after, schema);
  const comparison: Comparison = {
    added: withoutReset(whole.added, reset),
    modified: withoutReset(whole.modified, reset),
    removed: withoutReset(whole.removed, reset),
  };
  const changed = comparison.modified.union(comparison.added);
  const conflicts: Conflict[] = [];
  const next: Managers = new Map();
  for (const [id, owner] of managers) {
    if (id === self) {
      next.set(id, owner);
      continue;
    }
    const taken = owner.set.intersection(changed);
    for (const path of taken.paths()) conflicts.push({ owner, path });
    const set = owner.set.difference(taken).difference(comparison.removed);
    if (!set.isEmpty) next.set(id, { ...owner, set });
  }
  return { managers: next, conflicts, comparison };
}

/** Owners' sets brought up to a schema that became atomic since they were written. */
export function reconcileManagers(managers: Managers, schema: SchemaNode | undefined): Managers {
  return new Map(
    [...managers].map(([id, owner]) => [id, { ...owner, set: reconcileWithSchema(owner.set, schema) }]),
  );
}

/** The owner without what nobody owns; undefined when nothing is left. */
export function stripUnowned(owner: Managed): Managed | undefined {
  const set = owner.set.difference(unownedSet);
  return set.isEmpty ? undefined : { ...owner, set };
}

const maxUpdateManagers = 10;

/** More than ten writers that only update are merged, oldest first, into `ancient-changes`. */
export function capUpdateManagers(managers: Managers): Managers {
  const updaters = [...managers]
    .filter(([, owner]) => owner.operation === 'Update')
    .sort(([a, x], [b, y]) => {
      const seconds = (owner: Managed) => Math.floor(Date.parse(owner.time ?? '') / 1000) || 0;
      return seconds(x) - seconds(y) || (a < b ? -1 : 1);
    });
  if (updaters.length <= maxUpdateManagers) return managers;
  const result = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  let length = updaters.length;
  for (const [id, owner] of updaters) {
    if (length <= maxUpdateManagers) break;
    const first = firstOfVersion.get(owner.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(owner.apiVersion, id);
      continue;
    }
    const bucket: Managed = {
      manager: 'ancient-changes',
      operation: 'Update',
      apiVersion: owner.apiVersion,
      subresource: '',
      set: emptySet,
      time: owner.time,
    };
    const bucketId = managerId(bucket);
    const old = result.get(bucketId) ?? result.get(first) ?? bucket;
    if (!result.has(bucketId)) result.delete(first);
    result.delete(id);
    result.set(bucketId, { ...bucket, set: old.set.union(owner.set) });
    length -= 1;
  }
  return result;
}
