/** `spec.contract` against a model's signature: what requests and answers are checked with. */
import type { ContractSpec } from '../../crds/types.ts';
import type { ModelSignature, Tensor, TensorSpec } from '../../protocol/datatypes.ts';
import { type Bounds, boundsHold, lengthsHold, sumsHold, valuesHold } from './fast.ts';
import { type Findings, judge } from './judge.ts';
import { floatKind } from './numbers.ts';
import { Repeats } from './repeats.ts';
import { compileRule, type WrittenRule } from './rule.ts';
import { tableOf } from './table.ts';
import { ContractError, type Rule, type Side } from './types.ts';

/** All rules about one input or output. */
export interface TensorContract {
  readonly spec: TensorSpec;
  readonly rules: readonly Rule[];
  /** Adds what is wrong with the tensor to the findings; does next to nothing when all is well. */
  check(tensor: Tensor, findings: Findings): void;
}

export interface CompiledContract {
  readonly inputs: readonly TensorContract[];
  readonly outputs: readonly TensorContract[];
  /** Watches over outputs that stay the same. */
  readonly repeats: readonly Repeats[];
  /** What is checked, a line for each input and output of the model, the graph's own demands first. */
  readonly lines: readonly string[];
}

/** How many different inputs in a row may get the same floating-point output where the contract does not say. */
const defaultRepeats = 500;

/** Compiles the contract; throws a ContractError where it does not fit the model. */
export const compileContract = (spec: ContractSpec, signature: ModelSignature): CompiledContract => {
  const inputs = tensorsOf('input', spec.inputs ?? [], signature.inputs);
  const outputs = tensorsOf('output', spec.outputs ?? [], signature.outputs);
  const written: readonly WrittenRule[] = spec.outputs ?? [];
  const repeats = outputs.flatMap(({ spec: output, rules }) => {
    const asked = written
      .filter(({ name }) => name === output.name)
      .flatMap(({ maxRepeats }, index) =>
        maxRepeats === undefined ? [] : [new Repeats(output, rules[index]?.columns, maxRepeats)],
      );
    if (asked.length > 0) return asked;
    return floatKind(output.datatype) === undefined ? [] : [new Repeats(output, undefined, defaultRepeats)];
  });
  const lines = [
    ...signature.inputs.map((input) => lineOf('input', input, inputs, [])),
    ...signature.outputs.map((output) => lineOf('output', output, outputs, repeats)),
  ];
  return { inputs, outputs, repeats, lines };
};

const tensorsOf = (
  side: Side,
  written: readonly WrittenRule[],
  specs: readonly TensorSpec[],
): TensorContract[] => {
  const rules = new Map<TensorSpec, Rule[]>();
  for (const [index, rule] of written.entries()) {
    const path = `contract.${side}s[${index}]`;
    const spec = specs.find(({ name }) => name === rule.name);
    if (spec === undefined)
      throw new ContractError(
        `${path}: the model has no ${side} '${rule.name}'. Its ${side}s are ${specs.map(({ name }) => `'${name}'`).join(', ')}`,
      );
    const list = rules.get(spec) ?? [];
    list.push(compileRule(rule, side, spec, path));
    rules.set(spec, list);
  }
  return [...rules].map(([spec, list]) => tensorContract(spec, list));
};

/** Largest whole number up to which a 64-bit integer that was rounded to a double compares right. */
const exactLimit = 9_007_199_254_740_992n;
const isExact = (bound: bigint | undefined) =>
  bound === undefined || (bound < exactLimit && bound > -exactLimit);

const tensorContract = (spec: TensorSpec, rules: readonly Rule[]): TensorContract => {
  const numbers = rules.filter((rule) => rule.numbers !== undefined);
  const is64 = spec.datatype === 'INT64' || spec.datatype === 'UINT64';
  // Bounds beyond 2^53 are compared as bigints, each element: exact, and some 30 ns instead of 1.
  const isSlow =
    is64 && numbers.some((rule) => !isExact(rule.numbers?.bigMin) || !isExact(rule.numbers?.bigMax));
  const bounds = numbers.length === 0 || isSlow ? undefined : boundsOf(numbers);
  const lastColumn = Math.max(-1, ...rules.map(({ columns }) => columns?.at(-1) ?? -1));
  const others = rules.filter(
    ({ sum, values, maxLength }) => sum !== undefined || values !== undefined || maxLength !== undefined,
  );
  return {
    spec,
    rules,
    check: (tensor, findings) => {
      const table = tableOf(tensor, spec);
      let isFine = !isSlow && lastColumn < table.width;
      if (isFine && bounds !== undefined) isFine = boundsHold(spec.datatype, table, bounds);
      for (let i = 0; isFine && i < others.length; i += 1) {
        const rule = others[i] as Rule;
        isFine = sumsHold(rule, table) && valuesHold(rule, table) && lengthsHold(rule, table);
      }
      if (!isFine) for (const rule of rules) judge(rule, table, findings);
    },
  };
};

/** The narrowest bounds of each column over all rules that are about it. */
const boundsOf = (rules: readonly Rule[]): Bounds => {
  const length = Math.max(0, ...rules.map(({ columns }) => (columns?.at(-1) ?? -1) + 1));
  // The place behind the columns with bounds of their own stands for all others.
  const min = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
  const max = new Float64Array(length + 1).fill(Number.POSITIVE_INFINITY);
  const nan = new Uint8Array(length + 1).fill(1);
  for (const { numbers, columns, spec } of rules) {
    if (numbers === undefined) continue;
    const largest = floatKind(spec.datatype)?.largest ?? Number.POSITIVE_INFINITY;
    for (const column of columns ?? min.keys()) {
      min[column] = Math.max(min[column] ?? 0, numbers.min, -largest);
      max[column] = Math.min(max[column] ?? 0, numbers.max, largest);
      if (!numbers.allowNaN) nan[column] = 0;
    }
  }
  return {
    length,
    min,
    max,
    nan,
    restMin: min[length] ?? 0,
    restMax: max[length] ?? 0,
    restNaN: nan[length] === 1,
    hasRest: rules.some(({ columns }) => columns === undefined),
  };
};

const lineOf = (
  side: Side,
  { name, datatype, shape, anyShape }: TensorSpec,
  contracts: readonly TensorContract[],
  repeats: readonly Repeats[],
): string => {
  const rules = contracts.find(({ spec }) => spec.name === name)?.rules ?? [];
  const words = rules.map(({ columns, action, words: { columns: _, ...said } }) => {
    const where = columns === undefined ? '' : `columns ${columns.join(',').slice(0, 60)}: `;
    return `${where}${Object.values(said).join(', ')} (${action})`;
  });
  const limits = repeats
    .filter((one) => one.spec.name === name)
    .map(({ limit }) => `the same for at most ${limit} different inputs in a row (Flag)`);
  const graph = `${datatype}${anyShape === true ? ' of any shape' : ` [${shape.join(',')}]`} by the model`;
  return `${side} '${name}': ${[graph, ...words, ...limits].join('; ')}`;
};
