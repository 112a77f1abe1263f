/** CEL types of a structural schema, and JSON values as instances of them. */
import type { Environment } from '@marcbachmann/cel-js';
import {
  deepEqual,
  isObject,
  type JsonObject,
  mapValueSchema,
  type SchemaNode,
} from '../structural/schema-node.ts';
import { durationValue } from './environment.ts';
import { escapeName } from './names.ts';

/** A value that a CEL expression can work with. */
export type CelValue = unknown;

interface ObjectType {
  readonly name: string;
  readonly make: (value: JsonObject) => object;
}

const metaSchema: SchemaNode = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
};

/** The schema as rules at the root of a resource see it: with apiVersion, kind and the names in metadata. */
export function asResourceRoot(schema: SchemaNode): SchemaNode {
  return {
    ...schema,
    type: 'object',
    properties: {
      ...schema.properties,
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: metaSchema,
    },
  };
}

function comparable(value: unknown): unknown {
  if (typeof value === 'bigint') return { int: String(value) };
  if (value instanceof Date) return { time: value.getTime() };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), comparable(inner)]));
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, comparable(inner)]));
  return value;
}

/** Registers one CEL type per object schema, so that a rule that names an unknown field is refused when it is compiled. */
export class CelTypes {
  readonly #environment: Environment;
  readonly #objects = new Map<SchemaNode, ObjectType>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** CEL type of a schema; undefined when rules cannot see values of it. */
  typeOf(schema: SchemaNode, isRoot = schema['x-kubernetes-embedded-resource'] === true): string | undefined {
    if (schema['x-kubernetes-int-or-string'] === true) return 'dyn';
    const type = isRoot ? 'object' : schema.type;
    switch (type) {
      case 'array': {
        const items = schema.items === undefined ? undefined : this.typeOf(schema.items);
        return items === undefined ? undefined : `list<${items}>`;
      }
      case 'object': {
        const values = mapValueSchema(schema);
        if (values !== undefined && !isRoot) {
          const inner = this.typeOf(values);
          return inner === undefined ? undefined : `map<string, ${inner}>`;
        }
        return this.#object(schema, isRoot).name;
      }
      case 'string':
        return stringType(schema.format);
      case 'boolean':
        return 'bool';
      case 'number':
        return 'double';
      case 'integer':
        return 'int';
      default:
        return undefined;
    }
  }

  /** Registers the types of everything below a schema; afterwards the environment may be cloned, which freezes it. */
  registerAll(schema: SchemaNode, isRoot: boolean): void {
    this.typeOf(schema, isRoot);
    const values = mapValueSchema(schema);
    for (const inner of [...Object.values(schema.properties ?? {}), schema.items, values])
      if (inner !== undefined) this.registerAll(inner, inner['x-kubernetes-embedded-resource'] === true);
  }

  #object(schema: SchemaNode, isRoot: boolean): ObjectType {
    const known = this.#objects.get(schema);
    if (known !== undefined) return known;
    const name = `ObjectType${this.#objects.size + 1}`;
    const properties = (isRoot ? asResourceRoot(schema) : schema).properties ?? {};
    const fields: Record<string, string> = {};
    const readers: [from: string, to: string, schema: SchemaNode][] = [];
    const Instance = class {};
    Object.defineProperty(Instance, 'name', { value: name });
    const made: ObjectType = {
      name,
      make: (value) => {
        const instance = new Instance() as JsonObject;
        for (const [from, to, inner] of readers)
          if (Object.hasOwn(value, from)) instance[to] = this.valueOf(value[from], inner);
        return instance;
      },
    };
    this.#objects.set(schema, made);
    for (const [property, inner] of Object.entries(properties)) {
      const type = this.typeOf(inner);
      const escaped = escapeName(property);
      if (type === undefined || escaped === undefined) continue;
      fields[escaped] = inner.nullable === true ? 'dyn' : type;
      readers.push([property, escaped, inner]);
    }
    this.#environment.registerType(name, { ctor: Instance, fields });
    this.#environment.registerOperator(`${name} == ${name}`, (a, b) =>
      deepEqual(comparable(a), comparable(b)),
    );
    return made;
  }

  /** The JSON value as a CEL value of its schema. */
  valueOf(
    value: unknown,
    schema: SchemaNode,
    isRoot = schema['x-kubernetes-embedded-resource'] === true,
  ): CelValue {
    if (value === null || value === undefined) return null;
    if (schema['x-kubernetes-int-or-string'] === true)
      return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
    if (Array.isArray(value)) {
      const items = schema.items;
      return items === undefined ? value : value.map((item) => this.valueOf(item, items));
    }
    if (isObject(value)) {
      const values = mapValueSchema(schema);
      if (values !== undefined && !isRoot)
        return new Map(Object.entries(value).map(([key, inner]) => [key, this.valueOf(inner, values)]));
      return this.#object(schema, isRoot).make(value);
    }
    if (typeof value === 'number') {
      if (schema.type === 'number') return value;
      return Number.isInteger(value) ? BigInt(value) : value;
    }
    if (typeof value === 'string') return stringValue(value, schema.format);
    return value;
  }
}

function stringType(format: string | undefined): string {
  switch (format) {
    case 'byte':
      return 'bytes';
    case 'duration':
      return 'google.protobuf.Duration';
    case 'date':
    case 'date-time':
      return 'google.protobuf.Timestamp';
    default:
      return 'string';
  }
}

function stringValue(value: string, format: string | undefined): CelValue {
  switch (format) {
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'duration':
      return durationValue(value);
    case 'date':
    case 'date-time':
      return new Date(value);
    default:
      return value;
  }
}
