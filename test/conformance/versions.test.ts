import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, thingDefinition } from './support/objects.ts';
import { said, warnings } from './support/words.ts';

const api = await openCluster();
const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

describe('versions of a custom kind', () => {
  test('one that is deprecated answers with a warning', async () => {
    const group = `${api.unique('deprecated')}.test`;
    const things = await api.install(
      thingDefinition(group, free, { version: { deprecated: true } }) as never,
    );
    const answer = await api.get(things);
    expect(warnings(answer)).toEqual([`${group}/v1 Thing is deprecated`]);
  });

  test('a deprecation has words of its own', async () => {
    const group = `${api.unique('worded')}.test`;
    const version = { deprecated: true, deprecationWarning: 'use things of v2' };
    const things = await api.install(thingDefinition(group, free, { version }) as never);
    expect(warnings(await api.get(things))).toEqual(['use things of v2']);
  });

  test('one that is not served is not there', async () => {
    const group = `${api.unique('unserved')}.test`;
    const definition = thingDefinition(group, free);
    const [first] = definition.spec.versions;
    const versions = [first, { ...first, name: 'v2', storage: false, served: false }];
    const things = await api.install({ ...definition, spec: { ...definition.spec, versions } } as never);
    expect((await api.get(things.replace('/v1/', '/v2/'))).status).toBe(404);
    expect((await api.get(`/apis/${group}`)).body).toMatchObject({ versions: [{ version: 'v1' }] });
  });

  test('the one that comes first by Kubernetes’ order is preferred', async () => {
    const group = `${api.unique('ordered')}.test`;
    const definition = thingDefinition(group, free);
    const [first] = definition.spec.versions;
    const versions = ['v1alpha1', 'v2', 'v1', 'v10beta1'].map((name) => ({
      ...first,
      name,
      storage: name === 'v1',
    }));
    await api.install({ ...definition, spec: { ...definition.spec, versions } } as never);
    const { body } = await api.eventually(
      () => api.get(`/apis/${group}`),
      (answer) => ((answer.body.versions ?? []) as unknown[]).length === 4,
    );
    expect((body.versions as { version: string }[]).map((one) => one.version)).toEqual([
      'v2',
      'v1',
      'v10beta1',
      'v1alpha1',
    ]);
    expect(body.preferredVersion).toMatchObject({ version: 'v2' });
  });

  test('two definitions that claim one name: the second is not accepted', async () => {
    const group = `${api.unique('claimed')}.test`;
    await api.install(thingDefinition(group, free) as never);
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const rival = {
      ...thingDefinition(group, free),
      metadata: { name: `others.${group}` },
      spec: {
        ...thingDefinition(group, free).spec,
        names: { plural: 'others', singular: 'other', kind: 'Thing', listKind: 'OtherList' },
      },
    };
    expect((await api.post(path, rival)).status).toBe(201);
    api.cleanUp(`${path}/others.${group}`);
    const { body } = await api.eventually(
      () => api.get(`${path}/others.${group}`),
      (answer) => JSON.stringify(answer.body.status ?? {}).includes('NamesAccepted'),
    );
    const conditions = (body.status as { conditions: { type: string; status: string; reason: string }[] })
      .conditions;
    expect(conditions.find((one) => one.type === 'NamesAccepted')).toMatchObject({
      status: 'False',
      reason: 'KindConflict',
    });
    expect(conditions.find((one) => one.type === 'Established')?.status).not.toBe('True');
  });
});

describe('two writers', () => {
  test('of ten that read the same version and PUT, one wins', async () => {
    const { body } = await api.post(api.path('configmaps'), configMap('contended', { n: '0' }));
    const writes = Array.from({ length: 10 }, (_, n) =>
      api.put(api.path('configmaps', 'contended'), { ...body, data: { n: String(n + 1) } }),
    );
    const statuses = (await Promise.all(writes)).map((answer) => answer.status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
  });

  test('of ten that create the same name, one wins', async () => {
    const writes = Array.from({ length: 10 }, () => api.post(api.path('configmaps'), configMap('raced')));
    const statuses = (await Promise.all(writes)).map((answer) => answer.status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });

  test('ten merge patches without a version all arrive', async () => {
    await api.post(api.path('configmaps'), configMap('patched'));
    const writes = Array.from({ length: 10 }, (_, n) =>
      api.mergePatch(api.path('configmaps', 'patched'), { data: { [`k${n}`]: 'x' } }),
    );
    for (const answer of await Promise.all(writes)) expect(said(answer)).toBe('200');
    const { body } = await api.get(api.path('configmaps', 'patched'));
    expect(Object.keys(body.data as object)).toHaveLength(10);
  });

  test('of two that take a Lease by PUT, one wins', async () => {
    const lease = (holderIdentity: string, metadata: object) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata,
      spec: {
        holderIdentity,
        leaseDurationSeconds: 15,
        renewTime: '2026-11-24T10:00:00.000000Z',
        leaseTransitions: 1,
      },
    });
    const { body } = await api.post(api.path('leases'), lease('', { name: 'leader' }));
    const take = (who: string) => api.put(api.path('leases', 'leader'), lease(who, body.metadata));
    const [a, b] = await Promise.all([take('a'), take('b')]);
    expect([a.status, b.status].sort()).toEqual([200, 409]);
  });
});
