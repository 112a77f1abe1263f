import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { customResourceDefinition, generatedFiles, maxCrdBytes, objectSchema } from './generate.ts';
import { manifestProblems } from './manifest-check.ts';
import type { StructuralSchema } from './openapi.ts';
import { modelDeploymentSchema, specSchema } from './schema.ts';
import { durationMs, formatDuration, percentFraction, quantityNumber } from './values.ts';

interface Field {
  path: string;
  node: StructuralSchema;
}

function fieldsOf(node: StructuralSchema, path = ''): Field[] {
  const children = Object.entries(node.properties ?? {}).map(([name, child]) =>
    fieldsOf(child, `${path}.${name}`),
  );
  if (node.items !== undefined) children.push(fieldsOf(node.items, `${path}[]`));
  if (node.additionalProperties !== undefined)
    children.push(fieldsOf(node.additionalProperties, `${path}{}`));
  return [{ path, node }, ...children.flat()];
}

const fields = fieldsOf(objectSchema()).filter((field) => /^\.(spec|status)/.test(field.path));

describe('the schema', () => {
  test('has a description on every field', () => {
    const bare = fields.filter(({ path, node }) => !/[\]}]$/.test(path) && (node.description ?? '') === '');
    expect(bare.map((field) => field.path)).toEqual([]);
  });

  test('has a default or an example, or says that the field is required, on every leaf of spec', () => {
    const leaves = fields.filter(
      ({ path, node }) =>
        path.startsWith('.spec') &&
        !/[\]}]$/.test(path) &&
        node.properties === undefined &&
        node.items === undefined,
    );
    const silent = leaves.filter(
      ({ node }) =>
        !/Default: |Example: |Exactly one|of the namespace|as Kubernetes quantities/.test(
          node.description ?? '',
        ),
    );
    expect(silent.map((field) => field.path)).toEqual([]);
  });

  test('bounds every list, map, string and number', () => {
    const unbounded = fields.filter(({ node }) => {
      if (
        node['x-kubernetes-int-or-string'] === true ||
        node['x-kubernetes-preserve-unknown-fields'] === true
      )
        return false;
      if (node.enum !== undefined || node.format === 'date-time') return false;
      if (node.type === 'string') return node.maxLength === undefined;
      if (node.type === 'array') return node.maxItems === undefined;
      if (node.additionalProperties !== undefined) return node.maxProperties === undefined;
      return false;
    });
    expect(unbounded.map((field) => field.path)).toEqual([]);
  });

  test('has no floating-point field', () => {
    expect(fields.filter(({ node }) => node.type === 'number').map((field) => field.path)).toEqual([]);
  });

  test('stays under 256 KiB as a CRD and reads back as what was written', () => {
    const text = generatedFiles()['crds/generated/modeldeployment.crd.yaml'] ?? '';
    expect(Buffer.byteLength(text)).toBeLessThan(maxCrdBytes);
    expect(load(text)).toEqual(JSON.parse(JSON.stringify(customResourceDefinition())));
  });

  test('fills in the defaults that the API server fills in', () => {
    const parsed = modelDeploymentSchema.parse({
      apiVersion: 'ballast.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name: 'wine' },
      spec: { model: { uri: 'file:///samples/wine/model.onnx' } },
    });
    expect(parsed.spec.scaling).toEqual({ mode: 'SLA', replicas: 1 });
  });
});

describe('notations', () => {
  test.each([
    ['50ms', 50],
    ['1s', 1_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ])('duration %s is %d ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  test.each(['', '5', 'ms', '1.5s', '-1s', '1d', ' 1s', '1h30m'])(
    'duration "%s" is refused and quoted',
    (text) => {
      expect(() => durationMs(text)).toThrow(`"${text}"`);
    },
  );

  test.each([
    [50, '50ms'],
    [1_500, '1500ms'],
    [60_000, '1m'],
    [0, '0ms'],
    [7_200_000, '2h'],
  ])('%d ms is written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test.each([
    ['0.1%', 0.001],
    ['100%', 1],
    ['0%', 0],
    ['5%', 0.05],
  ])('percent %s is %d', (text, fraction) => {
    expect(percentFraction(text)).toBeCloseTo(fraction, 10);
  });

  test.each([
    ['500m', 0.5],
    ['2', 2],
    [2, 2],
    ['512Mi', 512 * 2 ** 20],
    ['1G', 1e9],
    ['1.5', 1.5],
    ['1e3', 1_000],
  ])('quantity %s is %d', (text, number) => {
    expect(quantityNumber(text)).toBeCloseTo(number, 6);
  });

  // A pattern is about strings only: numbers went past it, and ended every decision about the ModelDeployment.
  test.each([
    [-1, /spec\.runtime\.resources\.limits\.cpu in body should be greater than or equal to 0$/],
    [1e15, /spec\.runtime\.resources\.limits\.cpu in body should be less than or equal to 999999999999999$/],
    ['-1', /spec\.runtime\.resources\.limits\.cpu in body should match/],
  ])('quantity %p is refused, by the CRD and again by the operator', (cpu, message) => {
    const spec = { model: { uri: 'file:///samples/m.onnx' }, runtime: { resources: { limits: { cpu } } } };
    const manifest = {
      apiVersion: 'ballast.dev/v1alpha1',
      kind: 'ModelDeployment',
      metadata: { name: 'a' },
      spec,
    };
    expect(manifestProblems(manifest)).toEqual([expect.stringMatching(message)]);
    expect(specSchema.safeParse(spec).error?.issues[0]?.path).toEqual([
      'runtime',
      'resources',
      'limits',
      'cpu',
    ]);
  });
});
