import { describe, expect, test } from '@jest/globals';
import type { ContractSpec } from '../../crds/types.ts';
import type { ModelSignature } from '../../protocol/datatypes.ts';
import { compileContract } from './compile.ts';

const model: ModelSignature = {
  name: 'm',
  inputs: [
    { name: 'features', datatype: 'FP32', shape: [-1, 13] },
    { name: 'colour', datatype: 'BYTES', shape: [-1, 1] },
    { name: 'age', datatype: 'UINT8', shape: [-1] },
    { name: 'any', datatype: 'FP64', shape: [], anyShape: true },
  ],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'p', datatype: 'FP32', shape: [-1, 3] },
    { name: 'ok', datatype: 'BOOL', shape: [1] },
    { name: 'half', datatype: 'FP16', shape: [] },
  ],
};

const why = (spec: ContractSpec): string => {
  try {
    compileContract(spec, model);
  } catch (error) {
    return (error as Error).message;
  }
  return 'it fits';
};
type Input = NonNullable<ContractSpec['inputs']>[number];
const input = (rule: Input) => why({ inputs: [rule] });
const output = (rule: Input) => why({ outputs: [rule] });

describe('a contract that does not fit the model is refused, for', () => {
  test.each<[string, string, string]>([
    [
      'an input that is not there',
      input({ name: 'x', min: '0' }),
      "contract.inputs[0]: the model has no input 'x'. Its inputs are 'features', 'colour', 'age', 'any'",
    ],
    [
      'an input that is an output',
      input({ name: 'p', min: '0' }),
      "contract.inputs[0]: the model has no input 'p'. Its inputs are 'features', 'colour', 'age', 'any'",
    ],
    [
      'a column that is not there',
      input({ name: 'features', columns: [3, 13], min: '0' }),
      "contract.inputs[0]: input 'features' has 13 columns, numbered 0 to 12: there is no column 13",
    ],
    [
      'a column of a list',
      output({ name: 'label', columns: [1], min: '0' }),
      "contract.outputs[0]: output 'label' has one column, number 0: there is no column 1",
    ],
    [
      'a column of a scalar',
      output({ name: 'half', columns: [1] }),
      "contract.outputs[0]: output 'half' has one column, number 0: there is no column 1",
    ],
    [
      'a sum of strings',
      input({ name: 'colour', sumTo: '1' }),
      "contract.inputs[0]: input 'colour' is BYTES, and sumTo is about numbers: remove it",
    ],
    [
      'a bound of truth',
      output({ name: 'ok', max: '1' }),
      "contract.outputs[0]: output 'ok' is BOOL, and max is about numbers: remove it",
    ],
    [
      'a length of numbers',
      input({ name: 'age', maxLength: 1 }),
      "contract.inputs[0]: input 'age' is UINT8, and maxLength is about strings: remove it",
    ],
    [
      'NaN among integers',
      output({ name: 'label', min: '0', allowNaN: true }),
      "contract.outputs[0]: output 'label' is INT64, which has no NaN: remove allowNaN",
    ],
    [
      'a sum with NaN',
      output({ name: 'p', sumTo: '1', allowNaN: true }),
      "contract.outputs[0]: output 'p' may hold NaN, and a row with NaN has no sum: remove sumTo or allowNaN",
    ],
    [
      'a rule that checks nothing',
      output({ name: 'label' }),
      "contract.outputs[0]: output 'label' is INT64, and the rule checks nothing: add what must hold",
    ],
    [
      'values with a bound',
      output({ name: 'label', values: ['1'], max: '1' }),
      "contract.outputs[0]: output 'label' has values, which already name all that is allowed: remove min, max and maxLength",
    ],
    [
      'min above max by one beyond 2^53',
      output({ name: 'label', min: '9007199254740993', max: '9007199254740992' }),
      "contract.outputs[0]: output 'label' has min 9007199254740993 and max 9007199254740992: min must not be larger than max",
    ],
    [
      'bounds between two integers',
      input({ name: 'age', min: '1.2', max: '1.8' }),
      "contract.inputs[0]: input 'age' is UINT8, and none of its numbers is at least 1.2 and at most 1.8",
    ],
    [
      'a bound that no UINT8 reaches',
      input({ name: 'age', min: '256' }),
      "contract.inputs[0]: input 'age' is UINT8, and none of its numbers is at least 256",
    ],
    [
      'a bound that no FP32 reaches',
      input({ name: 'features', min: '4e38' }),
      "contract.inputs[0]: input 'features' is FP32, and none of its numbers is at least 4e38",
    ],
    [
      'a bound that no FP16 reaches',
      output({ name: 'half', max: '-1e5' }),
      "contract.outputs[0]: output 'half' is FP16, and none of its numbers is at most -1e5",
    ],
    [
      'a value that is no number',
      input({ name: 'features', values: ['1', 'red'] }),
      `contract.inputs[0]: input 'features' is FP32, which "red" in values is not`,
    ],
    [
      'a value that is no whole number',
      output({ name: 'label', values: ['1.5'] }),
      `contract.outputs[0]: output 'label' is INT64, which "1.5" in values is not`,
    ],
    [
      'a value beyond its data-type',
      input({ name: 'age', values: ['-1'] }),
      `contract.inputs[0]: input 'age' is UINT8, which "-1" in values is not`,
    ],
    [
      'a value of FP32 beyond its data-type',
      input({ name: 'features', values: ['1e39'] }),
      `contract.inputs[0]: input 'features' is FP32, which "1e39" in values is not`,
    ],
    [
      'a value that is no truth',
      output({ name: 'ok', values: ['yes'] }),
      `contract.outputs[0]: output 'ok' is BOOL, and its values are true and false, not "yes"`,
    ],
    [
      'a bound that is no number',
      input({ name: 'age', min: 'Infinity' }),
      `contract.inputs[0]: input 'age' has min "Infinity", which is no number`,
    ],
    [
      'a tolerance below zero',
      output({ name: 'p', sumTo: '1', tolerance: '-1' }),
      "contract.outputs[0]: output 'p' has a tolerance, which belongs to sumTo and must not be negative",
    ],
  ])('%s', (_, got, wanted) => expect(got).toBe(wanted));
});

test('columns of a tensor of any shape are left to the requests', () => {
  expect(input({ name: 'any', columns: [7], min: '0' })).toBe('it fits');
});

test('what is checked is told for every input and output, the demands of the graph first', () => {
  const contract = compileContract(
    {
      inputs: [
        { name: 'features', columns: [0, 2], min: '0', max: '15' },
        { name: 'features', allowNaN: true, action: 'Flag' },
      ],
      outputs: [
        { name: 'p', sumTo: '1' },
        { name: 'label', values: ['0', '1', '2'], maxRepeats: 7, action: 'Reject' },
      ],
    },
    model,
  );
  expect(contract.lines).toEqual([
    "input 'features': FP32 [-1,13] by the model; columns 0,2: a finite number, a number, at least 0, at most 15 (Reject); a finite number (Flag)",
    "input 'colour': BYTES [-1,1] by the model",
    "input 'age': UINT8 [-1] by the model",
    "input 'any': FP64 of any shape by the model",
    "output 'label': INT64 [-1] by the model; one of 0, 1, 2 (Reject); the same for at most 7 different inputs in a row (Flag)",
    "output 'p': FP32 [-1,3] by the model; a finite number, a number, 1 ± 0.001 (Flag); the same for at most 500 different inputs in a row (Flag)",
    "output 'ok': BOOL [1] by the model",
    "output 'half': FP16 [] by the model",
  ]);
});
