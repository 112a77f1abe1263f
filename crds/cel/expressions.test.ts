import { describe, expect, test } from '@jest/globals';
import { errorText } from '../structural/field-error.ts';
import { CelRules } from './rules.ts';
import { expressionSchema, expressions, expressionValue } from './testing/expressions.ts';

describe('expressions that a real kube-apiserver finds true are true here', () => {
  test.each(expressions)('%s', (rule) => {
    const rules = new CelRules({ ...expressionSchema, 'x-kubernetes-validations': [{ rule }] });
    expect(rules.evaluate(expressionValue).map(errorText)).toEqual([]);
  });
});
