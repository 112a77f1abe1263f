import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { configMap, container, deployment, pod } from './support/objects.ts';
import { at, names, said } from './support/words.ts';

const api = await openCluster();
const maps = api.path('configmaps');
const one = (name: string) => api.path('configmaps', name);
const gone = (path: string) =>
  api.eventually(
    () => api.get(path),
    ({ status }) => status === 404,
  );
const release = (path: string) => api.mergePatch(path, { metadata: { finalizers: null } });
const ownedBy = (owner: { body: { metadata: { name?: string; uid?: string } } }, more: object = {}) => ({
  ownerReferences: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: owner.body.metadata.name,
      uid: owner.body.metadata.uid,
      ...more,
    },
  ],
});

describe('delete', () => {
  test('answers Success with the uid of what went', async () => {
    const made = await api.post(maps, configMap('plain'));
    const { status, body } = await api.delete(one('plain'));
    expect(status).toBe(200);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'plain', kind: 'configmaps', uid: made.body.metadata.uid },
    });
    expect((await api.get(one('plain'))).status).toBe(404);
  });

  test('of something absent is NotFound', async () => {
    expect(said(await api.delete(one('absent')))).toBe('404 NotFound: configmaps "absent" not found');
  });

  test('with the uid of another is a Conflict', async () => {
    const made = await api.post(maps, configMap('uid'));
    const answer = await api.delete(one('uid'), { preconditions: { uid: 'other' } });
    expect(said(answer)).toBe(
      `409 Conflict: Operation cannot be fulfilled on ConfigMap "uid": the UID in the precondition (other) does not match the UID in record (${made.body.metadata.uid}). The object might have been deleted and then recreated`,
    );
    const right = await api.delete(one('uid'), { preconditions: { uid: made.body.metadata.uid } });
    expect(right.status).toBe(200);
  });

  test('with a stale resourceVersion is a Conflict', async () => {
    const made = await api.post(maps, configMap('version', { a: '1' }));
    const changed = await api.mergePatch(one('version'), { data: { a: '2' } });
    const answer = await api.delete(one('version'), {
      preconditions: { resourceVersion: made.body.metadata.resourceVersion },
    });
    expect(said(answer)).toBe(
      `409 Conflict: Operation cannot be fulfilled on ConfigMap "version": the ResourceVersion in the precondition (${made.body.metadata.resourceVersion}) does not match the ResourceVersion in record (${changed.body.metadata.resourceVersion}). The object might have been modified`,
    );
  });

  test('an unknown propagationPolicy is refused', async () => {
    await api.post(maps, configMap('policy'));
    const answer = await api.delete(one('policy'), { propagationPolicy: 'Sideways' });
    expect(said(answer)).toBe(
      '422 Invalid: DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    );
  });

  test('orphanDependents together with propagationPolicy is refused', async () => {
    await api.post(maps, configMap('both'));
    const answer = await api.delete(one('both'), { propagationPolicy: 'Background', orphanDependents: true });
    expect(said(answer)).toMatch(
      /^422 Invalid: DeleteOptions\.meta\.k8s\.io "" is invalid: .*orphanDependents and deletionPropagation cannot be both set/,
    );
  });

  test('a name can be used again at once, with another uid', async () => {
    const first = await api.post(maps, configMap('again'));
    await api.delete(one('again'));
    const second = await api.post(maps, configMap('again'));
    expect(second.status).toBe(201);
    expect(second.body.metadata.uid).not.toBe(first.body.metadata.uid);
  });

  test('of a pod without a node is at once, whatever its grace period', async () => {
    await api.post(api.path('pods'), pod('nowhere', { terminationGracePeriodSeconds: 300 }));
    const answer = await api.delete(api.path('pods', 'nowhere'));
    expect([answer.status, answer.body.kind]).toEqual([200, 'Pod']);
    await gone(api.path('pods', 'nowhere'));
  });

  test('of a pod on a node waits for its kubelet, gracePeriodSeconds=0 does not', async () => {
    const bound = pod('bound', {
      nodeName: 'not-a-node',
      nodeSelector: {},
      terminationGracePeriodSeconds: 12,
    });
    expect(said(await api.post(api.path('pods'), bound))).toBe('201');
    const answer = await api.delete(api.path('pods', 'bound'));
    expect(answer.status).toBe(200);
    expect(answer.body.metadata).toMatchObject({
      deletionGracePeriodSeconds: 12,
      deletionTimestamp: expect.any(String),
    });
    const now = await api.delete(api.path('pods', 'bound'), { gracePeriodSeconds: 0 });
    expect(now.status).toBe(200);
    await gone(api.path('pods', 'bound'));
  });
});

describe('finalizers', () => {
  const held = (name: string) => configMap(name, { a: '1' }, { finalizers: ['test.dev/hold'] });

  test('hold the object, which says that it is going', async () => {
    await api.post(maps, held('held'));
    const answer = await api.delete(one('held'));
    expect([answer.status, answer.body.kind]).toEqual([200, 'ConfigMap']);
    expect(answer.body.metadata).toMatchObject({
      deletionTimestamp: expect.any(String),
      deletionGracePeriodSeconds: 0,
      finalizers: ['test.dev/hold'],
    });
    expect((await api.get(one('held'))).status).toBe(200);
    await release(one('held'));
    await gone(one('held'));
  });

  test('removing the last one deletes, and the write answers the last state', async () => {
    await api.post(maps, held('last'));
    await api.delete(one('last'));
    const answer = await release(one('last'));
    expect([answer.status, answer.body.kind]).toEqual([200, 'ConfigMap']);
    expect((await api.get(one('last'))).status).toBe(404);
  });

  test('none can be added to an object that is going', async () => {
    await api.post(maps, held('late'));
    await api.delete(one('late'));
    const answer = await api.mergePatch(one('late'), {
      metadata: { finalizers: ['test.dev/hold', 'test.dev/more'] },
    });
    expect(said(answer)).toBe(
      '422 Invalid: ConfigMap "late" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"test.dev/more"}',
    );
    await release(one('late'));
  });

  test('other fields can still be written', async () => {
    await api.post(maps, held('busy'));
    await api.delete(one('busy'));
    const answer = await api.mergePatch(one('busy'), { data: { a: '2' } });
    expect([answer.status, answer.body.data]).toEqual([200, { a: '2' }]);
    await release(one('busy'));
  });

  test('deletionTimestamp cannot be set or unset by hand', async () => {
    await api.post(maps, held('by-hand'));
    const set = await api.mergePatch(one('by-hand'), {
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    expect(set.body.metadata.deletionTimestamp).toBeUndefined();
    const deleted = await api.delete(one('by-hand'));
    const unset = await api.mergePatch(one('by-hand'), { metadata: { deletionTimestamp: null } });
    expect(unset.body.metadata.deletionTimestamp).toBe(deleted.body.metadata.deletionTimestamp);
    await release(one('by-hand'));
  });

  test('a second delete changes nothing', async () => {
    await api.post(maps, held('twice'));
    const first = await api.delete(one('twice'));
    const second = await api.delete(one('twice'));
    expect(second.body.metadata.deletionTimestamp).toBe(first.body.metadata.deletionTimestamp);
    await release(one('twice'));
  });
});

describe('garbage collection', () => {
  test('Background: dependents go after their owner', async () => {
    const owner = await api.post(maps, configMap('owner-b'));
    await api.post(maps, configMap('child-b', {}, ownedBy(owner)));
    await api.delete(one('owner-b'), { propagationPolicy: 'Background' });
    expect((await api.get(one('owner-b'))).status).toBe(404);
    await gone(one('child-b'));
  });

  test('a delete without a policy is Background for ConfigMaps', async () => {
    const owner = await api.post(maps, configMap('owner-d'));
    await api.post(maps, configMap('child-d', {}, ownedBy(owner)));
    await api.delete(one('owner-d'));
    await gone(one('child-d'));
  });

  test('Orphan: dependents stay without their owner', async () => {
    const owner = await api.post(maps, configMap('owner-o'));
    await api.post(maps, configMap('child-o', {}, ownedBy(owner)));
    await api.delete(one('owner-o'), { propagationPolicy: 'Orphan' });
    await gone(one('owner-o'));
    const { body } = await api.eventually(
      () => api.get(one('child-o')),
      (answer) => (answer.body.metadata.ownerReferences ?? []).length === 0,
    );
    expect(body.metadata.name).toBe('child-o');
  });

  test('Foreground: the owner waits for dependents that block it', async () => {
    const owner = await api.post(maps, configMap('owner-f'));
    await api.post(maps, {
      ...configMap(
        'child-f',
        {},
        { ...ownedBy(owner, { blockOwnerDeletion: true }), finalizers: ['test.dev/hold'] },
      ),
    });
    const answer = await api.delete(one('owner-f'), { propagationPolicy: 'Foreground' });
    expect(answer.body.metadata).toMatchObject({
      finalizers: ['foregroundDeletion'],
      deletionTimestamp: expect.any(String),
    });
    await api.eventually(
      () => api.get(one('child-f')),
      ({ body }) => body.metadata.deletionTimestamp !== undefined,
    );
    expect((await api.get(one('owner-f'))).status).toBe(200);
    await release(one('child-f'));
    await gone(one('owner-f'));
  });

  test('an object with two owners stays until both are gone', async () => {
    const first = await api.post(maps, configMap('owner-1'));
    const second = await api.post(maps, configMap('owner-2'));
    const references = [...ownedBy(first).ownerReferences, ...ownedBy(second).ownerReferences];
    await api.post(maps, configMap('shared', {}, { ownerReferences: references }));
    await api.delete(one('owner-1'));
    const { body } = await api.eventually(
      () => api.get(one('shared')),
      (answer) => (answer.body.metadata.ownerReferences ?? []).length === 1,
    );
    expect(body.metadata.ownerReferences?.[0]?.name).toBe('owner-2');
    await api.delete(one('owner-2'));
    await gone(one('shared'));
  });

  test('an object whose owner never was is collected', async () => {
    const reference = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'never',
      uid: '00000000-1111-2222-3333-444444444444',
    };
    await api.post(maps, configMap('fatherless', {}, { ownerReferences: [reference] }));
    await gone(one('fatherless'));
  });

  test('an owner of the same name and another uid does not count', async () => {
    const owner = await api.post(maps, configMap('namesake'));
    await api.post(
      maps,
      configMap('child-n', {}, ownedBy({ body: { metadata: { name: 'namesake', uid: 'other-uid' } } })),
    );
    await gone(one('child-n'));
    expect((await api.get(one('namesake'))).body.metadata.uid).toBe(owner.body.metadata.uid);
  });

  test('a Deployment takes its ReplicaSets and pods with it', async () => {
    const path = api.path('deployments', 'family');
    expect(said(await api.post(api.path('deployments'), deployment('family', { replicas: 2 })))).toBe('201');
    const mine = (plural: string) => () => api.get(api.path(plural), { labelSelector: 'app=family' });
    await api.eventually(mine('pods'), ({ body }) => body.items.length === 2);
    const sets = await mine('replicasets')();
    const reference = { kind: 'Deployment', name: 'family', controller: true, blockOwnerDeletion: true };
    expect(sets.body.items[0]?.metadata.ownerReferences?.[0]).toMatchObject(reference);
    expect(names(sets)[0]).toMatch(/^family-[bcdfghjklmnpqrstvwxz2456789]+$/);
    await api.delete(path, { propagationPolicy: 'Foreground' });
    await gone(path);
    expect(names(await mine('pods')())).toEqual([]);
    expect(names(await mine('replicasets')())).toEqual([]);
  });
});

describe('deletecollection', () => {
  test('deletes what the selector matches and answers the list', async () => {
    for (const name of ['many-a', 'many-b'])
      await api.post(maps, configMap(name, {}, { labels: { many: 'yes' } }));
    await api.post(maps, configMap('many-c', {}, { labels: { many: 'no' } }));
    const answer = await api.delete(maps, undefined, { labelSelector: 'many=yes' });
    expect([answer.status, names(answer)]).toEqual([200, ['many-a', 'many-b']]);
    expect(names(await api.get(maps, { labelSelector: 'many' }))).toEqual(['many-c']);
  });

  test('as a dry run deletes nothing', async () => {
    await api.post(maps, configMap('dry', {}, { labels: { dry: 'yes' } }));
    await api.delete(maps, undefined, { labelSelector: 'dry=yes', dryRun: 'All' });
    expect((await api.get(one('dry'))).status).toBe(200);
  });
});

describe('dry runs', () => {
  test('of a create answer the object with a uid and store nothing', async () => {
    const answer = await api.post(maps, configMap('unreal', { a: '1' }), { dryRun: 'All' });
    expect(answer.status).toBe(201);
    expect(answer.body.metadata.uid).toEqual(expect.any(String));
    expect(answer.body.metadata.resourceVersion).toBeUndefined();
    expect((await api.get(one('unreal'))).status).toBe(404);
  });

  test('of a patch, an apply and a delete change nothing', async () => {
    const made = await api.post(maps, configMap('unmoved', { a: '1' }));
    const patched = await api.mergePatch(one('unmoved'), { data: { a: '2' } }, { dryRun: 'All' });
    expect(patched.body.data).toEqual({ a: '2' });
    const applied = await api.apply(one('unmoved'), 'x', configMap('unmoved', { b: '3' }), { dryRun: 'All' });
    expect(applied.body.data).toEqual({ a: '1', b: '3' });
    expect((await api.delete(one('unmoved'), undefined, { dryRun: 'All' })).status).toBe(200);
    expect((await api.delete(one('unmoved'), { dryRun: ['All'] })).status).toBe(200);
    expect((await api.get(one('unmoved'))).body).toEqual(made.body);
  });

  test('are validated like the real thing', async () => {
    const answer = await api.post(maps, configMap('unreal', { 'a/b': '1' }), { dryRun: 'All' });
    expect(answer.status).toBe(422);
  });

  test('another word is refused', async () => {
    const answer = await api.post(maps, configMap('word'), { dryRun: 'Maybe' });
    expect(said(answer)).toBe(
      '422 Invalid: CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Maybe"]: supported values: "All"',
    );
  });

  test('an apply that would create answers 201 and stores nothing', async () => {
    const answer = await api.apply(one('unapplied'), 'x', configMap('unapplied', { a: '1' }), {
      dryRun: 'All',
    });
    expect(answer.status).toBe(201);
    expect((await api.get(one('unapplied'))).status).toBe(404);
  });
});

test('a container list in a deleted pod template stays readable', async () => {
  const path = api.path('deployments', 'readable');
  await api.post(
    api.path('deployments'),
    deployment(
      'readable',
      {},
      { containers: [container('a'), container('b')] },
      { finalizers: ['test.dev/hold'] },
    ),
  );
  await api.delete(path);
  const { body } = await api.get(path);
  expect((at(body, 'spec.template.spec.containers') as unknown[]).length).toBe(2);
  await release(path);
  await gone(path);
});
