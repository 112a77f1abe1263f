/** What server-side apply does with values of a schema: field sets, comparison, merge, removal of items. */
import {
  deepEqual,
  fieldSchema,
  isObject,
  type JsonObject,
  type SchemaNode,
  setOwn,
} from '../../../crds/structural/schema-node.ts';
import { type Atom, atomOf, isNamedField, itemElement, schemaBelow } from './atom.ts';
import { FieldSet, FieldSetBuilder, fieldElement, type PathElement } from './field-set.ts';

type ListAtom = Atom & { kind: 'list' };

const isEmptyMap = (value: unknown) => isObject(value) && Object.keys(value).length === 0;

/** Every leaf and item that the value names. */
export function toFieldSet(value: unknown, schema: SchemaNode | undefined): FieldSet {
  const set = new FieldSetBuilder();
  collect(value, schema, [], set);
  return set.build();
}

function collect(
  value: unknown,
  schema: SchemaNode | undefined,
  path: readonly PathElement[],
  set: FieldSetBuilder,
): void {
  const atom = atomOf(value, schema);
  if (atom.kind === 'scalar' || (atom.kind === 'map' ? atom.atomic : atom.type === 'atomic')) {
    set.insert(path);
    return;
  }
  if (atom.kind === 'map' && isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      const below = [...path, fieldElement(name)];
      collect(inner, fieldSchema(schema, name), below, set);
      if (inner === null || isEmptyMap(inner) || !isNamedField(schema, name)) set.insert(below);
    }
  } else if (atom.kind === 'list' && Array.isArray(value)) {
    const groups = groupItems(value, atom);
    for (const [element, items] of groups) {
      if (items.length === 1) collect(items[0], atom.items, [...path, element], set);
      set.insert([...path, element]);
    }
  }
}

function groupItems(list: readonly unknown[], atom: ListAtom): Map<PathElement, unknown[]> {
  const groups = new Map<PathElement, unknown[]>();
  for (const item of list) {
    const element = itemElement(item, atom);
    if (element === undefined) continue;
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [item]);
    else group.push(item);
  }
  return groups;
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

interface Builders {
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

/** Fields that differ between two values of one schema. */
export function compare(before: unknown, after: unknown, schema: SchemaNode | undefined): Comparison {
  const out: Builders = {
    added: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
  };
  compareAt(before, after, schema, [], out);
  return { added: out.added.build(), modified: out.modified.build(), removed: out.removed.build() };
}

const sizeOf = (value: unknown): number =>
  Array.isArray(value) ? value.length : isObject(value) ? Object.keys(value).length : 0;

/** undefined stands for absent; null is a value. */
function compareAt(
  before: unknown,
  after: unknown,
  schema: SchemaNode | undefined,
  path: readonly PathElement[],
  out: Builders,
): void {
  const left = before === undefined ? undefined : atomOf(before, schema);
  const right = after === undefined ? undefined : atomOf(after, schema);
  const same =
    left === undefined ||
    right === undefined ||
    left.kind === right.kind ||
    before === null ||
    after === null;
  const atom = (before === null ? right : left) ?? right;
  const leaf =
    atom === undefined ||
    !same ||
    atom.kind === 'scalar' ||
    (atom.kind === 'map' ? atom.atomic : atom.type === 'atomic') ||
    (sizeOf(before) === 0 && sizeOf(after) === 0);
  if (leaf) {
    if (before === undefined) out.added.insert(path);
    else if (after === undefined) out.removed.insert(path);
    else if (!deepEqual(before, after)) out.modified.insert(path);
    return;
  }
  if (atom.kind === 'map') {
    const names = new Set([...Object.keys(objectOf(before)), ...Object.keys(objectOf(after))]);
    for (const name of names)
      compareAt(
        ownValue(before, name),
        ownValue(after, name),
        fieldSchema(schema, name),
        [...path, fieldElement(name)],
        out,
      );
  } else compareLists(listOf(before), listOf(after), atom, path, out);
  if (before === undefined) out.added.insert(path);
  else if (after === undefined) out.removed.insert(path);
}

function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  atom: ListAtom,
  path: readonly PathElement[],
  out: Builders,
): void {
  const left = groupItems(before, atom);
  const right = groupItems(after, atom);
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const [old, next] = [left.get(element) ?? [], right.get(element) ?? []];
    const below = [...path, element];
    if (old.length <= 1 && next.length <= 1) compareAt(old[0], next[0], atom.items, below, out);
    else if (old.length >= 2 && next.length >= 2) {
      if (!deepEqual(old, next)) out.modified.insert(below);
    } else if (old.length >= 2) {
      if (next.length > 0) compareAt(undefined, next[0], atom.items, below, out);
      out.removed.insert(below);
    } else {
      if (old.length > 0) compareAt(old[0], undefined, atom.items, below, out);
      out.added.insert(below);
    }
  }
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const ownValue = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** The live value with the applied one laid over it; nothing is taken away. */
export function mergeApplied(live: unknown, applied: unknown, schema: SchemaNode | undefined): unknown {
  if (applied === undefined) return live;
  const atom = atomOf(applied, schema);
  const whole = atom.kind === 'scalar' || (atom.kind === 'map' ? atom.atomic : atom.type === 'atomic');
  // Of two that are empty the applied one counts: null and {} are told apart.
  const bothEmpty = sizeOf(live) === 0 && sizeOf(applied) === 0;
  if (whole || live === undefined || live === null || bothEmpty) return applied;
  if (atom.kind === 'map') {
    if (!isObject(live)) return applied;
    const merged: JsonObject = {};
    for (const [name, inner] of Object.entries(live))
      setOwn(merged, name, mergeApplied(inner, ownValue(applied, name), fieldSchema(schema, name)));
    for (const [name, inner] of Object.entries(objectOf(applied)))
      if (!Object.hasOwn(live, name)) setOwn(merged, name, inner);
    return merged;
  }
  return Array.isArray(live) ? mergeLists(live, listOf(applied), atom) : applied;
}

/** Items keep the live order where the applied list does not say otherwise, and the applied order where it does. */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], atom: ListAtom): unknown[] {
  const liveKeys = live.map((item) => itemElement(item, atom));
  const appliedKeys = applied.map((item) => itemElement(item, atom));
  const liveGroups = groupItems(live, atom);
  const appliedByKey = new Map(appliedKeys.map((key, index) => [key, applied[index]]));
  const mergeItem = (key: PathElement | undefined): unknown => {
    const old = key === undefined ? [] : (liveGroups.get(key) ?? []);
    return mergeApplied(old.length === 1 ? old[0] : undefined, appliedByKey.get(key), atom.items);
  };
  const shared = appliedKeys.filter((key) => key !== undefined && liveGroups.has(key));
  let nextShared = shared.shift();
  const done = new Set<PathElement | undefined>();
  const out: unknown[] = [];
  let [l, r] = [0, 0];
  while (l < live.length || r < applied.length) {
    const [left, right] = [liveKeys[l], appliedKeys[r]];
    if (l < live.length && r < applied.length) {
      if (left === right) {
        done.add(left);
        out.push(mergeItem(left));
        l += 1;
        r += 1;
        nextShared = shared.shift();
        continue;
      }
      if (appliedByKey.has(left) && nextShared !== undefined && nextShared !== left) {
        l += 1;
        continue;
      }
    }
    if (l < live.length) {
      if (!appliedByKey.has(left)) {
        out.push(live[l]);
        l += 1;
        continue;
      }
      if (done.has(left)) l += 1;
    }
    if (r < applied.length) {
      done.add(right);
      out.push(mergeItem(right));
      r += 1;
      if (nextShared === right) nextShared = shared.shift();
    }
  }
  return out;
}

/** The value without the items and fields of the set; a container that loses everything becomes null, as upstream. */
export function removeItems(value: unknown, remove: FieldSet, schema: SchemaNode | undefined): unknown {
  const atom = atomOf(value, schema);
  if (remove.isEmpty || atom.kind === 'scalar') return value;
  if (atom.kind === 'map') {
    if (atom.atomic || !isObject(value)) return null;
    const kept: JsonObject = {};
    for (const [name, inner] of Object.entries(value)) {
      const element = fieldElement(name);
      if (remove.members.has(element)) continue;
      setOwn(kept, name, removeItems(inner, remove.at(element), fieldSchema(schema, name)));
    }
    return Object.keys(kept).length === 0 ? null : kept;
  }
  if (atom.type === 'atomic' || !Array.isArray(value)) return null;
  const kept: unknown[] = [];
  for (const item of value) {
    const element = itemElement(item, atom);
    if (element !== undefined && remove.members.has(element)) continue;
    kept.push(element === undefined ? item : removeItems(item, remove.at(element), atom.items));
  }
  return kept.length === 0 ? null : kept;
}

/** The set with every declared struct field added that it holds parts of. */
export function withNamedFields(set: FieldSet, schema: SchemaNode | undefined): FieldSet {
  const members = new Set(set.members);
  const children = new Map<PathElement, FieldSet>();
  for (const [element, below] of set.children) {
    if (element.startsWith('f:') && isNamedField(schema, element.slice(2))) members.add(element);
    children.set(element, withNamedFields(below, schemaBelow(schema, element)));
  }
  return new FieldSet(members, children);
}

function isAtomic(schema: SchemaNode): boolean {
  if (schema['x-kubernetes-map-type'] === 'atomic') return true;
  const listType = schema['x-kubernetes-list-type'];
  return schema.type === 'array' && listType !== 'set' && listType !== 'map';
}

/** The set where the schema became atomic: parts of a whole become the whole. */
export function reconcileWithSchema(set: FieldSet, schema: SchemaNode | undefined): FieldSet {
  if (schema === undefined) return set;
  let changed = false;
  const members = new Set(set.members);
  const children = new Map<PathElement, FieldSet>();
  for (const [element, below] of set.children) {
    const inner = schemaBelow(schema, element);
    if (inner !== undefined && isAtomic(inner)) {
      changed = true;
      members.add(element);
      continue;
    }
    const reconciled = reconcileWithSchema(below, inner);
    if (reconciled !== below) changed = true;
    children.set(element, reconciled);
  }
  return changed ? new FieldSet(members, children) : set;
}
