/** Why an object of a built-in kind cannot be read into its Go type, in the words of Go's decoder. */
import {
  fieldSchema,
  isObject,
  mapValueSchema,
  type SchemaNode,
} from '../../../crds/structural/schema-node.ts';
import { structNameOf } from './notation.ts';
import { parseQuantity } from './quantity.ts';

interface Place {
  /** Path of fields without positions, as Go prints it. */
  readonly path: string;
  /** Struct that holds the innermost field. */
  readonly struct: string;
}

const int32 = 2_147_483_648;
const quantityText =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Go embeds these structs, and names them in the path. */
const embedded: Record<string, [struct: string, except: ReadonlySet<string>]> = {
  Probe: ['ProbeHandler', new Set()],
  Volume: ['VolumeSource', new Set(['name'])],
};
const handlerFields = new Set(['exec', 'httpGet', 'tcpSocket', 'grpc']);

function step(struct: string, name: string): string {
  if (struct === 'Probe') return handlerFields.has(name) ? `ProbeHandler.${name}` : name;
  const inner = embedded[struct];
  return inner === undefined || inner[1].has(name) ? name : `${inner[0]}.${name}`;
}

/** The sentence about the first value of a wrong type; undefined when every value fits. */
export function decodeError(
  object: unknown,
  schema: SchemaNode,
  kind: string,
  version: string,
): string | undefined {
  const fault = fieldsFault(object, schema, { path: '', struct: kind }, version);
  return fault === undefined
    ? undefined
    : `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${fault}`;
}

/** The sentence about a custom resource's metadata, whose types are Go's as well. */
export function metadataDecodeError(
  object: unknown,
  schema: SchemaNode,
  kind: string,
  version: string,
): string | undefined {
  if (!isObject(object) || object.metadata === undefined || object.metadata === null) return undefined;
  const found = isObject(object.metadata)
    ? fieldsFault(object.metadata, schema, { path: '', struct: 'ObjectMeta' }, 'v1')
    : `json: cannot unmarshal ${jsonName(object.metadata)} into Go value of type v1.ObjectMeta`;
  return found === undefined
    ? undefined
    : `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${found}`;
}

function jsonName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (isObject(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function goType(schema: SchemaNode, version: string): string {
  if (schema.format === 'byte') return '[]uint8';
  if (schema.type === 'array')
    return `[]${schema.items === undefined ? 'interface {}' : goType(schema.items, version)}`;
  if (schema.type === 'object') {
    const values = mapValueSchema(schema);
    if (values !== undefined) return `map[string]${goType(values, version)}`;
    return `${version}.${structNameOf(schema) ?? 'RawExtension'}`;
  }
  if (schema.type === 'boolean') return 'bool';
  if (schema.type === 'integer') return schema.format === 'int32' ? 'int32' : 'int64';
  if (schema.type === 'number') return 'float64';
  return schema.type ?? 'int32';
}

const mismatch = (what: string, place: Place, type: string) =>
  `json: cannot unmarshal ${what} into Go struct field ${place.struct}.${place.path} of type ${type}`;

function fault(value: unknown, schema: SchemaNode, place: Place, version: string): string | undefined {
  if (value === null) return undefined;
  if (schema.format === 'quantity') {
    const fits =
      typeof value === 'number' || (typeof value === 'string' && parseQuantity(value) !== undefined);
    return fits ? undefined : quantityText;
  }
  if (schema.format === 'int-or-string') {
    if (typeof value === 'string') return undefined;
    return typeof value === 'number' && Number.isInteger(value)
      ? undefined
      : mismatch(typeof value === 'number' ? `number ${value}` : jsonName(value), place, 'int32');
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return undefined;
  const wrong = () => mismatch(jsonName(value), place, goType(schema, version));
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') return wrong();
      // Of the times that may be null only a pod's are in whole seconds.
      return textFault(value, schema, schema.nullable === true && place.struct !== 'PodCondition');
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrong();
    case 'integer':
      if (typeof value !== 'number') return wrong();
      return Number.isInteger(value) && (schema.format !== 'int32' || (value >= -int32 && value < int32))
        ? undefined
        : mismatch(`number ${value}`, place, goType(schema, version));
    case 'number':
      return typeof value === 'number' ? undefined : wrong();
    case 'array':
      if (!Array.isArray(value)) return wrong();
      for (const item of value) {
        const inner = schema.items === undefined ? undefined : fault(item, schema.items, place, version);
        if (inner !== undefined) return inner;
      }
      return undefined;
    default:
      return isObject(value) ? fieldsFault(value, schema, place, version) : wrong();
  }
}

function fieldsFault(value: unknown, schema: SchemaNode, place: Place, version: string): string | undefined {
  if (!isObject(value)) return undefined;
  const struct = structNameOf(schema);
  for (const [name, inner] of Object.entries(value)) {
    const below = fieldSchema(schema, name);
    if (below === undefined) continue;
    const at: Place =
      struct === undefined
        ? place
        : { struct, path: place.path === '' ? step(struct, name) : `${place.path}.${step(struct, name)}` };
    const found = fault(inner, below, at, version);
    if (found !== undefined) return found;
  }
  return undefined;
}

function textFault(value: string, schema: SchemaNode, isMicro: boolean): string | undefined {
  if (
    schema.format === 'date-time' &&
    value !== '' &&
    !/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[-+]\d\d:\d\d)$/.test(value)
  ) {
    const layout = isMicro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00';
    return `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)} as "2006"`;
  }
  if (schema.format === 'byte') {
    const at = /[^A-Za-z0-9+/=\r\n]/.exec(value)?.index;
    if (at !== undefined) return `illegal base64 data at input byte ${at}`;
    // Go names the start of the group that is not whole.
    const { length } = value.replace(/[\r\n]/g, '');
    if (length % 4 !== 0) return `illegal base64 data at input byte ${length - (length % 4)}`;
  }
  return undefined;
}
