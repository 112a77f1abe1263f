/** The unmodified operator on a real control plane: what it applies is accepted, pods fit `restricted`, rest is rest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { parseConfig } from '../../operator/config.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import type { Body } from '../conformance/support/client.ts';
import { type CustomDefinition, openCluster } from '../conformance/support/cluster.ts';
import { at, names, said } from '../conformance/support/words.ts';
import { operatorFlags } from '../operator-flags.ts';
import { runKubelet } from './kubelet.ts';
import { readAuditLog } from './rbac/audit-log.ts';
import { bindAccount, renderRbac } from './rbac/bound-account.ts';
import { judge, saveObservation } from './rbac/evidence.ts';

const kubeconfig = process.env.CONFORMANCE_KUBECONFIG ?? '';
/** Every request of the operator. */
const auditLog = process.env.BALLAST_KUBE_AUDIT_LOG ?? '';
if (kubeconfig === '' || auditLog === '')
  throw new Error('run it with "npm run test:kube": it needs a real API server and its audit log');
const root = join(import.meta.dirname, '../..');
const read = (path: string) => load(readFileSync(join(root, path), 'utf8'));

const api = await openCluster();
await api.mergePatch(`/api/v1/namespaces/${api.namespace}`, {
  metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
});
const models = await api.install(read('crds/generated/modeldeployment.crd.yaml') as CustomDefinition);
const sampleNames = ['wine', 'digits', 'penguins', 'digit-images'];
const everything = {
  apiVersion: 'ballast.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'everything' },
  spec: {
    model: { uri: 'pvc://models/wine/model.onnx', version: 'v1' },
    runtime: {
      image: 'example.test/pod:1',
      resources: { requests: { cpu: '100m' }, limits: { cpu: 1, memory: '256Mi' } },
      threads: 1,
      env: [
        { name: 'A', value: '1' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      ],
      limits: { maxBodyBytes: 4096 },
      pod: {
        nodeSelector: { a: 'b' },
        tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
        topologySpread: [
          { topologyKey: 'kubernetes.io/hostname', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' },
        ],
        imagePullSecrets: [{ name: 'login' }],
        labels: { team: 'a' },
        annotations: { 'test.dev/a': 'b' },
      },
    },
    sla: { latency: { p95: '50ms', p99: '100ms' }, errorRate: '0.1%', window: '1m' },
    traffic: { timeout: '3s' },
    scaling: { minReplicas: 2, maxReplicas: 4, requestsPerSecondPerReplica: 10 },
    rollout: { progressDeadline: '1m', revisionHistoryLimit: 2, restartedAt: 'now' },
    access: { networkPolicy: 'Restricted' },
  },
};

const kubelet = await runKubelet(api);
// With the rights that the chart gives, and no others.
const account = await bindAccount(api, await renderRbac('ballast', api.namespace, []), api.namespace);
let operator: Operator;
const start = async (more: string[] = []) => {
  const flags = [
    ...operatorFlags,
    '--watch-namespaces',
    api.namespace,
    '--installation',
    `${api.namespace}/ballast`,
  ];
  const started = await startOperator(parseConfig([...flags, ...more], {}), { auth: account.auth });
  await started.whenRunning();
  return started;
};
beforeAll(async () => {
  operator = await start();
}, 60_000);
afterAll(async () => {
  await operator.stop();
  kubelet.stop();
}, 60_000);

const condition = (body: Body, type: string) =>
  ((at(body, 'status.conditions') ?? []) as { type: string; status: string; message: string }[]).find(
    (one) => one.type === type,
  );
const untilReady = (name: string) =>
  api.eventually(
    () => api.get(`${models}/${name}`),
    ({ body }) =>
      condition(body, 'Ready')?.status === 'True' &&
      at(body, 'status.observedGeneration') === body.metadata.generation,
  );
const childrenOf = (plural: string, name: string) =>
  api.get(api.path(plural), { labelSelector: `ballast.dev/model-deployment=${name}` });
const kinds = [
  'deployments',
  'services',
  'configmaps',
  'serviceaccounts',
  'controllerrevisions',
  'poddisruptionbudgets',
  'networkpolicies',
];
/** resourceVersion of each object that the operator writes. */
const versions = async () => {
  const found: Record<string, string | undefined> = {};
  for (const path of [...kinds.map((plural) => api.path(plural)), models])
    for (const item of (await api.get(path)).body.items)
      found[`${path.split('/').at(-1)}/${item.metadata.name}`] = item.metadata.resourceVersion;
  return found;
};

describe('the operator on a real control plane', () => {
  test.each(sampleNames)('the sample %s becomes Ready', async (name) => {
    const made = await api.post(models, read(`samples/${name}/modeldeployment.yaml`), {
      fieldValidation: 'Strict',
    });
    expect(said(made)).toBe('201');
    const { body } = await untilReady(name);
    expect(condition(body, 'Available')?.status).toBe('True');
  });

  test('a ModelDeployment that uses every field becomes Ready', async () => {
    expect(said(await api.post(models, everything, { fieldValidation: 'Strict' }))).toBe('201');
    await untilReady('everything');
    for (const plural of kinds.filter((one) => one !== 'serviceaccounts'))
      expect([plural, names(await childrenOf(plural, 'everything')).length > 0]).toEqual([plural, true]);
    const [pod] = (await childrenOf('pods', 'everything')).body.items;
    expect(pod?.spec).toMatchObject({
      nodeSelector: { a: 'b' },
      imagePullSecrets: [{ name: 'login' }],
      topologySpreadConstraints: [{ topologyKey: 'kubernetes.io/hostname', maxSkew: 2 }],
    });
    expect(pod?.metadata).toMatchObject({ labels: { team: 'a' }, annotations: { 'test.dev/a': 'b' } });
  });

  test('a network policy for a remote model is accepted', async () => {
    const spec = {
      model: { uri: 'https://models.example.com/wine.onnx' },
      access: { networkPolicy: 'Restricted' },
    };
    const made = await api.post(models, { ...everything, metadata: { name: 'remote' }, spec });
    expect(said(made)).toBe('201');
    await untilReady('remote');
    const { body } = await childrenOf('networkpolicies', 'remote');
    expect(body.items[0]?.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
  });

  test('nothing was refused: no warning event, no ReplicaSet that failed', async () => {
    const { body } = await api.get(api.path('events'), { fieldSelector: 'type=Warning' });
    expect(body.items.map((event) => `${event.reason}: ${event.message}`)).toEqual([]);
    const sets = await api.get(api.path('replicasets'));
    expect(sets.body.items.filter((set) => condition(set, 'ReplicaFailure') !== undefined)).toEqual([]);
  });

  test('an operator that starts anew writes no child', async () => {
    const before = await versions();
    await operator.stop();
    operator = await start();
    await api.eventually(
      () => api.get(models),
      () => operator.metrics.total('reconciles_total') >= sampleNames.length + 2,
    );
    const writes = operator.metrics
      .snapshot()
      .filter(({ name, labels }) => name === 'writes_total' && labels.verb !== 'apply status');
    expect(writes).toEqual([]);
    const after = await versions();
    const moved = Object.keys(after).filter(
      (key) => !key.startsWith('modeldeployments/') && after[key] !== before[key],
    );
    expect(moved).toEqual([]);
  });

  test('a new revision takes over and the old Deployment goes', async () => {
    const before = names(await childrenOf('deployments', 'wine'));
    await api.mergePatch(`${models}/wine`, { spec: { model: { version: '2' } } });
    const { body } = await untilReady('wine');
    expect(at(body, 'status.rollout.number')).toBe(2);
    const { body: list } = await api.eventually(
      () => childrenOf('deployments', 'wine'),
      (answer) => names(answer).length === 1 && names(answer)[0] !== before[0],
    );
    expect(list.items[0]?.metadata.name).toMatch(/^wine-/);
    expect(names(await childrenOf('controllerrevisions', 'wine'))).toHaveLength(2);
  });

  test('kubectl scale is followed in mode Fixed', async () => {
    const answer = await api.mergePatch(`${models}/digit-images/scale`, { spec: { replicas: 3 } });
    expect(said(answer)).toBe('200');
    await untilReady('digit-images');
    const { body } = await childrenOf('deployments', 'digit-images');
    expect(at(body.items[0], 'spec.replicas')).toBe(3);
  });

  test('a hand edit of a child is put back, what others own beside it stays', async () => {
    const [deployment] = (await childrenOf('deployments', 'digits')).body.items;
    const path = api.path('deployments', deployment?.metadata.name);
    const wanted = at(deployment, 'spec.replicas');
    const edit = { metadata: { annotations: { 'test.dev/mine': 'stays' } }, spec: { replicas: 7 } };
    await api.mergePatch(path, edit, { fieldManager: 'kubectl-edit' });
    const { body } = await api.eventually(
      () => api.get(path),
      (answer) => at(answer.body, 'spec.replicas') === wanted,
    );
    expect(body.metadata.annotations?.['test.dev/mine']).toBe('stays');
    await api.eventually(
      () => api.get(api.path('events'), { fieldSelector: 'reason=ChildRestored' }),
      (answer) => answer.body.items.length > 0,
    );
  });

  test('of two that elect a leader one works, and the other takes over when it stops', async () => {
    await operator.stop();
    const election = ['--leader-elect', 'true', '--lease-namespace', api.namespace];
    const first = await start([...election, '--identity', 'first']);
    const leader = async () =>
      at((await api.get(api.path('leases', 'ballast-operator'))).body, 'spec.holderIdentity');
    expect(await leader()).toBe('first');
    const second = start([...election, '--identity', 'second']);
    await first.stop();
    operator = await second;
    expect(await leader()).toBe('second');
    await api.mergePatch(`${models}/digits`, { spec: { traffic: { timeout: '4s' } } });
    await untilReady('digits');
  });

  test('a quota that refuses pods is said in a condition', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'full' },
      spec: { hard: { pods: '0' } },
    };
    await api.post(api.path('resourcequotas'), quota);
    await api.eventually(
      () => api.get(api.path('resourcequotas', 'full')),
      ({ body }) => at(body, 'status.hard.pods') === '0',
    );
    await api.post(models, {
      ...everything,
      metadata: { name: 'starved' },
      spec: { model: everything.spec.model },
    });
    const { body } = await api.eventually(
      () => api.get(`${models}/starved`),
      (answer) => JSON.stringify(answer.body.status ?? {}).includes('exceeded quota: full'),
    );
    expect(condition(body, 'Ready')?.status).not.toBe('True');
    await api.delete(api.path('resourcequotas', 'full'));
  });

  test('deleting takes every child along', async () => {
    await api.delete(`${models}/everything`);
    // The garbage collector learns of a new kind half a minute late, and the CRD is new where this file runs alone.
    const deadlineMs = Date.now() + 55_000;
    for (const plural of [...kinds, 'pods'])
      while ((await childrenOf(plural, 'everything')).body.items.length > 0) {
        if (Date.now() > deadlineMs)
          throw new Error(`${plural} of a deleted ModelDeployment are still there`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
  }, 60_000);

  test('nothing was asked for that the chart does not grant', () => {
    const requests = readAuditLog(auditLog, account.user);
    const observed = { grants: account.grants, requests };
    saveObservation({ suite: 'operator', mode: 'its own namespace', ...observed });
    expect(requests.length).toBeGreaterThan(100);
    expect(judge(observed)).toMatchObject({ missing: [], clusterWide: [] });
  });
});
