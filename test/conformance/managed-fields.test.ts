import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, container, deployment, pod, service } from './support/objects.ts';
import { at, owners, said } from './support/words.ts';

const api = await openCluster();
const maps = api.path('configmaps');
const deployments = api.path('deployments');
const fresh = () => api.unique('managed');
describe('Update managers', () => {
  test('a create owns what it sent', async () => {
    const { body } = await api.post(maps, configMap(fresh(), { x: '1' }, { labels: { a: 'b' } }), {
      fieldManager: 'hand',
    });
    expect(owners(body)).toEqual({ 'hand Update': ['.data.x', '.metadata.labels.a'] });
    expect(body.metadata.managedFields?.[0]).toMatchObject({
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {}, 'f:x': {} }, 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } } },
    });
  });

  test('without fieldManager it is named after the user agent', async () => {
    const { body } = await api.post(maps, configMap(fresh(), { x: '1' }));
    expect(body.metadata.managedFields?.[0]?.manager).toMatch(/^(undici|node|unknown)/);
  });

  test('a PUT owns what it changed, and takes it from others', async () => {
    const name = fresh();
    const made = await api.post(maps, configMap(name, { x: '1', y: '1' }), { fieldManager: 'maker' });
    const answer = await api.put(
      `${maps}/${name}`,
      { ...made.body, data: { x: '2', y: '1' } },
      { fieldManager: 'changer' },
    );
    expect(owners(answer.body)).toEqual({ 'maker Update': ['.data.y'], 'changer Update': ['.data.x'] });
  });

  test('a merge patch owns what it changed', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1' }), { fieldManager: 'maker' });
    const answer = await api.mergePatch(`${maps}/${name}`, { data: { z: '3' } }, { fieldManager: 'patcher' });
    expect(owners(answer.body)).toEqual({ 'maker Update': ['.data.x'], 'patcher Update': ['.data.z'] });
  });

  test('a patch that sets what is so takes nothing', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1' }), { fieldManager: 'maker' });
    const answer = await api.mergePatch(`${maps}/${name}`, { data: { x: '1' } }, { fieldManager: 'patcher' });
    expect(owners(answer.body)).toEqual({ 'maker Update': ['.data.x'] });
  });

  test('removing a field removes its ownership', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1', y: '2' }), { fieldManager: 'maker' });
    const answer = await api.mergePatch(
      `${maps}/${name}`,
      { data: { y: null } },
      { fieldManager: 'patcher' },
    );
    expect(owners(answer.body)).toEqual({ 'maker Update': ['.data.x'] });
  });

  test('two writes of one manager are one entry', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1' }), { fieldManager: 'hand' });
    const answer = await api.mergePatch(`${maps}/${name}`, { data: { y: '2' } }, { fieldManager: 'hand' });
    expect(answer.body.metadata.managedFields).toHaveLength(1);
    expect(owners(answer.body)).toEqual({ 'hand Update': ['.data.x', '.data.y'] });
  });

  test('defaults are owned by whoever created the object', async () => {
    const { body } = await api.post(api.path('services'), service(fresh()), { fieldManager: 'hand' });
    expect(owners(body)['hand Update']).toEqual([
      '.spec.internalTrafficPolicy',
      '.spec.ports[port=8080,protocol="TCP"].name',
      '.spec.ports[port=8080,protocol="TCP"].port',
      '.spec.ports[port=8080,protocol="TCP"].protocol',
      '.spec.ports[port=8080,protocol="TCP"].targetPort',
      '.spec.selector',
      '.spec.sessionAffinity',
      '.spec.type',
    ]);
  });

  test('an update takes an applied field without a conflict, and the next apply has one', async () => {
    const name = fresh();
    const apply = (x: string) => api.apply(`${maps}/${name}`, 'a', configMap(name, { x }));
    await apply('1');
    const updated = await api.mergePatch(`${maps}/${name}`, { data: { x: '2' } }, { fieldManager: 'hand' });
    expect(owners(updated.body)).toEqual({ 'hand Update': ['.data.x'] });
    expect((await apply('1')).status).toBe(409);
  });

  test('managedFields can be cleared', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1' }), { fieldManager: 'hand' });
    const answer = await api.mergePatch(`${maps}/${name}`, { metadata: { managedFields: [{}] } });
    expect(answer.body.metadata.managedFields).toBeUndefined();
  });

  test('an object without managedFields that is applied to gets an entry for what was before', async () => {
    const name = fresh();
    await api.post(maps, configMap(name, { x: '1' }), { fieldManager: 'hand' });
    await api.mergePatch(`${maps}/${name}`, { metadata: { managedFields: [{}] } });
    const answer = await api.apply(`${maps}/${name}`, 'a', configMap(name, { x: '2', y: '1' }));
    expect(said(answer)).toMatch(/conflict with "before-first-apply" using v1: \.data\.x$/);
  });
});

describe('Deployments', () => {
  test('an apply owns the leaves that it sent, elements by their keys', async () => {
    const name = fresh();
    const body = deployment(
      name,
      { replicas: 2 },
      {
        containers: [
          container('main', 'i:1', {
            args: ['a', 'b'],
            env: [{ name: 'A', value: '1' }],
            ports: [{ containerPort: 80 }],
            resources: { limits: { cpu: '1' } },
          }),
        ],
      },
    );
    const answer = await api.apply(`${deployments}/${name}`, 'a', body);
    const prefix = '.spec.template.spec.containers[name="main"]';
    expect(owners(answer.body)['a Apply']).toEqual(
      [
        '.spec.replicas',
        '.spec.selector',
        '.spec.template.metadata.labels.app',
        `${prefix}.args`,
        `${prefix}.env[name="A"].name`,
        `${prefix}.env[name="A"].value`,
        `${prefix}.image`,
        `${prefix}.name`,
        `${prefix}.ports[containerPort=80,protocol="TCP"].containerPort`,
        `${prefix}.resources.limits.cpu`,
        '.spec.template.spec.nodeSelector',
      ].sort(),
    );
  });

  test('a container that its applier leaves out is removed, one of another stays', async () => {
    const name = fresh();
    const withContainers = (...names: string[]) =>
      deployment(name, {}, { containers: names.map((one) => container(one)) });
    await api.apply(`${deployments}/${name}`, 'a', withContainers('main', 'extra'));
    const sidecar = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { template: { spec: { containers: [container('sidecar')] } } },
    };
    expect((await api.apply(`${deployments}/${name}`, 'b', sidecar)).status).toBe(200);
    const answer = await api.apply(`${deployments}/${name}`, 'a', withContainers('main'));
    const containers = at(answer.body, 'spec.template.spec.containers') as { name: string }[];
    expect(containers.map((one) => one.name)).toEqual(['main', 'sidecar']);
  });

  test('a write of the scale owns replicas under its own subresource', async () => {
    const name = fresh();
    await api.apply(`${deployments}/${name}`, 'a', deployment(name, { replicas: 0 }));
    const scaled = await api.mergePatch(
      `${deployments}/${name}/scale`,
      { spec: { replicas: 1 } },
      { fieldManager: 'scaler' },
    );
    expect(said(scaled)).toBe('200');
    const { body } = await api.get(`${deployments}/${name}`);
    expect(owners(body)['scaler Update/scale']).toEqual(['.spec.replicas']);
    expect(owners(body)['a Apply']).not.toContain('.spec.replicas');
    const answer = await api.apply(`${deployments}/${name}`, 'a', deployment(name, { replicas: 0 }));
    expect(answer.body.message).toMatch(
      /^Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps\/v1: \.spec\.replicas$/,
    );
  });

  test('the order of containers is the applier’s', async () => {
    const name = fresh();
    const withContainers = (...names: string[]) =>
      deployment(name, {}, { containers: names.map((one) => container(one)) });
    await api.apply(`${deployments}/${name}`, 'a', withContainers('x', 'y', 'z'));
    const answer = await api.apply(`${deployments}/${name}`, 'a', withContainers('z', 'x', 'y'));
    const containers = at(answer.body, 'spec.template.spec.containers') as { name: string }[];
    expect(containers.map((one) => one.name)).toEqual(['z', 'x', 'y']);
  });

  test('two elements of one key are refused', async () => {
    const name = fresh();
    const answer = await api.apply(
      `${deployments}/${name}`,
      'a',
      deployment(name, {}, { containers: [container('a'), container('a')] }),
    );
    expect(answer.status).toBe(500);
    expect(answer.body.message).toMatch(/duplicate entries for key \[name="a"\]/);
  });

  test('an owner reference is owned by its uid', async () => {
    const name = fresh();
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u-1' };
    const answer = await api.apply(
      `${maps}/${name}`,
      'a',
      configMap(name, {}, { ownerReferences: [owner], finalizers: ['test.dev/f'] }),
    );
    expect(owners(answer.body)).toEqual({
      'a Apply': ['.data', '.metadata.finalizers[="test.dev/f"]', '.metadata.ownerReferences[uid="u-1"]'],
    });
    await api.mergePatch(`${maps}/${name}`, { metadata: { finalizers: null } });
  });
});

describe('pods', () => {
  test('a status that a kubelet applies stands beside the spec', async () => {
    const name = fresh();
    await api.post(api.path('pods'), pod(name), { fieldManager: 'maker' });
    const answer = await api.apply(`${api.path('pods', name)}/status`, 'kubelet', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      status: { message: 'hello', conditions: [{ type: 'Tested', status: 'True' }] },
    });
    expect(said(answer)).toBe('200');
    expect(owners(answer.body)['kubelet Apply/status']).toEqual([
      '.status.conditions[type="Tested"].status',
      '.status.conditions[type="Tested"].type',
      '.status.message',
    ]);
  });
});
