import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { accepted } from './support/accepted-models.ts';
import { type CustomDefinition, openCluster } from './support/cluster.ts';
import { refused } from './support/refused-models.ts';
import { at, causes, owners, said, warnings } from './support/words.ts';

const api = await openCluster();
const root = join(import.meta.dirname, '../..');
const definition = load(readFileSync(join(root, 'crds/generated/modeldeployment.crd.yaml'), 'utf8'));
const collection = await api.install(definition as CustomDefinition);

const manifest = (spec: object | undefined, name = 'wine') => ({
  apiVersion: 'ballast.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name },
  ...(spec === undefined ? {} : { spec }),
});
const least = { model: { uri: 'file:///samples/wine/model.onnx' } };
const made = async (spec: object) => {
  const name = api.unique('md');
  expect(said(await api.post(collection, manifest(spec, name)))).toBe('201');
  return `${collection}/${name}`;
};

describe('accepted', () => {
  test.each(accepted)('%s', async (_, spec) => {
    const answer = await api.post(collection, manifest(spec), { dryRun: 'All', fieldValidation: 'Strict' });
    expect([said(answer), warnings(answer)]).toEqual(['201', []]);
    expect(answer.body.spec).toMatchObject(spec);
  });

  test.each(['wine', 'wine/contract', 'digits', 'penguins', 'digit-images'])(
    'the sample %s',
    async (name) => {
      const sample = load(readFileSync(join(root, `samples/${name}/modeldeployment.yaml`), 'utf8'));
      const answer = await api.post(collection, sample, { dryRun: 'All', fieldValidation: 'Strict' });
      expect(said(answer)).toBe('201');
    },
  );
});

describe('refused', () => {
  test.each(refused)('%s', async (_, spec, wanted) => {
    const answer = await api.post(collection, manifest(spec), { dryRun: 'All' });
    expect([answer.status, answer.body.reason]).toEqual([422, 'Invalid']);
    expect(causes(answer).sort()).toEqual([...wanted].sort());
  });

  test.each([
    ['an upper-case name', 'Wine'],
    ['a name that starts with a digit', '1wine'],
    ['a name of 46 characters', 'w'.repeat(46)],
    ['a name with a dot', 'wine.red'],
  ])('%s', async (_, name) => {
    const answer = await api.post(collection, manifest(least, name), { dryRun: 'All' });
    expect(answer.status).toBe(422);
    const rule = `<nil> | FieldValueInvalid | Invalid value: the name "${name}" must have at most 45 characters: lower-case letters, digits and "-", starting with a letter and ending with a letter or digit`;
    if (name === 'Wine') expect(causes(answer)[0]).toMatch(/^metadata\.name \| FieldValueInvalid/);
    else expect(causes(answer)).toEqual([rule]);
  });

  test('a misspelt field, by fieldValidation=Strict', async () => {
    const answer = await api.post(collection, manifest({ ...least, scaling: { maxReplica: 3 }, sal: {} }), {
      dryRun: 'All',
      fieldValidation: 'Strict',
    });
    expect(said(answer)).toBe(
      '400 BadRequest: ModelDeployment in version "v1alpha1" cannot be handled as a ModelDeployment: strict decoding error: unknown field "spec.sal", unknown field "spec.scaling.maxReplica"',
    );
  });

  test('the message as kubectl prints it', async () => {
    const answer = await api.post(
      collection,
      manifest({ ...least, scaling: { minReplicas: 5, maxReplicas: 3 } }),
    );
    expect(answer.body.message).toBe(
      'ModelDeployment.ballast.dev "wine" is invalid: spec.scaling.minReplicas: Invalid value: minReplicas is 5 and maxReplicas is 3: minReplicas must not be larger than maxReplicas',
    );
  });
});

describe('in use', () => {
  test('defaults go in: mode, replicas, and the window where an sla is', async () => {
    const { body } = await api.post(collection, manifest({ ...least, sla: { errorRate: '1%' } }), {
      dryRun: 'All',
    });
    expect(body.spec).toEqual({
      ...least,
      scaling: { mode: 'SLA', replicas: 1 },
      sla: { errorRate: '1%', window: '5m' },
    });
  });

  test('the scale is read, written in mode Fixed, and refused in mode SLA', async () => {
    const fixed = await made({ ...least, scaling: { mode: 'Fixed', replicas: 2 } });
    expect((await api.get(`${fixed}/scale`)).body).toMatchObject({ kind: 'Scale', spec: { replicas: 2 } });
    const written = await api.mergePatch(`${fixed}/scale`, { spec: { replicas: 3 } });
    expect([said(written), at(written.body, 'spec.replicas')]).toEqual(['200', 3]);
    const sla = await made(least);
    const answer = await api.mergePatch(`${sla}/scale`, { spec: { replicas: 3 } });
    expect(answer.status).toBe(422);
    expect(answer.body.message).toContain(
      'spec.scaling.replicas: Forbidden: scaling.replicas cannot become 3: in scaling.mode SLA Ballast chooses the replicas; set minReplicas and maxReplicas, or mode: Fixed',
    );
  });

  test('replicas that were set in mode Fixed may stay when the mode becomes SLA', async () => {
    const path = await made({ ...least, scaling: { mode: 'Fixed', replicas: 4 } });
    const answer = await api.mergePatch(path, { spec: { scaling: { mode: 'SLA' } } });
    expect(said(answer)).toBe('200');
    const changed = await api.mergePatch(path, { spec: { scaling: { replicas: 5 } } });
    expect(causes(changed)[0]).toMatch(/^spec\.scaling\.replicas \| FieldValueForbidden/);
  });

  test('status is written apart and its schema holds', async () => {
    const path = await made(least);
    const status = { observedGeneration: 1, url: 'http://wine:8080' };
    const answer = await api.apply(`${path}/status`, 'ballast-status', {
      ...manifest(undefined, path.split('/').at(-1)),
      status,
    });
    expect(said(answer)).toBe('200');
    expect(answer.body).toMatchObject({ status, metadata: { generation: 1 } });
    expect(owners(answer.body)['ballast-status Apply/status']).toEqual([
      '.status.observedGeneration',
      '.status.url',
    ]);
    const wrong = await api.mergePatch(`${path}/status`, { status: { observedGeneration: 'one' } });
    expect(causes(wrong)[0]).toMatch(/^status\.observedGeneration \| FieldValueTypeInvalid/);
  });

  test('conditions are a map by type: two appliers each keep their own', async () => {
    const path = await made(least);
    const name = path.split('/').at(-1);
    const condition = (type: string) => ({
      ...manifest(undefined, name),
      status: {
        conditions: [
          { type, status: 'True', reason: 'Tested', message: '', lastTransitionTime: '2026-11-24T10:00:00Z' },
        ],
      },
    });
    await api.apply(`${path}/status`, 'one', condition('Available'));
    const answer = await api.apply(`${path}/status`, 'two', condition('Ready'));
    expect((at(answer.body, 'status.conditions') as { type: string }[]).map((one) => one.type)).toEqual([
      'Available',
      'Ready',
    ]);
  });

  test('the table has the columns of the definition', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { body } = await api.send('GET', collection, { accept });
    const columns = body.columnDefinitions as { name: string; priority: number }[];
    const printed = at(definition, 'spec.versions.0.additionalPrinterColumns') as { name: string }[];
    expect(columns.map((one) => one.name)).toEqual(['Name', ...printed.map((one) => one.name)]);
  });

  test('short name and category are announced', async () => {
    const { body } = await api.get('/apis/ballast.dev/v1alpha1');
    expect((body.resources as object[])[0]).toMatchObject({
      name: 'modeldeployments',
      shortNames: ['md'],
      categories: ['ballast'],
    });
  });
});
