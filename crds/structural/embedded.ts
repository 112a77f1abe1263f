/** Resources inside a resource: each must say what it is. */
import { type FieldError, invalid, required } from './field-error.ts';
import { fieldSchema, isObject, type JsonObject, type SchemaNode } from './schema-node.ts';

const kindText =
  "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

function typeErrors(value: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ['apiVersion', 'kind']) {
    const at = `${path}.${name}`;
    if (!Object.hasOwn(value, name)) {
      errors.push(required(at));
      continue;
    }
    const text = value[name];
    if (typeof text !== 'string') errors.push(invalid(at, text, 'must be a string'));
    else if (text === '') errors.push(invalid(at, text, 'must not be empty'));
    else if (name === 'apiVersion' && text.split('/').length > 2)
      errors.push(invalid(at, text, `unexpected GroupVersion string: ${text}`));
    else if (name === 'kind' && !/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(text.toLowerCase()))
      errors.push(invalid(at, text, kindText));
  }
  return errors;
}

/** Errors of `apiVersion` and `kind` of every embedded resource below the value. */
export function embeddedErrors(value: unknown, node: SchemaNode | undefined, path: string): FieldError[] {
  if (node === undefined) return [];
  if (Array.isArray(value))
    return value.flatMap((item, index) => embeddedErrors(item, node.items, `${path}[${index}]`));
  if (!isObject(value)) return [];
  const own = node['x-kubernetes-embedded-resource'] === true ? typeErrors(value, path) : [];
  const below = Object.entries(value).flatMap(([name, inner]) => {
    const isField = node.properties !== undefined && Object.hasOwn(node.properties, name);
    const at = isField ? (path === '' ? name : `${path}.${name}`) : `${path}[${name}]`;
    return embeddedErrors(inner, fieldSchema(node, name), at);
  });
  return [...own, ...below];
}
