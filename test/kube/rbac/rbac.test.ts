/** RBAC from evidence: the API server's audit log says what the operator asks for, and the chart grants that and no more. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { parseConfig } from '../../../operator/config.ts';
import { type Operator, startOperator } from '../../../operator/operator.ts';
import { type CustomDefinition, openCluster } from '../../conformance/support/cluster.ts';
import { at } from '../../conformance/support/words.ts';
import { binaryPath, cacheDir, moduleFolder } from '../build.ts';
import { startControlPlane } from '../control-plane.ts';
import { runKubelet } from '../kubelet.ts';
import { readAuditLog } from './audit-log.ts';
import { type BoundAccount, bindAccount, renderRbac } from './bound-account.ts';
import { judge, saveObservation } from './evidence.ts';
import type { RbacObject } from './permissions.ts';
import { conditionOf, createModel, liveThrough, untilReady, type Workload } from './workload.ts';

// A control plane of its own: an operator that watches all namespaces would work in those of other suites too.
const plane = await startControlPlane({
  binary: binaryPath(),
  runsDir: join(cacheDir, 'run'),
  audit: true,
});
process.env.CONFORMANCE_KUBECONFIG = plane.kubeconfigPath;

const api = await openCluster();
const crdPath = join(import.meta.dirname, '../../../crds/generated/modeldeployment.crd.yaml');
const models = await api.install(load(readFileSync(crdPath, 'utf8')) as CustomDefinition);
const buffersPath = join(
  moduleFolder('karpenter', 'sigs.k8s.io/karpenter'),
  'pkg/apis/crds/autoscaling.x-k8s.io_capacitybuffers.yaml',
);
await api.install(load(readFileSync(buffersPath, 'utf8')) as CustomDefinition);
const kubelet = await runKubelet(api);
afterAll(() => kubelet.stop());
afterAll(() => plane.stop(), 60_000);

const namespaceOf = async (prefix: string): Promise<string> => {
  const name = api.unique(prefix);
  await api.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
};

let identities = 0;
/** Starts the operator as the chart's pod does, with the rights that the chart gives. */
const startBound = async (account: BoundAccount, flags: readonly string[]): Promise<Operator> => {
  const always = {
    'ops-host': '127.0.0.1',
    'ops-port': '0',
    'bake-time': '1s',
    installation: `${account.namespace}/ballast`,
    identity: `operator-${++identities}`,
  };
  const given = Object.entries(always).map(([name, value]) => `--${name}=${value}`);
  const operator = await startOperator(parseConfig([...given, ...flags], {}), { auth: account.auth });
  await operator.whenRunning();
  return operator;
};

/** Binds a fresh account to the chart's roles and gives a workload whose operator runs as that account. */
const install = async (
  release: string,
  values: readonly string[],
  flags: readonly string[],
  change: (objects: RbacObject[]) => RbacObject[] = (objects) => objects,
) => {
  const account = await bindAccount(api, change(await renderRbac('ballast', release, values)), release);
  let operator = await startBound(account, flags);
  const workload: Workload = {
    api,
    models,
    prefix: api.unique('life'),
    async restart() {
      await operator.stop();
      operator = await startBound(account, flags);
      return operator;
    },
  };
  const stop = async () => {
    await operator.stop();
    // The claim on the namespace outlives this installation by its time, and the next one is another.
    await api.delete(api.path('leases', 'ballast-claim'));
  };
  return { account, workload, stop };
};

const modes = [
  { mode: 'its own namespace', own: true, values: [], flags: [`--watch-namespaces=${api.namespace}`] },
  {
    mode: 'a namespace by name, and nodes',
    own: false,
    values: [`watch.namespaces={${api.namespace}}`, 'nodes.read=true'],
    flags: [`--watch-namespaces=${api.namespace}`, '--read-nodes=true'],
  },
  { mode: 'all namespaces', own: false, values: ['watch.clusterWide=true'], flags: [] },
];

describe.each(modes)('an operator that watches $mode', ({ mode, own, values, flags }) => {
  test('is granted what it asks for, and nothing else', async () => {
    const release = own ? api.namespace : await namespaceOf('release');
    const { account, workload, stop } = await install(release, values, flags);
    try {
      await liveThrough(workload);
    } finally {
      await stop();
    }
    const requests = readAuditLog(join(plane.dir, 'audit.log'), account.user);
    saveObservation({ suite: 'rbac', mode, grants: account.grants, requests });
    const { missing, unused, clusterWide } = judge({ requests, grants: account.grants });
    expect(requests.length).toBeGreaterThan(100);
    expect({ missing, unused }).toEqual({ missing: [], unused: [] });
    const nodes = ['list nodes in the cluster', 'watch nodes in the cluster'];
    if (mode !== 'all namespaces') expect(clusterWide).toEqual(flags.length > 1 ? nodes : []);
  }, 120_000);
});

describe('a rule that was taken away', () => {
  test('is named in a condition, and nothing is lost once it is back', async () => {
    const release = await namespaceOf('release');
    const values = [`watch.namespaces={${api.namespace}}`];
    const without = (objects: RbacObject[]): RbacObject[] =>
      objects.map((object) => ({
        ...object,
        ...(object.rules === undefined
          ? {}
          : { rules: object.rules.filter(({ apiGroups }) => apiGroups?.includes('policy') !== true) }),
      }));
    // List and watch are refused too, so the account keeps those.
    const readOnly = { apiGroups: ['policy'], resources: ['poddisruptionbudgets'] };
    const change = (objects: RbacObject[]): RbacObject[] =>
      without(objects).map((object) =>
        object.kind === 'Role' && object.metadata.namespace === api.namespace
          ? { ...object, rules: [...(object.rules ?? []), { ...readOnly, verbs: ['list', 'watch'] }] }
          : object,
      );
    const { workload, stop } = await install(
      release,
      values,
      [`--watch-namespaces=${api.namespace}`],
      change,
    );
    try {
      await createModel(workload, 'refused');
      const { body } = await api.eventually(
        () => api.get(`${models}/refused`),
        (answer) => JSON.stringify(answer.body.status ?? {}).includes('poddisruptionbudgets.policy'),
      );
      const stalled = conditionOf(body, 'Stalled');
      expect(stalled).toMatchObject({ status: 'True', reason: 'Forbidden' });
      expect(stalled?.message).toContain('poddisruptionbudgets.policy');
      expect(stalled?.message).toContain('patch');
      expect(at(body, 'status.observedGeneration')).toBe(body.metadata.generation);
      await bindAccount(api, await renderRbac('ballast', release, values), release);
      await untilReady(workload, 'refused');
    } finally {
      await stop();
    }
  }, 120_000);
});

describe('the chart’s roles', () => {
  test.each([
    { values: [] as string[] },
    { values: ['watch.clusterWide=true', 'nodes.read=true', 'rbac.aggregate=true'] },
  ])(
    'with $values hold no wildcard, no Secrets, nothing inside pods, no Role but the gateway’s; nodes only where asked for',
    async ({ values }) => {
      const rules = (await renderRbac('ballast', 'ns', values)).flatMap((object) => object.rules ?? []);
      const resources = rules.flatMap(({ resources: named = [] }) => named);
      expect(rules.length).toBeGreaterThan(5);
      expect(
        rules.flatMap(({ apiGroups = [], verbs }) => [...apiGroups, ...verbs, ...resources]),
      ).not.toContain('*');
      // Of the gateway alone, and by name.
      const gateways = rules.filter(({ resources: named = [] }) => named.includes('roles'));
      expect(gateways.map(({ resourceNames }) => resourceNames)).toEqual([['ballast-gateway']]);
      expect(resources.filter((name) => /^secrets|^pods\/|^(cluster)?role/.test(name)).sort()).toEqual([
        'rolebindings',
        'roles',
      ]);
      expect(rules.flatMap(({ verbs }) => verbs)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(escalate|bind|impersonate)$/)]),
      );
      expect(resources.includes('nodes')).toBe(values.length > 0);
    },
  );
});
