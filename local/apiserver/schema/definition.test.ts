import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { errorText } from '../../../crds/structural/field-error.ts';
import { builtinSchema } from './builtin.ts';
import { definitionCases } from './testing/definition-cases.ts';

const recorded = JSON.parse(
  readFileSync(new URL('./testing/definition-recorded.json', import.meta.url), 'utf8'),
) as Record<string, string[]>;
/** Go's order of struct fields in a value is not JSON's. */
const withoutValue = (text: string) => text.replace(/Invalid value: [[{].*[\]}]: /, 'Invalid value: …: ');
const schema = builtinSchema('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition');

describe('definitions are judged as by a real kube-apiserver', () => {
  test.each(definitionCases.map((row) => [row.name, row.object] as const))('%s', (name, object) => {
    const errors =
      schema
        ?.validate(schema.applyDefaults(schema.prune(JSON.parse(JSON.stringify(object)))))
        .map(errorText) ?? [];
    expect(errors.map(withoutValue).sort()).toEqual((recorded[name] ?? []).map(withoutValue).sort());
  });
});
