/** Contracts that a real kube-apiserver 1.36.3 refuses with the generated CRD, and its words. */

const uri = 'file:///samples/wine/model.onnx';
const pattern = "'^-?[0-9]{1,20}([.][0-9]{1,20})?([eE][-+]?[0-9]{1,2})?$'";
const input = (rule: object) => ({ model: { uri }, contract: { inputs: [{ name: 'features', ...rule }] } });
const output = (rule: object) => ({ model: { uri }, contract: { outputs: [{ name: 'label', ...rule }] } });
const path = (side: string, field: string) => `spec.contract.${side}[0].${field} | FieldValueInvalid`;

type Row = [name: string, spec: object, causes: string[]];

/** Each rule is written twice, for inputs and for outputs, and says which of them it is about. */
const both = (name: string, rule: object, field: string, words: string): Row[] => [
  [
    `${name} of an input`,
    input(rule),
    [`${path('inputs', field)} | Invalid value: input features: ${words}`],
  ],
  [
    `${name} of an output`,
    output(rule),
    [`${path('outputs', field)} | Invalid value: output label: ${words}`],
  ],
];

/** Refused, with all causes as `field | reason | message`. */
export const refusedContracts: Row[] = [
  [
    'a contract without a rule',
    { model: { uri }, contract: {} },
    [
      'spec.contract | FieldValueRequired | Required value: write a rule under inputs or outputs, or leave contract out',
    ],
  ],
  [
    'a contract with an empty list of rules',
    { model: { uri }, contract: { inputs: [] } },
    [
      'spec.contract.inputs | FieldValueInvalid | Invalid value: 0: spec.contract.inputs in body should have at least 1 items',
    ],
  ],
  [
    'a bound that is no number',
    input({ min: 'low', max: '7' }),
    [
      `${path('inputs', 'min')} | Invalid value: "low": spec.contract.inputs[0].min in body should match ${pattern}`,
    ],
  ],
  [
    'an infinite bound',
    output({ min: '0', max: 'Infinity' }),
    [
      `${path('outputs', 'max')} | Invalid value: "Infinity": spec.contract.outputs[0].max in body should match ${pattern}`,
    ],
  ],
  ...both(
    'min above max',
    { min: '1e1', max: '-9.5' },
    'min',
    'min is 1e1 and max is -9.5, min must not be larger than max',
  ),
  ...both(
    'values with a bound',
    { values: ['1', '2'], max: '2' },
    'values',
    'values already names all that is allowed, remove min, max and maxLength',
  ),
  ...both(
    'a length of numbers',
    { maxLength: 5, allowNaN: true },
    'maxLength',
    'maxLength is about strings, and min, max, sumTo and allowNaN are about numbers, make two rules of it',
  ),
  ...both(
    'a tolerance without a sum',
    { tolerance: '0.1' },
    'tolerance',
    'tolerance belongs to sumTo, add sumTo or remove tolerance',
  ),
  ...both(
    'a tolerance below zero',
    { sumTo: '1', tolerance: '-0.1' },
    'tolerance',
    'tolerance must not be negative',
  ),
  ...both(
    'a sum of rows with NaN',
    { sumTo: '1', allowNaN: true },
    'allowNaN',
    'a row with NaN has no sum, remove sumTo or allowNaN',
  ),
];
