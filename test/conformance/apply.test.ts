import { describe, expect, test } from '@jest/globals';
import type { Answer } from './support/client.ts';
import { openCluster } from './support/cluster.ts';
import { configMap, deployment } from './support/objects.ts';
import { at, causes, owners, said } from './support/words.ts';

const api = await openCluster();
const maps = api.path('configmaps');
const deployments = api.path('deployments');
const fresh = () => api.unique('applied');

/** Applies this data to a ConfigMap. */
const applyData = (name: string, manager: string, data: Record<string, string>, query = {}) =>
  api.apply(
    `${maps}/${name}`,
    manager,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
    query,
  );
/** Applies this spec to a Deployment. */
const applySpec = (name: string, manager: string, spec: object, query = {}) =>
  api.apply(
    `${deployments}/${name}`,
    manager,
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec },
    query,
  );
const dataOf = (answer: Answer) => answer.body.data;

describe('apply creates and changes', () => {
  test('an absent object is created with 201, then changed with 200', async () => {
    const name = fresh();
    const made = await applyData(name, 'a', { x: '1' });
    expect([made.status, dataOf(made)]).toEqual([201, { x: '1' }]);
    const changed = await applyData(name, 'a', { x: '2' });
    expect([changed.status, dataOf(changed)]).toEqual([200, { x: '2' }]);
  });

  test('YAML is taken', async () => {
    const name = fresh();
    const answer = await api.apply(
      `${maps}/${name}`,
      'a',
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  x: "1"\n`,
    );
    expect([answer.status, dataOf(answer)]).toEqual([201, { x: '1' }]);
  });

  test('managedFields say who applied what', async () => {
    const name = fresh();
    const { body } = await applyData(name, 'a', { x: '1', y: '2' });
    expect(body.metadata.managedFields).toEqual([
      {
        manager: 'a',
        operation: 'Apply',
        apiVersion: 'v1',
        time: expect.stringMatching(/Z$/),
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:x': {}, 'f:y': {} } },
      },
    ]);
  });

  test('an object of labels and annotations', async () => {
    const name = fresh();
    const { body } = await api.apply(`${maps}/${name}`, 'a', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, labels: { l: '1' }, annotations: { 'test.dev/n': '2' } },
    });
    expect(owners(body)).toEqual({ 'a Apply': ['.metadata.annotations.test.dev/n', '.metadata.labels.l'] });
  });

  test('without a field manager is refused', async () => {
    const name = fresh();
    const answer = await api.send('PATCH', `${maps}/${name}`, {
      contentType: 'application/apply-patch+yaml',
      body: configMap(name),
    });
    expect(said(answer)).toBe(
      '422 Invalid: PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  });

  test('managedFields in the body are refused', async () => {
    const name = fresh();
    const answer = await api.apply(`${maps}/${name}`, 'a', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, managedFields: [{ manager: 'b', operation: 'Apply', apiVersion: 'v1' }] },
    });
    expect(said(answer)).toBe('400 BadRequest: metadata.managedFields must be nil');
  });

  test('without apiVersion or kind is refused', async () => {
    const name = fresh();
    const answer = await api.apply(`${maps}/${name}`, 'a', { metadata: { name }, data: {} });
    expect(answer.status).toBe(400);
  });

  test('with another name than the path is refused', async () => {
    const name = fresh();
    const answer = await api.apply(`${maps}/${name}`, 'a', configMap('other'));
    expect(said(answer)).toMatch(
      /^400 BadRequest: the name of the object \(other\) does not match the name on the URL/,
    );
  });

  test('force on another patch type is refused', async () => {
    const name = fresh();
    await api.post(maps, configMap(name));
    const answer = await api.mergePatch(`${maps}/${name}`, {}, { force: true });
    expect(said(answer)).toBe(
      '422 Invalid: PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    );
  });

  test('a resourceVersion in the body does not count when the object is absent', async () => {
    const name = fresh();
    const answer = await api.apply(`${maps}/${name}`, 'a', configMap(name, {}, { resourceVersion: '5' }));
    expect(answer.status).toBe(201);
  });

  test('a stale resourceVersion in the body is a Conflict', async () => {
    const name = fresh();
    const made = await applyData(name, 'a', { x: '1' });
    await applyData(name, 'a', { x: '2' });
    const version = made.body.metadata.resourceVersion ?? '';
    const answer = await api.apply(
      `${maps}/${name}`,
      'a',
      configMap(name, { x: '3' }, { resourceVersion: version }),
    );
    expect(said(answer)).toMatch(/^409 Conflict: Operation cannot be fulfilled on configmaps/);
  });

  test('of a kind that cannot hold the field says where', async () => {
    const name = fresh();
    const answer = await applySpec(name, 'a', { replicas: 'many', selector: {}, template: {} });
    expect(answer.status).toBe(500);
    expect(answer.body.message).toMatch(
      /failed to create typed patch object \(.*; apps\/v1, Kind=Deployment\): \.spec\.replicas: expected numeric \(int or float\), got string/,
    );
  });

  test('a field that the schema does not know is refused', async () => {
    const name = fresh();
    const answer = await api.apply(`${maps}/${name}`, 'a', { ...configMap(name), surprise: 1 });
    expect(answer.status).toBe(500);
    expect(answer.body.message).toMatch(/\.surprise: field not declared in schema/);
  });
});

describe('a no-op apply', () => {
  test('moves neither resourceVersion nor the time of the entry', async () => {
    const name = fresh();
    const made = await applyData(name, 'a', { x: '1' });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const again = await applyData(name, 'a', { x: '1' });
    expect(again.body).toEqual(made.body);
  });

  test('by a second manager adds its ownership and moves the resourceVersion', async () => {
    const name = fresh();
    const made = await applyData(name, 'a', { x: '1' });
    const shared = await applyData(name, 'b', { x: '1' });
    expect(owners(shared.body)).toEqual({ 'a Apply': ['.data.x'], 'b Apply': ['.data.x'] });
    expect(shared.body.metadata.resourceVersion).not.toBe(made.body.metadata.resourceVersion);
    expect(shared.body.metadata.generation).toBe(made.body.metadata.generation);
  });

  test('of a Deployment with its defaults filled in by the server', async () => {
    const name = fresh();
    const { spec } = deployment(name);
    const made = await applySpec(name, 'a', spec);
    const ask = () => api.get(`${deployments}/${name}`);
    const settled = await api.eventually(
      ask,
      ({ body }) => at(body, 'status.observedGeneration') === 1 || !api.real,
    );
    const again = await applySpec(name, 'a', spec);
    expect(again.body.metadata.generation).toBe(made.body.metadata.generation);
    expect(again.body.metadata.resourceVersion).toBe(settled.body.metadata.resourceVersion);
  });
});

describe('removal', () => {
  test('a field that its only owner leaves out is removed', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1', y: '2' });
    const answer = await applyData(name, 'a', { x: '1' });
    expect(dataOf(answer)).toEqual({ x: '1' });
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.data.x'] });
  });

  test('a field that another also applied stays', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1', y: '2' });
    await applyData(name, 'b', { y: '2' });
    const answer = await applyData(name, 'a', { x: '1' });
    expect(dataOf(answer)).toEqual({ x: '1', y: '2' });
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.data.x'], 'b Apply': ['.data.y'] });
  });

  test('a field that nobody applied but another wrote stays', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1' });
    await api.mergePatch(`${maps}/${name}`, { data: { z: '3' } }, { fieldManager: 'hand' });
    const answer = await applyData(name, 'a', { x: '2' });
    expect(dataOf(answer)).toEqual({ x: '2', z: '3' });
  });

  test('an empty apply releases everything', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1' });
    await applyData(name, 'b', { x: '1', y: '2' });
    const answer = await api.apply(`${maps}/${name}`, 'a', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
    });
    expect(dataOf(answer)).toEqual({ x: '1', y: '2' });
    expect(owners(answer.body)).toEqual({ 'b Apply': ['.data.x', '.data.y'] });
  });

  test('a default comes back where the field that was applied is left out', async () => {
    const name = fresh();
    const { spec } = deployment(name);
    await applySpec(name, 'a', { ...spec, revisionHistoryLimit: 3 });
    const answer = await applySpec(name, 'a', spec);
    expect(at(answer.body, 'spec.revisionHistoryLimit')).toBe(10);
  });

  test('replicas are given over: the new owner keeps them when the old one lets go', async () => {
    const name = fresh();
    const { spec } = deployment(name);
    await applySpec(name, 'a', { ...spec, replicas: 0 });
    await applySpec(name, 'scaler', { replicas: 0 });
    const { replicas: _, ...rest } = spec;
    const answer = await applySpec(name, 'a', rest);
    expect(at(answer.body, 'spec.replicas')).toBe(0);
    expect(owners(answer.body)['scaler Apply']).toEqual(['.spec.replicas']);
  });
});

describe('conflicts', () => {
  test('with an applier name the manager, the kind of its version and the field', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1' });
    const answer = await applyData(name, 'b', { x: '2' });
    expect(said(answer)).toBe('409 Conflict: Apply failed with 1 conflict: conflict with "a": .data.x');
    expect(causes(answer)).toEqual(['.data.x | FieldManagerConflict | conflict with "a"']);
  });

  test('with an updater name its version', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1' }), { fieldManager: 'hand' });
    const answer = await applyData(name, 'b', { x: '2' });
    expect(said(answer)).toBe(
      '409 Conflict: Apply failed with 1 conflict: conflict with "hand" using v1: .data.x',
    );
  });

  test('several are counted and listed', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1', y: '1' });
    await applyData(name, 'b', { z: '1' });
    const answer = await applyData(name, 'c', { x: '2', y: '2', z: '2' });
    expect(answer.body.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "a":\n- .data.x\n- .data.y\nconflicts with "b":\n- .data.z',
    );
    // By manager in a Go map: the order is by chance.
    expect(causes(answer).sort()).toEqual([
      '.data.x | FieldManagerConflict | conflict with "a"',
      '.data.y | FieldManagerConflict | conflict with "a"',
      '.data.z | FieldManagerConflict | conflict with "b"',
    ]);
  });

  test('in a list of objects name the element', async () => {
    const name = fresh();
    await applySpec(name, 'a', deployment(name).spec);
    const answer = await applySpec(name, 'b', {
      template: { spec: { containers: [{ name: 'main', image: 'other:1' }] } },
    });
    expect(said(answer)).toBe(
      '409 Conflict: Apply failed with 1 conflict: conflict with "a": .spec.template.spec.containers[name="main"].image',
    );
  });

  test('leave the object as it was', async () => {
    const name = fresh();
    const made = await applyData(name, 'a', { x: '1' });
    await applyData(name, 'b', { x: '2', y: '1' });
    expect((await api.get(`${maps}/${name}`)).body).toEqual(made.body);
  });

  test('the same value is none', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1' });
    expect((await applyData(name, 'b', { x: '1' })).status).toBe(200);
  });

  test('force takes the field over', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1', y: '1' });
    const answer = await applyData(name, 'b', { x: '2' }, { force: true });
    expect(dataOf(answer)).toEqual({ x: '2', y: '1' });
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.data.y'], 'b Apply': ['.data.x'] });
  });

  test('a manager whose every field was taken is gone from managedFields', async () => {
    const name = fresh();
    await applyData(name, 'a', { x: '1' });
    const answer = await applyData(name, 'b', { x: '2' }, { force: true });
    expect(owners(answer.body)).toEqual({ 'b Apply': ['.data.x'] });
  });

  test('one manager as Apply and as Update conflicts with itself', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1' }), { fieldManager: 'a' });
    const answer = await applyData(name, 'a', { x: '2' });
    expect(answer.status).toBe(409);
    expect(causes(answer)[0]).toMatch(/^\.data\.x \| FieldManagerConflict \| conflict with "a" using v1/);
  });
});
