import { describe, expect, test } from '@jest/globals';
import { errorText } from '../../../crds/structural/field-error.ts';
import { builtinSchema } from './builtin.ts';
import { type BuiltInCase, deploymentCases } from './testing/built-in-cases.ts';
import { otherCases } from './testing/other-cases.ts';

function schemaOf({ object }: BuiltInCase) {
  const [group, version] = (object.apiVersion ?? '').includes('/')
    ? (object.apiVersion ?? '').split('/')
    : ['', object.apiVersion];
  const schema = builtinSchema(group ?? '', version ?? '', object.kind ?? '');
  if (schema === undefined) throw new Error(`no schema of ${object.kind}`);
  return schema;
}

describe.each([
  ['Deployments', deploymentCases],
  ['other kinds', otherCases],
])('what is said about %s', (_, cases) => {
  test.each(cases.map((row) => [row.name, row] as const))('%s', (__, row) => {
    const schema = schemaOf(row);
    expect(schema.decodeError(row.object)).toBe(row.decode);
    if (row.decode !== undefined) return;
    const errors = schema.validate(schema.applyDefaults(schema.prune(row.object))).map(errorText);
    expect(errors.sort()).toEqual([...row.errors].sort());
  });
});
