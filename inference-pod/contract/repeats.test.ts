import { describe, expect, test } from '@jest/globals';
import type { Tensor, TensorSpec } from '../../protocol/datatypes.ts';
import { createContract } from './checks.ts';
import { compileContract } from './compile.ts';
import { tensorOf, type WrittenOutput } from './testing/build.ts';

const flag = (limit: number) =>
  `flagged; maxRepeats output y: the same for more than ${limit} different inputs in a row, wanted other answers among them`;

const bed = (rule: WrittenOutput, spec: Omit<TensorSpec, 'name'> = { datatype: 'FP32', shape: [-1, 2] }) => {
  const counted: Record<string, number> = {};
  const contract = createContract(
    compileContract(
      { outputs: [{ name: 'y', ...rule }] },
      {
        name: 'm',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
        outputs: [{ name: 'y', ...spec }],
      },
    ),
    'm',
    ({ rule, action }, count) => {
      counted[`${rule} ${action}`] = (counted[`${rule} ${action}`] ?? 0) + count;
    },
  );
  const ask = (inputs: readonly number[], answer: Tensor) => {
    const checked = contract.inputs([tensorOf('FP32', [inputs.length, 1], inputs)]);
    return contract.outputs([answer], checked);
  };
  return { counted, ask };
};
const answer = (...values: number[]) => tensorOf('FP32', [values.length / 2, 2], values, 'y');
const firstFlag = (ask: (i: number) => string | undefined, limit = 2_000) => {
  for (let i = 0; i < limit; i += 1) if (ask(i) !== undefined) return i;
  return -1;
};

describe('a model that answers the same', () => {
  test('is flagged after 500 different inputs, without being asked for', () => {
    const { ask, counted } = bed({});
    // The first two answers only show that something repeats.
    expect(firstFlag((i) => ask([i], answer(1, 2)))).toBe(502);
    expect(ask([7_000], answer(1, 2))).toBe(flag(500));
    expect(counted).toEqual({ 'maxRepeats Flag': 2 });
    expect(ask([1], answer(1, 3))).toBeUndefined();
    expect(firstFlag((i) => ask([i], answer(1, 3)))).toBeGreaterThan(499);
  });

  test('is not flagged while the inputs are few and the same', () => {
    const { ask } = bed({ maxRepeats: 5 });
    expect(firstFlag((i) => ask([i % 5], answer(1, 2)))).toBe(-1);
  });

  test('is not flagged when an answer differs now and then', () => {
    const { ask } = bed({ maxRepeats: 5 });
    expect(firstFlag((i) => ask([i], answer(1, i % 6)))).toBe(-1);
    expect(firstFlag((i) => ask([i], answer(1, i % 6 === 0 ? i : 0)))).toBe(-1);
  });

  test('is flagged although its action is Reject: no single answer of them is wrong', () => {
    const { ask } = bed({ maxRepeats: 3, action: 'Reject' });
    expect(firstFlag((i) => ask([i], answer(1, 2)))).toBe(5);
    expect(ask([100], answer(1, 2))).toBe(flag(3));
  });

  test('counts each row of a request', () => {
    const { ask } = bed({ maxRepeats: 10 });
    const twenty = Array.from({ length: 20 }, (_, i) => i);
    const same = answer(...twenty.flatMap(() => [1, 2]));
    expect(ask(twenty, same)).toBeUndefined();
    expect(ask(twenty, same)).toBe(flag(10));
    expect(ask(twenty, answer(...twenty.flatMap((i) => [1, i])))).toBeUndefined();
    expect(ask(twenty, answer(...twenty.flatMap((i) => [1, 19 - i])))).toBeUndefined();
  });

  test('is looked at in the columns of the rule only', () => {
    const first = bed({ maxRepeats: 3, columns: [0] });
    expect(firstFlag((i) => first.ask([i], answer(1, i)))).toBe(5);
    const second = bed({ maxRepeats: 3, columns: [1] });
    expect(firstFlag((i) => second.ask([i], answer(1, i)))).toBe(-1);
  });

  test('may answer NaN all the time', () => {
    const { ask } = bed({ maxRepeats: 3, allowNaN: true });
    expect(firstFlag((i) => ask([i], answer(Number.NaN, 2)))).toBe(5);
  });

  test('strings, 64-bit integers and scalars count too, when asked for', () => {
    const texts = bed({ maxRepeats: 3 }, { datatype: 'BYTES', shape: [-1] });
    expect(firstFlag((i) => texts.ask([i], tensorOf('BYTES', [1], ['a'], 'y')))).toBe(5);
    const integers = bed({ maxRepeats: 3 }, { datatype: 'INT64', shape: [-1] });
    expect(firstFlag((i) => integers.ask([i], tensorOf('INT64', [1], [2n ** 60n], 'y')))).toBe(5);
    const scalars = bed({ maxRepeats: 3 }, { datatype: 'FP32', shape: [] });
    expect(firstFlag((i) => scalars.ask([i], tensorOf('FP32', [], [1], 'y')))).toBe(5);
    const unasked = bed({ values: ['1'] }, { datatype: 'INT64', shape: [-1] });
    expect(firstFlag((i) => unasked.ask([i], tensorOf('INT64', [1], [1n], 'y')))).toBe(-1);
  });

  test('an empty answer is none', () => {
    const { ask } = bed({ maxRepeats: 2 });
    expect(firstFlag((i) => ask([i], answer()))).toBe(-1);
  });
});
