import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { compileSchema } from './compile.ts';
import { errorText } from './field-error.ts';
import { customCases, customSchema } from './testing/custom-cases.ts';

interface Recorded {
  readonly spec?: unknown;
  readonly errors?: string[];
}

const recorded = JSON.parse(
  readFileSync(new URL('./testing/custom-recorded.json', import.meta.url), 'utf8'),
) as Record<string, Recorded>;
const schema = compileSchema(customSchema);
const stored = (spec: unknown) =>
  schema.applyDefaults(
    schema.prune({ apiVersion: 's.example.com/v1', kind: 'Other', metadata: { name: 'x' }, spec }),
  );

describe('custom resources are judged as by a real kube-apiserver', () => {
  test.each(customCases.map((row) => [row.name, row] as const))('%s', (name, row) => {
    const object = stored(row.spec);
    const old = row.old === undefined ? undefined : stored(row.old);
    const errors = schema.judge(object, old);
    const real = recorded[name];
    expect(errors.map(errorText).sort()).toEqual([...(real?.errors ?? [])].sort());
    if (errors.length === 0) expect(object.spec).toEqual(real?.spec);
  });
});
