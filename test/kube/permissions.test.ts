/** Each rule that the chart's Role grants, taken away on a real API server: named where people look, and healed when it is back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { parseConfig } from '../../operator/config.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import { type CustomDefinition, openCluster } from '../conformance/support/cluster.ts';
import { said } from '../conformance/support/words.ts';
import { binaryPath, cacheDir } from './build.ts';
import { startControlPlane } from './control-plane.ts';
import { runKubelet } from './kubelet.ts';
import { type BoundAccount, bindAccount, renderRbac } from './rbac/bound-account.ts';
import type { RbacObject } from './rbac/permissions.ts';
import { conditionOf, createModel, untilReady, type Workload } from './rbac/workload.ts';

const plane = await startControlPlane({ binary: binaryPath(), runsDir: join(cacheDir, 'run') });
process.env.CONFORMANCE_KUBECONFIG = plane.kubeconfigPath;
const api = await openCluster();
const crdPath = join(import.meta.dirname, '../../crds/generated/modeldeployment.crd.yaml');
const models = await api.install(load(readFileSync(crdPath, 'utf8')) as CustomDefinition);
const kubelet = await runKubelet(api);
const { namespace } = api;

let objects: RbacObject[];
let account: BoundAccount;
let operator: Operator | undefined;
let workload: Workload;
const start = async () => {
  const flags = ['--ops-host=127.0.0.1', '--ops-port=0', '--bake-time=1s', `--watch-namespaces=${namespace}`];
  const more = [`--installation=${namespace}/ballast`, '--leader-elect=false'];
  operator = await startOperator(parseConfig([...flags, ...more], {}), { auth: account.auth });
  return operator;
};
const restart = async () => {
  await operator?.stop();
  return start();
};
beforeAll(async () => {
  objects = await renderRbac('ballast', namespace, []);
  account = await bindAccount(api, objects, namespace);
  await (await start()).whenRunning();
  workload = { api, models, prefix: 'p', restart };
}, 60_000);
afterAll(async () => {
  await operator?.stop();
  kubelet.stop();
  await plane.stop();
}, 60_000);

type Rule = NonNullable<RbacObject['rules']>[number];
/** The account's roles without one verb on one resource. */
const without = (verb: string, resource: string): RbacObject[] =>
  objects.map((object) => {
    const rules = object.rules?.flatMap((rule): Rule[] => {
      if (rule.resources?.includes(resource) !== true || !rule.verbs.includes(verb)) return [rule];
      const others = rule.resources.filter((one) => one !== resource);
      const verbs = rule.verbs.filter((one) => one !== verb);
      return [
        ...(others.length === 0 ? [] : [{ ...rule, resources: others }]),
        ...(verbs.length === 0 ? [] : [{ ...rule, resources: [resource], verbs }]),
      ];
    });
    return rules === undefined ? object : { ...object, rules };
  });
const grant = (roles: readonly RbacObject[]) => bindAccount(api, roles, namespace);
const readyz = async () => {
  const answer = await fetch(`http://127.0.0.1:${operator?.opsPort}/readyz`);
  return { code: answer.status, text: await answer.text() };
};
const until = async (what: string, holds: () => Promise<boolean>) => {
  const deadlineMs = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`${what}: not within 30 s; ${(await readyz()).text}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const untilReadyz = (text: string) =>
  until(`/readyz says ${text}`, async () => (await readyz()).text.includes(text));
const untilWell = () => until('/readyz is well', async () => (await readyz()).code === 200);
const eventOf = async (name: string, reason: string) => {
  const { body } = await api.get(api.path('events'));
  return (
    body.items as unknown as { involvedObject: { name: string }; reason: string; message: string }[]
  ).find((one) => one.involvedObject.name === name && one.reason === reason)?.message;
};

const group: Record<string, string> = {
  serviceaccounts: '',
  configmaps: '',
  services: '',
  deployments: 'apps',
  controllerrevisions: 'apps',
  poddisruptionbudgets: 'policy',
  networkpolicies: 'networking.k8s.io',
};
const qualified = (resource: string) =>
  `${resource}${(group[resource] ?? '') === '' ? '' : `.${group[resource]}`}`;
const rows = Object.keys(group).flatMap((resource) =>
  ['patch', 'create'].map((verb) => ({ verb, resource })),
);

describe('without the right to', () => {
  test.each(rows)(
    '$verb $resource the condition names the rule',
    async ({ verb, resource }) => {
      const name = `${verb}-${resource}`.slice(0, 40);
      await grant(without(verb, resource));
      await createModel(workload, name, { access: { networkPolicy: 'Restricted' } });
      const { body } = await api.eventually(
        () => api.get(`${models}/${name}`),
        (answer) => conditionOf(answer.body, 'Stalled')?.status === 'True',
      );
      expect(conditionOf(body, 'Stalled')).toMatchObject({
        reason: 'Forbidden',
        message: `the operator may not ${verb} ${qualified(resource)} in namespace ${namespace}: add the verb ${verb} on the resource ${resource} (apiGroup "${group[resource]}") to its Role in namespace ${namespace}, or its ClusterRole; check it with: kubectl auth can-i ${verb} ${qualified(resource)} -n ${namespace} --as ${account.user}`,
      });
      await untilReadyz(`permissions: may not ${verb} ${qualified(resource)} in namespace ${namespace}`);
      await grant(objects);
      await untilReady(workload, name);
      await untilWell();
      await api.delete(`${models}/${name}`);
    },
    90_000,
  );

  test('delete networkpolicies the condition names the rule', async () => {
    await createModel(workload, 'delete', { access: { networkPolicy: 'Restricted' } });
    await untilReady(workload, 'delete');
    await grant(without('delete', 'networkpolicies'));
    await api.mergePatch(`${models}/delete`, { spec: { access: null } });
    const { body } = await api.eventually(
      () => api.get(`${models}/delete`),
      (answer) => conditionOf(answer.body, 'Stalled')?.status === 'True',
    );
    expect(conditionOf(body, 'Stalled')?.message).toContain(
      `may not delete networkpolicies.networking.k8s.io in namespace ${namespace}`,
    );
    await grant(objects);
    await untilReady(workload, 'delete');
  }, 90_000);

  test('patch modeldeployments/status an Event and /readyz say it', async () => {
    await grant(without('patch', 'modeldeployments/status'));
    await createModel(workload, 'status');
    const text = `may not patch modeldeployments.ballast.dev/status in namespace ${namespace}`;
    await untilReadyz(`permissions: ${text}`);
    await until('the Event', async () => ((await eventOf('status', 'Forbidden')) ?? '').includes(text));
    await grant(objects);
    await untilReady(workload, 'status');
    await untilWell();
  }, 90_000);

  test('create events only /readyz can say it, and everything else goes on', async () => {
    await grant(without('create', 'events'));
    await createModel(workload, 'events');
    await untilReady(workload, 'events');
    await untilReadyz(`permissions: may not create events in namespace ${namespace}`);
    await grant(objects);
    await api.mergePatch(`${models}/events`, { spec: { model: { version: '2' } } });
    await untilReady(workload, 'events');
    await untilWell();
  }, 90_000);

  test('list what it watches /readyz names the namespace and the kinds', async () => {
    await operator?.stop();
    await grant(without('list', 'services'));
    await start();
    await untilReadyz(
      `caches: namespace ${namespace}: may not list and watch services: it does not exist, or the operator's Role and RoleBinding are missing in it`,
    );
    await grant(objects);
    await operator?.whenRunning();
    await untilWell();
  }, 90_000);

  test('read its claim nothing is done in the namespace, and /readyz and an Event say so', async () => {
    await operator?.stop();
    await grant(without('get', 'leases'));
    await start();
    await createModel(workload, 'claim');
    const text = `the operator may not keep its claim on namespace ${namespace}: add the verbs get, create and update on resource leases`;
    await untilReadyz(`claims: ${text}`);
    await until('the Event', async () =>
      ((await eventOf('claim', 'NamespaceNotClaimed')) ?? '').includes(text),
    );
    expect(said(await api.get(api.path('serviceaccounts', 'claim')))).toContain('404');
    await grant(objects);
    await untilReady(workload, 'claim');
    await untilWell();
  }, 90_000);
});
