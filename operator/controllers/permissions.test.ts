/** Every rule that the operator needs, taken away: the condition names it, and all is well when it is back. */
import { describe, expect, test } from '@jest/globals';
import { modelDeployments } from '../../crds/constants.ts';
import { ApiError } from '../../kube/errors.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { makeRig, type Rig } from './testing/rig.ts';

/** What an API server with RBAC says. */
const refusal = (verb: string, { plural, group }: ResourceType, subresource = '') => {
  const resource = `${plural}${subresource}`;
  return new ApiError({
    code: 403,
    reason: 'Forbidden',
    message: `${verb} x: 403 Forbidden: ${plural}.${group} "wine" is forbidden: User "system:serviceaccount:ballast:ballast" cannot ${verb} resource "${resource}" in API group "${group}" in the namespace "shop"`,
  });
};
const takeAway = (rig: Rig, call: 'apply' | 'list' | 'delete', type: ResourceType, error: Error) => {
  rig.api.before = (verb, of) => {
    if (verb === call && of.kind === type.kind) throw error;
  };
};
const settle = async (rig: Rig) => {
  for (let round = 0; round < 20; round++) {
    const before = rig.api.calls.length;
    await rig.reconcile();
    if (rig.api.calls.length === before) return;
  }
  throw new Error('not settled');
};
const nameOf = ({ plural, group }: ResourceType) => (group === '' ? plural : `${plural}.${group}`);
const messageOf = (rig: Rig, type: string) =>
  rig.model().status?.conditions?.find((one) => one.type === type)?.message ?? '';

/** Needs every kind of child. */
const spec = { access: { networkPolicy: 'Restricted' as const } };
const written = [
  resources.serviceAccounts,
  resources.configMaps,
  resources.controllerRevisions,
  resources.services,
  resources.networkPolicies,
  resources.deployments,
  resources.podDisruptionBudgets,
];
describe('without the right to', () => {
  test.each([
    ...written.map((type) => ['patch', nameOf(type), type, 'apply'] as const),
    // Server-side apply of a new object wants both.
    ...written.map((type) => ['create', nameOf(type), type, 'apply'] as const),
  ])('%s %s', async (verb, name, type, call) => {
    const rig = makeRig(spec);
    takeAway(rig, call, type, refusal(verb, type));
    await expect(rig.reconcile()).rejects.toMatchObject({ code: 403 });
    expect(['Stalled', 'Ready', 'Reconciling'].map((one) => rig.condition(one))).toEqual([
      'True Forbidden',
      'False Forbidden',
      'False Forbidden',
    ]);
    expect(messageOf(rig, 'Stalled')).toBe(
      `the operator may not ${verb} ${name} in namespace shop: add the verb ${verb} on the resource ${type.plural} (apiGroup "${type.group}") to its Role in namespace shop, or its ClusterRole; check it with: kubectl auth can-i ${verb} ${name} -n shop --as system:serviceaccount:ballast:ballast`,
    );
    rig.api.before = () => {};
    await settle(rig);
    expect(rig.condition('Stalled')).toBe('False RollingOut');
    expect(rig.names(resources.podDisruptionBudgets)).toEqual(['wine']);
  });

  test('list services, where the name is taken and its holder is to be named', async () => {
    const rig = makeRig(spec);
    rig.api.seed(resources.services, { metadata: { name: 'wine', namespace: 'shop' } });
    takeAway(rig, 'list', resources.services, refusal('list', resources.services));
    await expect(rig.reconcile()).rejects.toMatchObject({ code: 403 });
    expect(rig.condition('Stalled')).toBe('True Forbidden');
    expect(messageOf(rig, 'Stalled')).toContain('the operator may not list services in namespace shop');
    rig.api.before = () => {};
    await settle(rig);
    expect(rig.condition('Stalled')).toBe('True ChildConflict');
  });

  test.each(
    [resources.networkPolicies, resources.deployments, resources.services, resources.controllerRevisions].map(
      (type) => [nameOf(type), type] as const,
    ),
  )('delete %s', async (name, type) => {
    const rig = makeRig({ ...spec, rollout: { revisionHistoryLimit: 0 } });
    await settle(rig);
    takeAway(rig, 'delete', type, refusal('delete', type));
    // Two revisions that nobody waited for, and no policy any more.
    rig.write({ runtime: { threads: 2 }, access: { networkPolicy: 'Off' } });
    await settle(rig).catch(() => {});
    rig.write({ runtime: { threads: 3 } });
    await expect(settle(rig)).rejects.toMatchObject({ code: 403 });
    expect(rig.condition('Stalled')).toBe('True Forbidden');
    expect(messageOf(rig, 'Stalled')).toContain(`the operator may not delete ${name} in namespace shop`);
    rig.api.before = () => {};
    await settle(rig);
    expect(rig.condition('Stalled')).toBe('False RollingOut');
  });

  test('patch modeldeployments/status: an Event says it, since status cannot', async () => {
    const rig = makeRig(spec);
    takeAway(rig, 'apply', modelDeployments, refusal('patch', modelDeployments, '/status'));
    await expect(rig.reconcile()).rejects.toMatchObject({ code: 403 });
    expect(rig.events).toEqual(['Forbidden']);
    expect(rig.names(resources.deployments)).toHaveLength(1);
    rig.api.before = () => {};
    await settle(rig);
    expect(rig.condition('Stalled')).toBe('False RollingOut');
  });
});

test('what an admission refuses is not called a missing rule', async () => {
  const rig = makeRig(spec);
  const message = 'admission webhook "policy.example.com" denied the request: no latest tags';
  takeAway(rig, 'apply', resources.deployments, new ApiError({ code: 403, reason: 'Forbidden', message }));
  await expect(rig.reconcile()).rejects.toMatchObject({ code: 403 });
  expect(rig.condition('Stalled')).toBe('True Forbidden');
  expect(messageOf(rig, 'Stalled')).toMatch(
    /^the cluster's admission lets the operator not patch deployments\.apps wine-\w+: exempt what Ballast makes, or change the rule\. The API server said: admission webhook/,
  );
});
