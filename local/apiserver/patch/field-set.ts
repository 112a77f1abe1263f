/** Sets of field paths, as `managedFields[].fieldsV1` writes them: a tree whose keys are `f:name`, `k:{…}`, `v:…`, `i:n`. */
import { isObject, type JsonObject } from '../../../crds/structural/schema-node.ts';

/** One step of a path in its fieldsV1 spelling, such as `f:spec` or `k:{"name":"main"}`. */
export type PathElement = string;

/** Step to a field or a map's key. */
export const fieldElement = (name: string): PathElement => `f:${name}`;
/** Step to an item of a list of type map; the keys are sorted by name. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): PathElement {
  const sorted = keys.length < 2 ? keys : [...keys].sort(([a], [b]) => (a < b ? -1 : 1));
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}
/** Step to an item of a list of type set. */
export const valueElement = (value: unknown): PathElement => `v:${JSON.stringify(value)}`;

/** The step as conflict messages show it: `.spec`, `[name="main"]`, `[="value"]`. */
export function elementText(element: PathElement): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return `.${rest}`;
    case 'k:': {
      const keys = JSON.parse(rest) as JsonObject;
      return `[${Object.entries(keys)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`;
    }
    case 'v:':
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}

/** An immutable set of paths. */
export class FieldSet {
  readonly members: ReadonlySet<PathElement>;
  readonly children: ReadonlyMap<PathElement, FieldSet>;

  constructor(
    members: ReadonlySet<PathElement> = new Set(),
    children: ReadonlyMap<PathElement, FieldSet> = new Map(),
  ) {
    this.members = members;
    this.children = children;
  }

  /** A set from steps and the sets below them. */
  static of(members: Iterable<PathElement>, children: Iterable<[PathElement, FieldSet]> = []): FieldSet {
    return new FieldSet(new Set(members), withoutEmpty(children));
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  /** The set below one step. */
  at(element: PathElement): FieldSet {
    return this.children.get(element) ?? emptySet;
  }

  has(path: readonly PathElement[]): boolean {
    const [head, ...rest] = path;
    if (head === undefined) return false;
    return rest.length === 0 ? this.members.has(head) : this.at(head).has(rest);
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty || other === this) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    for (const [element, set] of other.children) children.set(element, this.at(element).union(set));
    return new FieldSet(new Set([...this.members, ...other.members]), children);
  }

  intersection(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return emptySet;
    return FieldSet.of(
      [...this.members].filter((member) => other.members.has(member)),
      [...this.children].map(([element, set]) => [element, set.intersection(other.at(element))]),
    );
  }

  /** Without the other's paths; paths below a path that goes stay. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty || this.isEmpty) return this;
    return FieldSet.of(
      [...this.members].filter((member) => !other.members.has(member)),
      [...this.children].map(([element, set]) => [element, set.difference(other.at(element))]),
    );
  }

  /** Without the other's paths and everything below them. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (other.isEmpty || this.isEmpty) return this;
    return FieldSet.of(
      [...this.members].filter((member) => !other.members.has(member)),
      [...this.children]
        .filter(([element]) => !other.members.has(element))
        .map(([element, set]) => [element, set.recursiveDifference(other.at(element))]),
    );
  }

  equals(other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty;
  }

  /** Every path of the set: at each level the members first, then what is below. */
  *paths(prefix: readonly PathElement[] = []): Generator<PathElement[]> {
    for (const element of sortElements([...this.members])) yield [...prefix, element];
    for (const element of sortElements([...this.children.keys()]))
      yield* this.at(element).paths([...prefix, element]);
  }

  /** The fieldsV1 tree. */
  toFieldsV1(): JsonObject {
    const tree: JsonObject = {};
    for (const element of sortElements([...new Set([...this.members, ...this.children.keys()])])) {
      const below = this.children.get(element)?.toFieldsV1();
      if (below === undefined) tree[element] = {};
      else tree[element] = this.members.has(element) ? { '.': {}, ...below } : below;
    }
    return tree;
  }
}

function withoutEmpty(children: Iterable<[PathElement, FieldSet]>): Map<PathElement, FieldSet> {
  const kept = new Map<PathElement, FieldSet>();
  for (const [element, set] of children) if (!set.isEmpty) kept.set(element, set);
  return kept;
}

/** The set of no path. */
export const emptySet = new FieldSet();

const order = 'fkvi';

function sortElements(elements: PathElement[]): PathElement[] {
  return elements.sort((a, b) => {
    const kind = order.indexOf(a.charAt(0)) - order.indexOf(b.charAt(0));
    return kind !== 0 ? kind : a < b ? -1 : a > b ? 1 : 0;
  });
}

/** Reads a fieldsV1 tree; keys are brought to one spelling, foreign keys are left out. */
export function fieldSetOf(tree: unknown): FieldSet {
  if (!isObject(tree)) return emptySet;
  const members: PathElement[] = [];
  const children: [PathElement, FieldSet][] = [];
  for (const [key, below] of Object.entries(tree)) {
    if (key === '.') continue;
    const element = normalise(key);
    if (element === undefined) continue;
    const inner = isObject(below) ? below : {};
    if (Object.keys(inner).length === 0 || Object.hasOwn(inner, '.')) members.push(element);
    children.push([element, fieldSetOf(inner)]);
  }
  return FieldSet.of(members, children);
}

function normalise(key: string): PathElement | undefined {
  const rest = key.slice(2);
  try {
    switch (key.slice(0, 2)) {
      case 'f:':
      case 'i:':
        return key;
      case 'k:':
        return keyElement(Object.entries(JSON.parse(rest) as JsonObject));
      case 'v:':
        return valueElement(JSON.parse(rest));
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

/** Builds a set from paths, each a list of steps. */
export function fieldSetOfPaths(paths: Iterable<readonly PathElement[]>): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}

/** Collects paths one by one. */
export class FieldSetBuilder {
  readonly #members = new Set<PathElement>();
  readonly #children = new Map<PathElement, FieldSetBuilder>();

  insert(path: readonly PathElement[], from = 0): void {
    const head = path[from];
    if (head === undefined) return;
    if (from === path.length - 1) {
      this.#members.add(head);
      return;
    }
    let child = this.#children.get(head);
    if (child === undefined) {
      child = new FieldSetBuilder();
      this.#children.set(head, child);
    }
    child.insert(path, from + 1);
  }

  build(): FieldSet {
    const children = new Map<PathElement, FieldSet>();
    for (const [element, builder] of this.#children) children.set(element, builder.build());
    return new FieldSet(this.#members, children);
  }
}
