/** Bad values for every field of a schema, each set into a spec that is good otherwise: made from the schema itself. */
import type { SchemaNode } from '../../../crds/structural/schema-node.ts';

type Path = readonly (string | number)[];

const fieldText = (path: Path) =>
  path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) value = (value as Record<string | number, unknown> | undefined)?.[step];
  return value;
}

/** A copy of the object with another value at the path; undefined takes the field away. */
function withValue(root: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const copy = (Array.isArray(root) ? [...root] : { ...(root as object) }) as Record<
    string | number,
    unknown
  >;
  const next = withValue(copy[step], rest, value);
  if (next === undefined && !Array.isArray(copy)) delete copy[step];
  else copy[step] = next;
  return copy;
}

/** Values that the node itself refuses, by what is wrong with them. */
function badValues(node: SchemaNode, good: unknown): [what: string, value: unknown][] {
  const found: [string, unknown][] = [];
  if (node['x-kubernetes-int-or-string'] === true) found.push(['a boolean', true]);
  switch (node.type) {
    case 'string':
      found.push(['a number', 7]);
      if (node.maxLength !== undefined) found.push(['too long', 'a'.repeat(node.maxLength + 1)]);
      if ((node.minLength ?? 0) > 0) found.push(['empty', '']);
      if (node.pattern !== undefined) found.push(['of another form', '§']);
      if (node.enum !== undefined) found.push(['an unknown word', 'Nothing']);
      break;
    case 'integer':
      found.push(['text', 'x'], ['a fraction', 1.5]);
      if (node.maximum !== undefined) found.push(['too large', node.maximum + 1]);
      if (node.minimum !== undefined) found.push(['too small', node.minimum - 1]);
      break;
    case 'boolean':
      found.push(['text', 'x']);
      break;
    case 'array':
      found.push(['an object', {}]);
      if (node.maxItems !== undefined) {
        const [item] = good as Record<string, unknown>[];
        const key = node['x-kubernetes-list-map-keys']?.[0];
        const items = Array.from({ length: node.maxItems + 1 }, (_, index) =>
          key === undefined ? item : { ...item, [key]: `A${index}` },
        );
        found.push(['too many items', items]);
      }
      break;
    case 'object':
      found.push(['text', 'x']);
      if (node.maxProperties !== undefined) {
        const [value] = Object.values(good as object);
        const entries = Array.from({ length: node.maxProperties + 1 }, (_, index) => [`k${index}`, value]);
        found.push(['too many entries', Object.fromEntries(entries)]);
      }
      for (const name of node.required ?? [])
        found.push([`without ${name}`, withValue(good, [name], undefined)]);
      break;
    default:
      break;
  }
  return found;
}

/** Every field below a node, and the first place in the good spec that has it. */
function* fields(node: SchemaNode, good: unknown, path: Path): Generator<{ node: SchemaNode; path: Path }> {
  yield { node, path };
  const here = valueAt(good, path);
  for (const [name, inner] of Object.entries(node.properties ?? {}))
    yield* fields(inner, good, [...path, name]);
  if (node.items !== undefined) {
    const items = (here ?? []) as object[];
    const names = Object.keys(node.items.properties ?? {});
    if (names.length === 0) yield* fields(node.items, good, [...path, 0]);
    // Fields of an item are looked for in whichever item has them.
    for (const place of placesOf(node.items, items))
      yield* fields(place.node, good, [...path, ...place.path]);
  }
  const values = node.additionalProperties;
  if (typeof values === 'object' && here !== undefined)
    yield* fields(values, good, [...path, Object.keys(here as object)[0] ?? '']);
}

function* placesOf(item: SchemaNode, items: readonly object[]): Generator<{ node: SchemaNode; path: Path }> {
  for (const [name, inner] of Object.entries(item.properties ?? {})) {
    const indexes = items.flatMap((one, index) => (Object.hasOwn(one, name) ? [index] : []));
    const nested = Object.keys(inner.properties ?? {});
    if (nested.length === 0) yield { node: inner, path: [indexes[0] ?? 0, name] };
    for (const part of nested) {
      const at = indexes.find((index) => valueAt(items, [index, name, part]) !== undefined) ?? 0;
      const schema = inner.properties?.[part];
      if (schema !== undefined) yield { node: schema, path: [at, name, part] };
    }
  }
}

/** Fields that the good spec does not use: none may be left out. */
export function unusedFields(schema: SchemaNode, good: unknown): string[] {
  return [...fields(schema, good, [])].flatMap(({ path }) =>
    valueAt(good, path) === undefined ? [fieldText(path)] : [],
  );
}

/** One case for each bad value of each field. */
export function fieldCases(schema: SchemaNode, good: object): [name: string, spec: object][] {
  return [...fields(schema, good, [])].flatMap(({ node, path }) =>
    badValues(node, valueAt(good, path)).map(([what, value]): [string, object] => [
      `${fieldText(path) || 'the spec'}: ${what}`,
      withValue(good, path, value) as object,
    ]),
  );
}
