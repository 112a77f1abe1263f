/** Macros that Kubernetes enables and the CEL library lacks: comprehensions of two variables, `sortBy`, `optMap`. */
import { type ASTNode, type Environment, Optional } from '@marcbachmann/cel-js';

/** The parts of the library's checker and evaluator that a macro meets; its own types leave them open. */
interface CelType {
  readonly kind: string;
  readonly keyType?: CelType;
  readonly valueType?: CelType;
}
interface Context {
  forkWithVariable(name: string, type: CelType): Overlay;
}
interface Overlay extends Context {
  reuse(parent: Context): Overlay;
  setIterValue(value: unknown, evaluator: Evaluator): Overlay;
}
interface Checker {
  check(node: ASTNode, context: Context): CelType;
  getType(name: string): CelType;
  createError(code: string, message: string, node: ASTNode): Error;
}
interface Evaluator {
  run(node: ASTNode, context: Context): unknown;
}
interface Call {
  readonly args: readonly ASTNode[];
  readonly receiver: ASTNode;
}

function nameOf(node: ASTNode | undefined): string {
  if (node?.op === 'id') return node.args;
  throw new Error('argument must be a simple name');
}

type Entry = readonly [key: unknown, value: unknown];

function entriesOf(container: unknown): Entry[] {
  if (Array.isArray(container)) return container.map((value, index): Entry => [BigInt(index), value]);
  if (container instanceof Map) return [...container];
  return Object.entries(container as object);
}

interface Loop {
  readonly bodies: readonly ASTNode[];
  /** Type of the whole, from the range and the bodies. */
  readonly type: (checker: Checker, range: CelType, bodies: readonly CelType[]) => CelType;
  /** Value of the whole; `run` computes one body for one entry. */
  readonly value: (
    entries: readonly Entry[],
    run: (entry: Entry, body: number) => unknown,
    container: unknown,
  ) => unknown;
}

/** A macro with a variable for index or key and one for the value. */
function twoVariables({ args, receiver }: Call, loop: Omit<Loop, 'bodies'>) {
  const [first, second, ...bodies] = args;
  const [keyName, valueName] = [nameOf(first), nameOf(second)];
  let outer: Overlay | undefined;
  let inner: Overlay | undefined;
  return {
    typeCheck(checker: Checker, _: unknown, context: Context): CelType {
      const range = checker.check(receiver, context);
      const dyn = checker.getType('dyn');
      const key = range.kind === 'list' ? checker.getType('int') : (range.keyType ?? dyn);
      outer = context.forkWithVariable(keyName, key);
      inner = outer.forkWithVariable(valueName, range.valueType ?? dyn);
      const scope = inner;
      return loop.type(
        checker,
        range,
        bodies.map((body) => checker.check(body, scope)),
      );
    },
    evaluate(evaluator: Evaluator, _: unknown, context: Context): unknown {
      const container = evaluator.run(receiver, context);
      return loop.value(
        entriesOf(container),
        ([key, value], body) => {
          const node = bodies[body];
          if (outer === undefined || inner === undefined || node === undefined) return undefined;
          const below = outer.reuse(context).setIterValue(key, evaluator);
          return evaluator.run(node, inner.reuse(below).setIterValue(value, evaluator));
        },
        container,
      );
    },
  };
}

const asBool = (checker: Checker): CelType => checker.getType('bool');

/** Registers the macros. */
export function registerMacros(environment: Environment): void {
  const macro = (signature: string, make: (call: Call) => unknown) =>
    environment.registerFunction(signature, make as never);
  macro('list.all(ast, ast, ast): bool', (call) =>
    twoVariables(call, {
      type: asBool,
      value: (entries, run) => entries.every((entry) => run(entry, 0) === true),
    }),
  );
  macro('list.exists(ast, ast, ast): bool', (call) =>
    twoVariables(call, {
      type: asBool,
      value: (entries, run) => entries.some((entry) => run(entry, 0) === true),
    }),
  );
  macro('list.existsOne(ast, ast, ast): bool', (call) =>
    twoVariables(call, {
      type: asBool,
      value: (entries, run) => entries.filter((entry) => run(entry, 0) === true).length === 1,
    }),
  );
  const transformList = (filtered: boolean) => (call: Call) =>
    twoVariables(call, {
      type: (checker, _, bodies) => checker.getType(`list<${String(bodies.at(-1))}>`),
      value: (entries, run) =>
        entries
          .filter((entry) => !filtered || run(entry, 0) === true)
          .map((entry) => run(entry, filtered ? 1 : 0)),
    });
  macro('list.transformList(ast, ast, ast): list<dyn>', transformList(false));
  macro('list.transformList(ast, ast, ast, ast): list<dyn>', transformList(true));
  const transformMap = (filtered: boolean) => (call: Call) =>
    twoVariables(call, {
      type: (checker, range, bodies) =>
        checker.getType(
          `map<${range.kind === 'list' ? 'int' : String(range.keyType ?? 'dyn')}, ${String(bodies.at(-1))}>`,
        ),
      value: (entries, run) =>
        new Map(
          entries
            .filter((entry) => !filtered || run(entry, 0) === true)
            .map((entry) => [entry[0], run(entry, filtered ? 1 : 0)]),
        ),
    });
  macro('list.transformMap(ast, ast, ast): map<dyn, dyn>', transformMap(false));
  macro('list.transformMap(ast, ast, ast, ast): map<dyn, dyn>', transformMap(true));
  macro('list.sortBy(ast, ast): list<dyn>', sortBy);
  macro('optional.optMap(ast, ast): optional<dyn>', (call) => whenPresent(call, false));
  macro('optional.optFlatMap(ast, ast): optional<dyn>', (call) => whenPresent(call, true));
  environment.registerFunction(
    'OptionalNamespace.ofNonZeroValue(A): optional<A>',
    (_: unknown, value: unknown) => (isZero(value) ? Optional.none() : Optional.of(value)),
  );
}

/** A macro with one variable over the receiver's items or value. */
function oneVariable(
  { args, receiver }: Call,
  type: (checker: Checker, range: CelType, body: CelType) => CelType,
  value: (container: unknown, run: (item: unknown) => unknown) => unknown,
) {
  const name = nameOf(args[0]);
  const body = args[1] as ASTNode;
  let scope: Overlay | undefined;
  return {
    typeCheck(checker: Checker, _: unknown, context: Context): CelType {
      const range = checker.check(receiver, context);
      scope = context.forkWithVariable(name, range.valueType ?? checker.getType('dyn'));
      return type(checker, range, checker.check(body, scope));
    },
    evaluate(evaluator: Evaluator, _: unknown, context: Context): unknown {
      return value(evaluator.run(receiver, context), (item) =>
        scope === undefined
          ? undefined
          : evaluator.run(body, scope.reuse(context).setIterValue(item, evaluator)),
      );
    },
  };
}

function sortBy(call: Call) {
  return oneVariable(
    call,
    (_, range) => range,
    (items, run) =>
      (items as unknown[])
        .map((item) => ({ item, key: run(item) as bigint | number | string }))
        .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
        .map(({ item }) => item),
  );
}

function whenPresent(call: Call, flat: boolean) {
  return oneVariable(
    call,
    (checker, _, body) => (flat ? body : checker.getType(`optional<${String(body)}>`)),
    (optional, run) => {
      if (!(optional instanceof Optional) || !optional.hasValue()) return Optional.none();
      const value = run(optional.value());
      return flat ? value : Optional.of(value);
    },
  );
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  return value === '' || value === 0 || value === 0n || value === false || value === null;
}
