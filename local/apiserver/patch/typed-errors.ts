/** Why an applied object does not fit its schema, in the words of structured-merge-diff. */
import { fieldSchema, isObject, type SchemaNode } from '../../../crds/structural/schema-node.ts';
import { atomOf, isUntyped, itemElement } from './atom.ts';
import { elementText, fieldElement } from './field-set.ts';
import { goText } from './patch-fault.ts';

const maxErrors = 20;
const undeclared = ': field not declared in schema';

function scalarError(value: unknown, schema: SchemaNode): string | undefined {
  if (schema['x-kubernetes-int-or-string'] === true || schema.type === undefined) return undefined;
  switch (schema.type) {
    case 'string':
      return typeof value === 'string'
        ? undefined
        : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${show(value)}`;
    case 'integer':
    case 'number':
      return typeof value === 'number'
        ? undefined
        : `expected numeric (int or float), got ${goTypeOf(value)}`;
    case 'array':
      return `expected list, got ${show(value)}`;
    case 'object':
      return `expected map, got ${show(value)}`;
    default:
      return undefined;
  }
}

/** A value as Go prints it with %#v. */
function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (isObject(value))
    return `map[string]interface {}{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`)
      .join(', ')}}`;
  return value === null ? 'interface {}(nil)' : JSON.stringify(value);
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isObject(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const show = (value: unknown): string => `&{${goText(value)}}`;

/** Sentences such as `.spec.foo: field not declared in schema`; empty when the object fits. */
export function typedErrors(value: unknown, schema: SchemaNode | undefined, path = ''): string[] {
  const errors: string[] = [];
  visit(value, schema, path, errors);
  // A field that nobody knows is told before any value is looked at.
  const unknown = errors.filter((text) => text.endsWith(undeclared));
  return (unknown.length > 0 ? unknown : errors).slice(0, maxErrors);
}

function visit(value: unknown, schema: SchemaNode | undefined, path: string, errors: string[]): void {
  if (schema === undefined || value === null) return;
  const say = (text: string) => errors.push(path === '' ? text : `${path}: ${text}`);
  const atom = atomOf(value, schema);
  if (atom.kind === 'scalar') {
    const error = scalarError(value, schema);
    if (error !== undefined) say(error);
    return;
  }
  if (schema.type !== undefined && schema.type !== '') {
    const wanted = atom.kind === 'map' ? 'object' : 'array';
    if (schema.type !== wanted) {
      const error = scalarError(value, schema);
      if (error !== undefined) say(error);
      return;
    }
  }
  if (atom.kind === 'map') {
    if (!isObject(value)) return;
    const open =
      schema['x-kubernetes-preserve-unknown-fields'] === true ||
      (isUntyped(schema) && schema.type !== 'object') ||
      schema.additionalProperties === true;
    for (const [name, inner] of Object.entries(value)) {
      const below = `${path}${elementText(fieldElement(name))}`;
      const known = fieldSchema(schema, name);
      if (known === undefined && !open) errors.push(`${below}${undeclared}`);
      else visit(inner, known, below, errors);
    }
    return;
  }
  if (!Array.isArray(value)) return;
  const seen = new Set<string>();
  value.forEach((item, index) => {
    if (atom.type === 'atomic') {
      visit(item, atom.items, `${path}[${index}]`, errors);
      return;
    }
    const element = itemElement(item, atom);
    if (element === undefined) {
      say(
        atom.type === 'map'
          ? `element ${index}: associative list with keys has an element that omits all key fields ${goStrings(atom.keys)} (and doesn't have default values for any key fields)`
          : `element ${index}: associative list without keys has an element that's a map type`,
      );
      return;
    }
    if (seen.has(element)) say(`duplicate entries for key ${elementText(element)}`);
    seen.add(element);
    visit(item, atom.items, `${path}${elementText(element)}`, errors);
  });
}

const goStrings = (names: readonly string[]) => `[${names.map((name) => JSON.stringify(name)).join(' ')}]`;
