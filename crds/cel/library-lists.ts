/** List and set functions that Kubernetes registers and the CEL library lacks. */
import { type Environment, Optional } from '@marcbachmann/cel-js';

type Comparable = bigint | number | string | boolean | Date;

function order(a: Comparable, b: Comparable): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const key = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner));
const same = (a: unknown, b: unknown) => a === b || key(a) === key(b);

function pick(list: Comparable[], sign: number, name: string): Comparable {
  const [first, ...rest] = list;
  if (first === undefined) throw new Error(`${name} called on empty list`);
  return rest.reduce((best, next) => (order(next, best) * sign < 0 ? next : best), first);
}

function flatten(list: unknown[], depth: bigint): unknown[] {
  if (depth < 0n) throw new Error('level must be non-negative');
  return list.flat(Number(depth));
}

function slice(list: unknown[], start: bigint, end: bigint): unknown[] {
  const size = BigInt(list.length);
  if (start < 0n || end < 0n)
    throw new Error(`cannot slice(${start}, ${end}), negative indexes not supported`);
  if (start > end)
    throw new Error(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > size) throw new Error(`cannot slice(${start}, ${end}), list is length ${size}`);
  return list.slice(Number(start), Number(end));
}

function distinct(list: unknown[]): unknown[] {
  return list.filter((item, index) => list.findIndex((other) => same(item, other)) === index);
}

/** Registers Kubernetes' list library, cel-go's lists extension and its sets extension. */
export function registerLists(environment: Environment): void {
  for (const type of [
    'int',
    'double',
    'string',
    'bool',
    'google.protobuf.Timestamp',
    'google.protobuf.Duration',
  ]) {
    const list = `list<${type}>`;
    environment
      .registerFunction(`${list}.isSorted(): bool`, (items: Comparable[]) =>
        items.every((item, index) => index === 0 || order(items[index - 1] as Comparable, item) <= 0),
      )
      .registerFunction(`${list}.min(): ${type}`, (items: Comparable[]) => pick(items, 1, 'min'))
      .registerFunction(`${list}.max(): ${type}`, (items: Comparable[]) => pick(items, -1, 'max'));
    if (type !== 'google.protobuf.Duration')
      environment.registerFunction(`${list}.sort(): ${list}`, (items: Comparable[]) =>
        [...items].sort(order),
      );
  }
  environment
    .registerFunction('list<int>.sum(): int', (items: bigint[]) =>
      items.reduce((sum, item) => sum + item, 0n),
    )
    .registerFunction('list<double>.sum(): double', (items: number[]) =>
      items.reduce((sum, item) => sum + item, 0),
    )
    .registerFunction('list<dyn>.indexOf(dyn): int', (items: unknown[], item: unknown) =>
      BigInt(items.findIndex((other) => same(item, other))),
    )
    .registerFunction('list<dyn>.lastIndexOf(dyn): int', (items: unknown[], item: unknown) =>
      BigInt(items.findLastIndex((other) => same(item, other))),
    )
    .registerFunction('list<V>.distinct(): list<V>', distinct)
    .registerFunction('list<V>.reverse(): list<V>', (items: unknown[]) => [...items].reverse())
    .registerFunction('list<V>.slice(int, int): list<V>', slice)
    .registerFunction('list<V>.first(): optional<V>', (items: unknown[]) =>
      items.length === 0 ? Optional.none() : Optional.of(items[0]),
    )
    .registerFunction('list<V>.last(): optional<V>', (items: unknown[]) =>
      items.length === 0 ? Optional.none() : Optional.of(items.at(-1)),
    )
    .registerFunction('list.flatten(): list<dyn>', (items: unknown[]) => flatten(items, 1n))
    .registerFunction('list.flatten(int): list<dyn>', flatten);
  class SetsNamespace {}
  class ListsNamespace {}
  const contains = (items: unknown[], wanted: unknown[]) =>
    wanted.every((item) => items.some((other) => same(item, other)));
  environment
    .registerType('SetsNamespace', { ctor: SetsNamespace, fields: {} })
    .registerConstant('sets', 'SetsNamespace', new SetsNamespace())
    .registerFunction('SetsNamespace.contains(list, list): bool', (_: unknown, a: unknown[], b: unknown[]) =>
      contains(a, b),
    )
    .registerFunction(
      'SetsNamespace.equivalent(list, list): bool',
      (_: unknown, a: unknown[], b: unknown[]) => contains(a, b) && contains(b, a),
    )
    .registerFunction(
      'SetsNamespace.intersects(list, list): bool',
      (_: unknown, a: unknown[], b: unknown[]) => a.some((item) => b.some((other) => same(item, other))),
    )
    .registerType('ListsNamespace', { ctor: ListsNamespace, fields: {} })
    .registerConstant('lists', 'ListsNamespace', new ListsNamespace())
    .registerFunction('ListsNamespace.range(int): list<int>', (_: unknown, count: bigint) =>
      Array.from({ length: Number(count) }, (__, index) => BigInt(index)),
    );
}
