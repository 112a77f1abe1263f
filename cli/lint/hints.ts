/** What helps beside the API server's words: which name was meant, and what a field takes. Pure. */
import { customResourceDefinition } from '../../crds/generate.ts';
import type { SchemaNode } from '../../crds/structural/schema-node.ts';
import { namesNear } from '../near.ts';

const root = (): SchemaNode =>
  (customResourceDefinition().spec.versions[0]?.schema.openAPIV3Schema ?? {}) as SchemaNode;

const childOf = (node: SchemaNode | undefined, name: string): SchemaNode | undefined =>
  node?.properties?.[name] ??
  (typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined);

/** The schema behind a path such as `spec.scaling.schedule[0].from`. */
function nodeAt(path: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = root();
  for (const part of path.split('.')) {
    const [name = '', ...indices] = part.split('[');
    if (name !== '') node = childOf(node, name);
    for (const _ of indices) node = node?.items;
  }
  return node;
}

/** Paths of every field with that name; those inside lists have `[]`. */
function fieldsNamed(name: string, node: SchemaNode, path: string): string[] {
  const here = Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    ...(key === name ? [`${path}.${key}`] : []),
    ...fieldsNamed(name, child, `${path}.${key}`),
  ]);
  return node.items === undefined ? here : [...here, ...fieldsNamed(name, node.items, `${path}[]`)];
}

function forUnknown(path: string): string | undefined {
  const at = path.lastIndexOf('.');
  const [parent, name] = [path.slice(0, at), path.slice(at + 1)];
  const known = Object.keys((at < 0 ? root() : nodeAt(parent))?.properties ?? {});
  const near = namesNear(name, known);
  if (near.length > 0) return `did you mean ${near.join(' or ')}?`;
  const spec = root().properties?.spec;
  const elsewhere = spec === undefined ? [] : fieldsNamed(name, spec, 'spec');
  if (elsewhere.length > 0 && elsewhere.length <= 3) return `there is ${elsewhere.join(' and ')}`;
  return known.length === 0 ? undefined : `${parent === '' ? 'a manifest' : parent} has ${known.join(', ')}`;
}

/** Refusals by the schema alone; a rule's message says by itself what to do. */
const bySchema = / in body |: Required value$|: Too (?:long|many): /;

/** A description's first sentences: what a field takes comes first, and how it came about is no help here. */
function beginOf(description: string): string {
  const sentences = description.match(/.+?[.!?](?=\s|$)\s*/g) ?? [description];
  let text = '';
  for (const sentence of sentences) {
    if (text !== '' && text.length + sentence.length > mostLetters) break;
    text += sentence;
  }
  return text.trimEnd();
}
const mostLetters = 250;

/** Who comes from another model server writes the address of a bucket first. */
function forScheme(problem: string): string | undefined {
  const scheme = /^spec\.model\.uri: Invalid value: "([a-z][a-z0-9+.-]*):\/\//i.exec(problem)?.[1];
  if (scheme === undefined || ['https', 'file', 'pvc'].includes(scheme)) return undefined;
  if (/^(?:https|file|pvc)$/i.test(scheme)) return `write ${scheme.toLowerCase()}:// in lower case`;
  return scheme === 'http'
    ? 'models are not fetched over plain http: write https://'
    : `${scheme}:// is not read: serve the file at an https:// address, or put it on a volume (pvc://CLAIM/PATH)`;
}

/** A line that helps with a problem as `manifestProblems` words it; undefined where there is nothing to add. */
export function hintFor(problem: string): string | undefined {
  const unknown = /^unknown field "(.+)"$/.exec(problem)?.[1];
  if (unknown !== undefined) return forUnknown(unknown);
  const path = /^([A-Za-z][^:\s]*): /.exec(problem)?.[1];
  if (path === undefined || !bySchema.test(problem)) return undefined;
  const scheme = forScheme(problem);
  if (scheme !== undefined) return scheme;
  const description = nodeAt(path)?.description;
  return description === undefined ? undefined : beginOf(description);
}
