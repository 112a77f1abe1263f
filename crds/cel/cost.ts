/**
 * Estimates the highest cost of a CEL expression as Kubernetes does when a CustomResourceDefinition is written, so that
 * a rule that a real server refuses is refused here too. What has no known bound costs Infinity.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { mapValueSchema, type SchemaNode } from '../structural/schema-node.ts';
import { escapeName } from './names.ts';
import { maxElements } from './sizes.ts';

const traversal = 0.1;
const perRegexChar = 0.25;
const listBase = 10;
const mapBase = 30;

type Kind = 'scalar' | 'text' | 'list' | 'map' | 'object' | 'unknown';

interface Estimate {
  readonly cost: number;
  readonly kind: Kind;
  /** Most bytes or items. */
  readonly size: number;
  readonly schema?: SchemaNode | undefined;
  /** Most bytes or items of each entry, where it is known without a schema. */
  readonly entrySize?: number;
}

type Scope = ReadonlyMap<string, Estimate>;

const scalar = (cost: number): Estimate => ({ cost, kind: 'scalar', size: 1 });
const text = (cost: number, size = Infinity): Estimate => ({ cost, kind: 'text', size });
const times = (size: number, factor: number): number => Math.ceil(size * factor);
/** 0 × Infinity is 0 here: no item costs nothing. */
const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

function ofSchema(schema: SchemaNode | undefined, cost: number): Estimate {
  if (schema === undefined) return { cost, kind: 'unknown', size: Infinity };
  const size = maxElements(schema);
  if (schema['x-kubernetes-int-or-string'] === true) return { cost, kind: 'unknown', size, schema };
  switch (schema.type) {
    case 'array':
      return { cost, kind: 'list', size, schema };
    case 'object':
      return { cost, kind: mapValueSchema(schema) === undefined ? 'object' : 'map', size, schema };
    case 'string':
      return {
        cost,
        kind: ['duration', 'date', 'date-time'].includes(schema.format ?? '') ? 'scalar' : 'text',
        size,
        schema,
      };
    default:
      return { cost, kind: 'scalar', size, schema };
  }
}

function fieldOf(schema: SchemaNode | undefined, name: string): SchemaNode | undefined {
  for (const [property, inner] of Object.entries(schema?.properties ?? {}))
    if (escapeName(property) === name) return inner;
  return mapValueSchema(schema);
}

/** Highest cost of an expression over `self` of this schema. */
export function expressionCost(ast: ASTNode, schema: SchemaNode): number {
  const self = ofSchema(schema, 1);
  return new Estimator(self).of(
    ast,
    new Map([
      ['self', self],
      ['oldSelf', self],
    ]),
  ).cost;
}

class Estimator {
  readonly #root: Estimate;

  constructor(root: Estimate) {
    this.#root = root;
  }

  of(node: ASTNode, scope: Scope): Estimate {
    switch (node.op) {
      case 'value':
        return typeof node.args === 'string' ? text(0, [...node.args].length) : scalar(0);
      case 'id':
        return scope.get(node.args) ?? { cost: 1, kind: 'unknown', size: Infinity };
      case '.': {
        const operand = this.of(node.args[0], scope);
        const extra = operand.kind === 'map' || operand.kind === 'object' ? 1 : 0;
        return ofSchema(fieldOf(operand.schema, node.args[1]), operand.cost + extra);
      }
      case '.?':
        return { ...scalar(1 + this.of(node.args[0], scope).cost), kind: 'unknown', size: Infinity };
      case '[?]':
        return { ...scalar(1 + this.#sum(node.args, scope)), kind: 'unknown', size: Infinity };
      case '[]': {
        const [operand, index] = [this.of(node.args[0], scope), this.of(node.args[1], scope)];
        return { ...this.#entry(operand), cost: 1 + operand.cost + index.cost };
      }
      case 'list': {
        const items = node.args.map((item) => this.of(item, scope));
        return {
          cost: listBase + items.reduce((sum, item) => sum + item.cost, 0),
          kind: 'list',
          size: items.length,
          entrySize: Math.max(0, ...items.map((item) => item.size)),
        };
      }
      case 'map':
        return {
          cost: mapBase + node.args.reduce((sum, pair) => sum + this.#sum(pair, scope), 0),
          kind: 'map',
          size: node.args.length,
        };
      case '?:': {
        const [condition, yes, no] = node.args.map((arg) => this.of(arg, scope)) as [
          Estimate,
          Estimate,
          Estimate,
        ];
        return {
          ...yes,
          cost: condition.cost + Math.max(yes.cost, no.cost),
          size: Math.max(yes.size, no.size),
        };
      }
      case '||':
      case '&&':
        return scalar(this.#sum(node.args, scope));
      case '!_':
      case '-_':
        return scalar(1 + this.of(node.args, scope).cost);
      case 'call':
        return this.#call(node.args[0], undefined, node.args[1], scope);
      case 'rcall':
        return this.#call(node.args[0], node.args[1], node.args[2], scope);
      default:
        return this.#binary(node.op, node.args as unknown as readonly [ASTNode, ASTNode], scope);
    }
  }

  #sum(nodes: readonly ASTNode[], scope: Scope): number {
    return nodes.reduce((sum, node) => sum + this.of(node, scope).cost, 0);
  }

  /** An item or value of a list or map; without a schema its size is read off the root, as upstream does. */
  #entry(container: Estimate): Estimate {
    const { schema } = container;
    const inner = container.kind === 'list' ? schema?.items : mapValueSchema(schema);
    if (inner !== undefined) return ofSchema(inner, 1);
    return { cost: 1, kind: 'unknown', size: container.entrySize ?? this.#root.size };
  }

  #binary(op: string, [first, second]: readonly [ASTNode, ASTNode], scope: Scope): Estimate {
    const [left, right] = [this.of(first, scope), this.of(second, scope)];
    const cost = left.cost + right.cost;
    const numeric = left.kind === 'scalar' || right.kind === 'scalar';
    switch (op) {
      case '==':
      case '!=':
        return scalar(cost + times(Math.min(left.size, right.size), traversal));
      case '<':
      case '<=':
      case '>':
      case '>=':
        return scalar(cost + (numeric ? 1 : times(Math.min(left.size, right.size), traversal)));
      case 'in':
        return scalar(cost + (right.kind === 'list' ? right.size : 1));
      case '+': {
        if (left.kind === 'list' || right.kind === 'list')
          return { ...left, cost: cost + 1, size: left.size + right.size };
        if (numeric) return scalar(cost + 1);
        const size = left.size + right.size;
        return text(cost + times(size, traversal), size);
      }
      default:
        return scalar(cost + 1);
    }
  }

  #call(name: string, receiver: ASTNode | undefined, args: readonly ASTNode[], scope: Scope): Estimate {
    const [first] = args;
    if (name === 'has' && first?.op === '.') return scalar(this.of(first.args[0], scope).cost);
    if (receiver !== undefined && first?.op === 'id' && args.length > 1) {
      if (name === 'bind') return this.#bind(first.args, args, scope);
      const second = args[1];
      const isPair = second?.op === 'id' && args.length > 2 && pairLoops.has(name);
      const names = isPair ? [first.args, second.args] : [first.args];
      const loop = this.#loop(name, receiver, names, args.slice(names.length), scope);
      if (loop !== undefined) return loop;
    }
    const isNamespace = receiver?.op === 'id' && namespaces.has(receiver.args) && !scope.has(receiver.args);
    const target = receiver === undefined || isNamespace ? undefined : this.of(receiver, scope);
    if (isNamespace && receiver.args === 'sets') {
      const [left, right] = args.map((arg) => this.of(arg, scope));
      if (left !== undefined && right !== undefined)
        return scalar(1 + left.cost + right.cost + product(left.size, right.size));
    }
    const values = args.map((arg) => this.of(arg, scope));
    const base = (target?.cost ?? 0) + values.reduce((sum, value) => sum + value.cost, 0);
    return functionCost(name, target, values, base);
  }

  #bind(name: string, args: readonly ASTNode[], scope: Scope): Estimate {
    const [, value, body] = args;
    if (value === undefined || body === undefined) return scalar(1);
    const bound = this.of(value, scope);
    const result = this.of(body, new Map([...scope, [name, { ...bound, cost: 1 }]]));
    return { ...result, cost: listBase + bound.cost + result.cost };
  }

  #loop(
    name: string,
    receiver: ASTNode,
    [first = '', second]: readonly string[],
    bodies: readonly ASTNode[],
    scope: Scope,
  ): Estimate | undefined {
    const range = this.of(receiver, scope);
    const entry: Estimate = { ...this.#entry(range), cost: 1 };
    const key: Estimate = range.kind === 'map' ? text(1, 0) : scalar(1);
    const item = second === undefined && range.kind === 'map' ? key : entry;
    const inner = new Map([...scope, [first, second === undefined ? item : key]]);
    if (second !== undefined) inner.set(second, entry);
    const [body, transform] = bodies.map((node) => this.of(node, inner));
    if (body === undefined) return undefined;
    const repeat = (start: number, each: number, end: number) =>
      range.cost + start + product(range.size, each) + end;
    switch (name) {
      case 'all':
        return scalar(repeat(0, 3 + body.cost, 1));
      case 'exists':
        return scalar(repeat(0, 4 + body.cost, 1));
      case 'exists_one':
      case 'existsOne':
        return scalar(repeat(0, 2 + body.cost, 2));
      case 'filter':
        return {
          cost: repeat(listBase, 13 + body.cost, 1),
          kind: 'list',
          size: range.size,
          entrySize: item.size,
        };
      case 'map':
      case 'sortBy':
      case 'transformList': {
        const value = transform ?? body;
        const each = transform === undefined ? 12 + body.cost : body.cost + 12 + transform.cost;
        return { cost: repeat(listBase, each, 1), kind: 'list', size: range.size, entrySize: value.size };
      }
      default:
        return undefined;
    }
  }
}

const namespaces = new Set(['sets', 'lists', 'strings', 'optional', 'cel', 'format', 'ip']);
const pairLoops = new Set(['all', 'exists', 'existsOne', 'transformList', 'transformMap']);
const traversing = new Set(['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf']);
const parsing = new Set([
  'url',
  'cidr',
  'isIP',
  'isCIDR',
  'ip',
  'quantity',
  'isQuantity',
  'semver',
  'isSemver',
]);
const shortening = new Set(['lowerAscii', 'upperAscii', 'substring', 'trim']);
const texts = new Set([
  'string',
  'charAt',
  'reverse',
  'getScheme',
  'getHost',
  'getHostname',
  'getPort',
  'getEscapedPath',
]);
const opaque = new Set(['quantity', 'url', 'ip', 'cidr']);

function functionCost(
  name: string,
  target: Estimate | undefined,
  args: readonly Estimate[],
  base: number,
): Estimate {
  const [first, second] = args;
  const size = target?.size ?? 0;
  if (target !== undefined) {
    if (traversing.has(name)) {
      if (target.kind !== 'list') return scalar(base + times(size, traversal));
      const entry =
        target.schema?.items === undefined ? (target.entrySize ?? 0) : maxElements(target.schema.items);
      const isText = target.schema?.items?.type === 'string';
      return scalar(base + product(size, isText ? 1 + times(entry, traversal) : 1));
    }
    if (shortening.has(name)) return text(base + times(size, traversal), size);
    switch (name) {
      case 'replace':
        return text(
          base + times(size, 2 * traversal),
          replacedSize(size, first?.size ?? 0, second?.size ?? 0),
        );
      case 'split':
        return { cost: base + times(size, 2 * traversal), kind: 'list', size };
      case 'join': {
        // The items of a list that was computed have no known size.
        const entry = target.schema?.items === undefined ? Infinity : maxElements(target.schema.items);
        const joined = product(size, entry) + product(first?.size ?? 0, Math.max(0, size - 1));
        return text(base + times(joined, traversal), joined);
      }
      case 'find':
      case 'matches':
        return {
          ...scalar(base + regexCost(size, first?.size ?? 0)),
          ...(name === 'find' ? { kind: 'text', size } : {}),
        };
      case 'findAll':
        return { cost: base + regexCost(size, first?.size ?? 0), kind: 'list', size };
      case 'contains':
        return scalar(base + product(times(size, traversal), times(first?.size ?? 0, traversal)));
      case 'startsWith':
      case 'endsWith':
        return scalar(base + times(first?.size ?? 0, traversal));
      case 'format':
        return text(base + times(size, traversal));
      case 'orValue':
        return first === undefined
          ? scalar(base + 1)
          : { ...first, cost: base + 1, ...(first.kind === 'scalar' ? {} : { size: Infinity }) };
      case 'value':
        return { cost: base + 1, kind: 'unknown', size: Infinity };
      default:
    }
  }
  if (parsing.has(name))
    return {
      cost: base + times(first?.size ?? 0, traversal),
      kind: opaque.has(name) ? 'unknown' : 'scalar',
      size: opaque.has(name) ? Infinity : 1,
    };
  if (name === 'dyn' && first !== undefined) return { ...first, cost: base + 1 };
  return texts.has(name) ? text(base + 1) : scalar(base + 1);
}

/** One is added to the text's length, so that an expensive pattern costs something on an empty text. */
function regexCost(size: number, pattern: number): number {
  return product(times(size + 1, traversal), times(pattern, perRegexChar));
}

function replacedSize(size: number, from: number, to: number): number {
  if (from === 0) return product(size + 1, to) + size;
  return to <= from ? size : product(Math.ceil(size / from), to);
}
