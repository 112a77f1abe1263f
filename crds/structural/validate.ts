/** Validates a value against a structural schema, with an API server's verdicts and words. */
import { correlateField, correlateItems, isUnchanged } from './correlate.ts';
import {
  type FieldError,
  goJson,
  invalid,
  notSupported,
  quote,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from './field-error.ts';
import { hasFormat, isKnownFormat } from './formats.ts';
import { numberErrors } from './numbers.ts';
import { compileRegExp } from './regexp.ts';
import { deepEqual, isObject, mapValueSchema, type SchemaNode } from './schema-node.ts';

const child = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);
/** Inside messages the library that Kubernetes uses writes the path with a dot in front when it hangs below the root. */
const inBody = (path: string) => `${path} in body`;

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function typesOf(node: SchemaNode): string[] {
  if (node['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return node.type === undefined || node.type === '' ? [] : [node.type];
}

function typeError(value: unknown, node: SchemaNode, path: string): FieldError | undefined {
  const wanted = typesOf(node);
  if (wanted.length === 0) return undefined;
  const actual = typeOf(value);
  const fits =
    wanted.includes(actual) ||
    (actual === 'integer' && wanted.includes('number')) ||
    (actual === 'null' && node.nullable === true);
  if (fits) return undefined;
  const format = node.format ?? '';
  const numeric = wanted.includes('number') || wanted.includes('integer');
  // With a format, a text is judged by the format alone.
  if (!numeric && format !== '' && (actual === 'string' || actual === 'array') && isKnownFormat(format))
    return undefined;
  // Other values are told the format, and their own.
  if (actual !== 'string' && actual !== 'array' && actual !== 'null' && isCheckedFormat(node)) {
    const own = actual === 'number' ? 'float64' : actual === 'integer' ? 'int64' : '';
    return typeInvalid(path, own, `${inBody(path)} must be of type ${format}: ${quote(own)}`);
  }
  return typeInvalid(path, actual, `${inBody(path)} must be of type ${wanted.join(',')}: ${quote(actual)}`);
}

function isCheckedFormat({ type, format = '' }: SchemaNode): boolean {
  if (type === 'integer') return format === 'int32' || format === 'int64';
  if (type === 'number') return format === 'float' || format === 'double';
  return type === 'string' && isKnownFormat(format);
}

function enumErrors(value: unknown, node: SchemaNode, path: string): FieldError[] {
  const allowed = node.enum;
  if (allowed === undefined || allowed.length === 0) return [];
  if (value === null && node.nullable === true && allowed.includes(null)) return [];
  if (allowed.some((item) => deepEqual(item, value))) return [];
  return [
    notSupported(
      path,
      value,
      allowed.map((item) => (typeof item === 'string' ? item : goJson(item))),
    ),
  ];
}

function stringErrors(value: string, node: SchemaNode, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const length = [...value].length;
  const bounded = (): FieldError | undefined => {
    if (node.maxLength !== undefined && length > node.maxLength) return tooLong(path, node.maxLength);
    if (node.minLength !== undefined && length < node.minLength)
      return invalid(path, value, `${inBody(path)} should be at least ${node.minLength} chars long`);
    if (node.pattern !== undefined && node.pattern !== '') {
      const expression = compileRegExp(node.pattern);
      if (typeof expression === 'string')
        return invalid(
          path,
          value,
          `${inBody(path)} should match '${node.pattern}, but pattern is invalid: ${expression}'`,
        );
      if (!expression.test(value))
        return invalid(path, value, `${inBody(path)} should match '${node.pattern}'`);
    }
    return undefined;
  };
  const first = bounded();
  if (first !== undefined) errors.push(first);
  if (node.format !== undefined && !hasFormat(value, node.format))
    errors.push(typeInvalid(path, value, `${inBody(path)} must be of type ${node.format}: ${quote(value)}`));
  return errors;
}

function arrayErrors(value: readonly unknown[], node: SchemaNode, path: string, old: unknown): FieldError[] {
  const errors: FieldError[] = [];
  if (node.items !== undefined) {
    const items = node.items;
    const before = correlateItems(value, old, node);
    value.forEach((item, index) => {
      errors.push(...validateNode(item, items, `${path}[${index}]`, before[index]));
    });
  }
  if (node.minItems !== undefined && value.length < node.minItems)
    errors.push(invalid(path, value.length, `${inBody(path)} should have at least ${node.minItems} items`));
  if (node.maxItems !== undefined && value.length > node.maxItems)
    errors.push(tooMany(path, value.length, node.maxItems));
  if (node.uniqueItems === true && value.some((item, i) => value.slice(0, i).some((o) => deepEqual(o, item))))
    errors.push(invalid(path, '', `${inBody(path)} shouldn't contain duplicates`));
  return errors;
}

function objectErrors(
  value: { [key: string]: unknown },
  node: SchemaNode,
  path: string,
  old: unknown,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = Object.keys(value);
  if (node.minProperties !== undefined && names.length < node.minProperties)
    errors.push(
      invalid(path, names.length, `${inBody(path)} should have at least ${node.minProperties} properties`),
    );
  if (node.maxProperties !== undefined && names.length > node.maxProperties)
    errors.push(tooMany(path, names.length, node.maxProperties));
  const properties = node.properties ?? {};
  const values = mapValueSchema(node);
  for (const name of names) {
    if (Object.hasOwn(properties, name)) continue;
    if (node.additionalProperties === false)
      errors.push(invalid(path, name, `${path}.${name} in body is a forbidden property`));
    else if (values !== undefined)
      errors.push(...validateNode(value[name], values, child(path, name), correlateField(old, name)));
  }
  for (const [name, schema] of Object.entries(properties))
    if (Object.hasOwn(value, name))
      errors.push(...validateNode(value[name], schema, child(path, name), correlateField(old, name)));
  for (const name of node.required ?? [])
    if (!Object.hasOwn(value, name)) errors.push(required(child(path, name)));
  return errors;
}

/** Errors of the logical operators: the words name the path, then the nearest alternative's own errors follow. */
function logicErrors(value: unknown, node: SchemaNode, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const say = (text: string) => invalid('', '', text);
  const verdicts = (list: readonly SchemaNode[]) => list.map((schema) => validateNode(value, schema, path));
  const nearest = (lists: FieldError[][]) =>
    lists.reduce((best, next) => (next.length < best.length ? next : best));
  if (node.anyOf !== undefined && node.anyOf.length > 0) {
    const lists = verdicts(node.anyOf);
    if (!lists.some((list) => list.length === 0))
      errors.push(say(`${quote(path)} must validate at least one schema (anyOf)`), ...nearest(lists));
  }
  if (node.oneOf !== undefined && node.oneOf.length > 0) {
    const lists = verdicts(node.oneOf);
    const valid = lists.filter((list) => list.length === 0).length;
    if (valid !== 1)
      errors.push(
        say(
          `${quote(path)} must validate one and only one schema (oneOf). ${valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`}`,
        ),
        ...(valid === 0 ? nearest(lists) : []),
      );
  }
  if (node.allOf !== undefined && node.allOf.length > 0) {
    const lists = verdicts(node.allOf);
    errors.push(...lists.flat());
    const valid = lists.filter((list) => list.length === 0).length;
    if (valid !== lists.length)
      errors.push(
        say(`${quote(path)} must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`),
      );
  }
  if (node.not !== undefined && validateNode(value, node.not, path).length === 0)
    errors.push(say(`${quote(path)} must not validate the schema (not)`));
  return errors;
}

/** Errors of one value at its path; with an old value that is equal, none: what was accepted before stays accepted. */
export function validateNode(value: unknown, node: SchemaNode, path: string, old?: unknown): FieldError[] {
  const wrongType = typeError(value, node, path);
  const errors: FieldError[] = wrongType === undefined ? [] : [wrongType];
  if (value !== null) {
    errors.push(...logicErrors(value, node, path));
    if (typeof value === 'string') errors.push(...stringErrors(value, node, path));
    else if (typeof value === 'number') errors.push(...numberErrors(value, node, path));
    else if (Array.isArray(value)) errors.push(...arrayErrors(value, node, path, old));
  }
  errors.push(...enumErrors(value, node, path));
  if (isObject(value)) errors.push(...objectErrors(value, node, path, old));
  return errors.length > 0 && isUnchanged(value, old) ? [] : errors;
}

/** All errors of a whole object; `metadata` is judged elsewhere. */
export function validateObject(object: unknown, schema: SchemaNode, old?: unknown): FieldError[] {
  if (old === undefined) return validateNode(object, schema, '');
  return validateNode(object, schema, '', old);
}
