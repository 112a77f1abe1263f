/** Refusals of the authorizer: read from its words, kept while they last. */
import { describe, expect, test } from '@jest/globals';
import { HeldClock } from './clock.ts';
import { ApiError } from './errors.ts';
import { MetricsRegistry } from './metrics.ts';
import { Permissions } from './permissions.ts';
import { missingRule, ruleRemedy, ruleText } from './rbac.ts';
import { resources } from './resource.ts';
import { FakeApi, failure } from './testing/fake-api.ts';

const forbidden = (message: string) => new ApiError({ code: 403, reason: 'Forbidden', message });
const services =
  'services "wine" is forbidden: User "system:serviceaccount:b:op" cannot patch resource "services" in API group "" in the namespace "a"';

describe('a 403', () => {
  test.each<[string, string, string, string]>([
    [
      'of RBAC in a namespace',
      services,
      'patch services in namespace a',
      'add the verb patch on the resource services (apiGroup "") to its Role in namespace a, or its ClusterRole; check it with: kubectl auth can-i patch services -n a --as system:serviceaccount:b:op',
    ],
    [
      'of RBAC on a subresource',
      'modeldeployments.ballast.dev "wine" is forbidden: User "x" cannot patch resource "modeldeployments/status" in API group "ballast.dev" in the namespace "a"',
      'patch modeldeployments.ballast.dev/status in namespace a',
      'add the verb patch on the resource modeldeployments/status (apiGroup "ballast.dev") to its Role in namespace a, or its ClusterRole; check it with: kubectl auth can-i patch modeldeployments.ballast.dev --subresource=status -n a --as x',
    ],
    [
      'of RBAC in the cluster',
      'nodes is forbidden: User "x" cannot list resource "nodes" in API group "" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "y" not found',
      'list nodes in the cluster',
      'add the verb list on the resource nodes (apiGroup "") to its ClusterRole; check it with: kubectl auth can-i list nodes --as x',
    ],
  ])('%s', (_, message, text, remedy) => {
    const rule = missingRule(forbidden(message));
    if (rule === undefined) throw new Error('no rule was read');
    expect(ruleText(rule)).toBe(text);
    expect(ruleRemedy(rule)).toBe(remedy);
  });

  test.each([
    ['services "wine" is forbidden: exceeded quota: objects, requested: services=1'],
    ['admission webhook "p" denied the request: cannot be'],
    ['pods "x" is forbidden: violates PodSecurity "restricted:latest"'],
    ['cannot set blockOwnerDeletion if an ownerReference refers to a resource you cannot set finalizers on'],
  ])('of an admission is none: %s', (message) => {
    expect(missingRule(forbidden(message))).toBeUndefined();
  });

  test('needs to be a 403', () => {
    expect(missingRule(new ApiError({ code: 409, reason: 'Conflict', message: services }))).toBeUndefined();
    expect(missingRule(new Error(services))).toBeUndefined();
  });
});

describe('missing permissions', () => {
  const service = { metadata: { name: 'wine', namespace: 'a' } };
  const setUp = () => {
    const clock = new HeldClock();
    const observer = new MetricsRegistry();
    const logged: string[] = [];
    const note = (message: string) => void logged.push(message);
    const permissions = new Permissions({
      clock,
      observer,
      log: { debug: note, info: note, warn: note, error: note },
    });
    const fake = new FakeApi();
    return { clock, observer, logged, permissions, fake, api: permissions.watch(fake) };
  };
  const labels = { verb: 'patch', resource: 'services', namespace: 'a' };
  const apply = (api: FakeApi | ReturnType<Permissions['watch']>) =>
    api.apply(resources.services, service, { fieldManager: 'x' });

  test('are named until the same call passes, logged once, and counted', async () => {
    const { permissions, fake, api, observer, logged } = setUp();
    fake.before = () => {
      throw forbidden(services);
    };
    for (let round = 0; round < 3; round++) await expect(apply(api)).rejects.toMatchObject({ code: 403 });
    expect(permissions.missing()).toEqual([
      expect.stringMatching(
        /^may not patch services in namespace a: add the verb patch on the resource services/,
      ),
    ]);
    expect(logged).toHaveLength(1);
    expect(observer.value('permission_missing', labels)).toBe(1);
    expect(observer.value('permission_refusals_total', labels)).toBe(3);
    fake.before = () => {};
    await api.apply(
      resources.services,
      { metadata: { name: 'wine', namespace: 'b' } },
      { fieldManager: 'x' },
    );
    expect(permissions.missing()).toHaveLength(1);
    await apply(api);
    expect(permissions.missing()).toEqual([]);
    expect(observer.value('permission_missing', labels)).toBe(0);
  });

  test('are there again when the server says that the object is not', async () => {
    const { permissions, fake, api } = setUp();
    fake.before = () => {
      throw forbidden(services.replace('cannot patch', 'cannot get'));
    };
    const get = () => api.get(resources.services, { name: 'wine', namespace: 'a' });
    await expect(get()).rejects.toMatchObject({ code: 403 });
    fake.before = () => {
      throw failure(503, 'ServiceUnavailable');
    };
    await expect(get()).rejects.toMatchObject({ code: 503 });
    expect(permissions.missing()).toHaveLength(1);
    fake.before = () => {};
    await expect(get()).rejects.toMatchObject({ code: 404 });
    expect(permissions.missing()).toEqual([]);
  });

  test('that nobody asked for again are forgotten', async () => {
    const { permissions, fake, api, clock } = setUp();
    fake.before = () => {
      throw forbidden(services);
    };
    await expect(apply(api)).rejects.toMatchObject({ code: 403 });
    clock.advance(599_999);
    expect(permissions.missing()).toHaveLength(1);
    clock.advance(2);
    expect(permissions.missing()).toEqual([]);
  });

  test('another rule of the same call takes the place of the first', async () => {
    const { permissions, fake, api } = setUp();
    let message = services;
    fake.before = () => {
      throw forbidden(message);
    };
    await expect(apply(api)).rejects.toMatchObject({ code: 403 });
    message = services.replace('cannot patch', 'cannot create');
    await expect(apply(api)).rejects.toMatchObject({ code: 403 });
    expect(permissions.missing()).toEqual([expect.stringMatching(/^may not create services/)]);
  });

  test('other faults are none, and every call goes through as it was asked', async () => {
    const { permissions, fake, api } = setUp();
    await api.create(resources.services, { metadata: { name: 'x', namespace: 'a' } });
    const made = await api.get(resources.services, { name: 'x', namespace: 'a' });
    await api.replace(resources.services, made);
    await api.patch(
      resources.services,
      { name: 'x', namespace: 'a' },
      {},
      {
        patchType: 'application/merge-patch+json',
      },
    );
    await api.list(resources.services);
    await api.delete(resources.services, { name: 'x', namespace: 'a' });
    expect(fake.calls.map(({ verb }) => verb)).toEqual([
      'create',
      'get',
      'replace',
      'patch',
      'list',
      'delete',
    ]);
    fake.before = () => {
      throw failure(503, 'ServiceUnavailable');
    };
    await expect(apply(api)).rejects.toMatchObject({ code: 503 });
    expect(permissions.missing()).toEqual([]);
  });
});
