/** `spec.contract`: what must hold of the tensors that come in and of those that go out. */
import * as z from 'zod';
import { decimalPattern } from '../values.ts';
import { type CelRule, describe, rules, text } from './field.ts';

/** A decimal number as text: the CRD has no floats, and text keeps 64-bit integers exact. */
const decimal = () => z.string().max(32).regex(new RegExp(decimalPattern));
const isDecimal = (field: string) => `${field}.matches('${decimalPattern}')`;

/** The fields that say what must hold, for inputs and outputs alike. */
const ruleFields = (side: 'input' | 'output') => ({
  name: describe(text(256), `Name of the ${side} in the model. Example: \`probabilities\`.`),
  columns: describe(
    z.array(z.int().min(0).max(65_535)).min(1).max(256).optional(),
    'Columns that the rule is about: positions in the last dimension, from 0. Example: `[0, 3]`. Default: all.',
    { 'x-kubernetes-list-type': 'atomic' },
  ),
  min: describe(
    decimal().optional(),
    'Smallest allowed value, a decimal number as text. Example: `"0"`. Default: no bound.',
  ),
  max: describe(
    decimal().optional(),
    'Largest allowed value, a decimal number as text. Example: `"1"`. Default: no bound.',
  ),
  allowNaN: describe(
    z.boolean().optional(),
    'True lets NaN pass, as models take it for "missing". Infinities break every rule about floating-point numbers. Default: false.',
  ),
  values: describe(
    z.array(z.string().max(256)).min(1).max(256).optional(),
    'The only allowed values, as text: numbers, `true` and `false`, or strings, as the tensor’s data-type wants them. Example: `["red", "white"]`. Default: any.',
    { 'x-kubernetes-list-type': 'atomic' },
  ),
  sumTo: describe(
    decimal().optional(),
    'What the columns of each row must sum to, a decimal number as text. Example: `"1"` for probabilities. Default: any sum.',
  ),
  tolerance: describe(
    decimal().optional(),
    'How far a sum may be from `sumTo`, a decimal number as text. Example: `"0.01"`. Default: `"0.001"`.',
  ),
  maxLength: describe(
    z.int().min(0).max(1_048_576).optional(),
    'Longest allowed string, in characters (Unicode code points). Example: 200. Default: no bound.',
  ),
});

/** Rules that make no sense are refused when they are written, each with the name of its tensor. */
const sense = (side: 'input' | 'output') => {
  const nonsense = (rule: string, fieldPath: string, message: string, quoted?: string): CelRule => ({
    rule,
    message,
    messageExpression: `'${side} ' + self.name + ': ' + ${quoted ?? `'${message}'`}`,
    fieldPath,
    reason: 'FieldValueInvalid',
  });
  return rules(
    nonsense(
      `!has(self.min) || !has(self.max) || !${isDecimal('self.min')} || !${isDecimal('self.max')} || double(self.min) <= double(self.max)`,
      '.min',
      'min must not be larger than max',
      "'min is ' + self.min + ' and max is ' + self.max + ', min must not be larger than max'",
    ),
    nonsense(
      '!has(self.values) || !(has(self.min) || has(self.max) || has(self.maxLength))',
      '.values',
      'values already names all that is allowed, remove min, max and maxLength',
    ),
    nonsense(
      '!has(self.maxLength) || !(has(self.min) || has(self.max) || has(self.sumTo) || has(self.allowNaN))',
      '.maxLength',
      'maxLength is about strings, and min, max, sumTo and allowNaN are about numbers, make two rules of it',
    ),
    nonsense(
      '!has(self.tolerance) || has(self.sumTo)',
      '.tolerance',
      'tolerance belongs to sumTo, add sumTo or remove tolerance',
    ),
    nonsense(
      `!has(self.tolerance) || !self.tolerance.startsWith('-')`,
      '.tolerance',
      'tolerance must not be negative',
    ),
    nonsense(
      '!has(self.sumTo) || !has(self.allowNaN) || !self.allowNaN',
      '.allowNaN',
      'a row with NaN has no sum, remove sumTo or allowNaN',
    ),
  );
};

const action = (what: string) => describe(z.enum(['Reject', 'Flag']).optional(), what);

const inputRule = z
  .strictObject({
    ...ruleFields('input'),
    action: action(
      '`Reject`: a request that breaks the rule is answered 400 with what is wrong, and the model never sees it. `Flag`: it is answered, the answer says what was flagged, and it is counted. Default: `Reject`.',
    ),
  })
  .meta(sense('input'));

const outputRule = z
  .strictObject({
    ...ruleFields('output'),
    maxRepeats: describe(
      z.int().min(2).max(100_000).optional(),
      'How many different inputs in a row may get the same output. More are flagged, whatever the action is, since no single answer of them is wrong. Default: 500 for floating-point outputs, no bound for others.',
    ),
    action: action(
      '`Reject`: the answer becomes an error (500, gRPC INTERNAL), which counts against `sla.errorRate`. `Flag`: the answer goes out with a header that says what is wrong with it, and it is counted. Default: `Flag`.',
    ),
  })
  .meta(sense('output'));

export const contractSchema = z
  .strictObject({
    inputs: describe(
      z.array(inputRule).min(1).max(256).optional(),
      'Rules for what comes in. Several rules may be about one input; each of them holds. Data-type and shape are checked against the model in any case. Default: none.',
      { 'x-kubernetes-list-type': 'atomic' },
    ),
    outputs: describe(
      z.array(outputRule).min(1).max(64).optional(),
      'Rules for what goes out. An output with a rule may hold neither NaN nor infinities. Default: none.',
      { 'x-kubernetes-list-type': 'atomic' },
    ),
  })
  .meta(
    rules({
      rule: 'has(self.inputs) || has(self.outputs)',
      message: 'write a rule under inputs or outputs, or leave contract out',
      reason: 'FieldValueRequired',
    }),
  );
