/**
 * A compact notation for the schemas of built-in kinds:
 *
 *     ContainerPort : A port that a container opens.
 *       containerPort! int32 : Port number, 1 to 65535.
 *       protocol string =TCP |SCTP,TCP,UDP : Protocol of the port.
 *       env []EnvVar map(name) merge(name) : Environment variables.
 *
 * A struct starts at column 0 (`Name [atomic] : text`), its fields are indented: name (`!` required), type, options, text.
 * Types: string bool int32 int64 number bytes quantity intOrString time microTime nullTime any, a struct's name,
 * `[]type` for lists and `{type}` for maps with string keys. Options: `map(keys)` and `set` (list types of server-side
 * apply), `merge`, `merge(key)`, `replace` and `retain` (strategic merge patch), `atomic`, `=default`, `|enum,values`.
 */
import type { SchemaNode } from '../../../crds/structural/schema-node.ts';

type Draft = { -readonly [Key in keyof SchemaNode]: SchemaNode[Key] } & { 'x-go-type'?: string };

const scalars: Record<string, Draft> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  number: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  quantity: { 'x-kubernetes-int-or-string': true, format: 'quantity' },
  intOrString: { 'x-kubernetes-int-or-string': true, format: 'int-or-string' },
  time: { type: 'string', format: 'date-time' },
  /** Written as null where there is none. */
  nullTime: { type: 'string', format: 'date-time', nullable: true },
  microTime: { type: 'string', format: 'date-time', nullable: true },
  object: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  any: { 'x-kubernetes-preserve-unknown-fields': true },
};

interface Struct {
  readonly atomic: boolean;
  readonly description: string;
  readonly lines: string[];
}

const structNames = new WeakMap<object, string>();

/** Name of the struct that a schema was made from; fields of a struct's type know it too. */
export function structNameOf(schema: SchemaNode | undefined): string | undefined {
  return schema?.properties === undefined ? undefined : structNames.get(schema.properties);
}

/** Schemas by struct name, made from text when they are first asked for. */
export class TypeLibrary {
  readonly #structs = new Map<string, Struct>();
  readonly #made = new Map<string, SchemaNode>();

  constructor(...sources: string[]) {
    for (const source of sources) this.#read(source);
  }

  /** The schema of one struct; the same object each time. */
  struct(name: string): SchemaNode {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const struct = this.#structs.get(name);
    if (struct === undefined) throw new Error(`no struct called ${name} in the type notation`);
    const properties: Record<string, SchemaNode> = {};
    structNames.set(properties, name);
    const required: string[] = [];
    const node: Draft = {
      type: 'object',
      ...(struct.description === '' ? {} : { description: struct.description }),
      properties,
      ...(struct.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
    this.#made.set(name, node);
    for (const line of struct.lines) {
      const match = /^\s+(\S+?)(!?) (\S+)(.*?)(?: : (.*))?$/.exec(line);
      if (match === null) throw new Error(`cannot read the field line "${line}" of ${name}`);
      const [, field = '', bang, type = '', options = '', text = ''] = match;
      if (bang === '!') required.push(field);
      properties[field] = this.#field(type, options.trim(), text);
    }
    if (required.length > 0) node.required = required;
    return node;
  }

  #read(source: string): void {
    let current: Struct | undefined;
    for (const line of source.split('\n')) {
      if (line.trim() === '') continue;
      if (line.startsWith(' ')) {
        current?.lines.push(line);
        continue;
      }
      const match = /^(\w+)( atomic)?(?: : (.*))?$/.exec(line);
      if (match?.[1] === undefined) throw new Error(`cannot read the struct line "${line}"`);
      if (this.#structs.has(match[1])) throw new Error(`struct ${match[1]} is defined twice`);
      current = { atomic: match[2] !== undefined, description: match[3] ?? '', lines: [] };
      this.#structs.set(match[1], current);
    }
  }

  #type(type: string): Draft {
    if (type.startsWith('[]')) return { type: 'array', items: this.#type(type.slice(2)) };
    // Go reads a null in a map of texts as the empty text.
    if (type === '{string}') return { type: 'object', additionalProperties: { type: 'string', default: '' } };
    if (type.startsWith('{')) return { type: 'object', additionalProperties: this.#type(type.slice(1, -1)) };
    const scalar = scalars[type];
    return scalar === undefined ? (this.struct(type) as Draft) : { ...scalar };
  }

  #field(type: string, options: string, text: string): SchemaNode {
    const base = this.#type(type);
    if (options === '' && text === '') return base;
    const node: Draft = { ...base, ...(text === '' ? {} : { description: text }) };
    for (const option of options.split(' ').filter((word) => word !== '')) apply(node, option, type);
    return node;
  }
}

function apply(node: Draft, option: string, type: string): void {
  const argument = /\((.*)\)$/.exec(option)?.[1];
  switch (option.replace(/\(.*$/, '').replace(/^([=|]).*$/, '$1')) {
    case 'map':
      node['x-kubernetes-list-type'] = 'map';
      node['x-kubernetes-list-map-keys'] = (argument ?? '').split(',');
      return;
    case 'set':
      node['x-kubernetes-list-type'] = 'set';
      return;
    case 'atomic':
      if (type.startsWith('[]')) node['x-kubernetes-list-type'] = 'atomic';
      else node['x-kubernetes-map-type'] = 'atomic';
      return;
    case 'granular':
      node['x-kubernetes-map-type'] = 'granular';
      return;
    case 'merge':
    case 'replace':
    case 'retain': {
      const word = option.startsWith('retain') ? 'retainKeys' : option.replace(/\(.*$/, '');
      const before = node['x-kubernetes-patch-strategy'];
      node['x-kubernetes-patch-strategy'] = before === undefined ? word : `${before},${word}`;
      if (argument !== undefined) node['x-kubernetes-patch-merge-key'] = argument;
      return;
    }
    case '=': {
      const value = option.slice(1);
      node.default = node.type === 'string' ? value : (JSON.parse(value) as unknown);
      return;
    }
    case '|':
      node.enum = option.slice(1).split(',');
      return;
    default:
      throw new Error(`unknown option "${option}" in the type notation`);
  }
}
