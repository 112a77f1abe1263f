/** An operator for named namespaces: it asks for nothing else, and one that it may not read stops no other. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import { loadAuth, staticAuth } from '../../kube/auth.ts';
import { realClock } from '../../kube/clock.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { parseConfig } from '../../operator/config.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import { FaultProxy } from '../fault/fault-proxy.ts';
import { eventually, type OperatorBed, startOperatorBed } from './operator-bed.ts';

let bed: OperatorBed;
let proxy: FaultProxy;
let operator: Operator;
/** Namespaces, and one kind of one. */
let refused = new Set(['team-b', 'team-d/pods']);
const logged: string[] = [];

const createIn = (namespace: string, name: string) =>
  bed.api.create(modelDeployments, {
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name, namespace },
    spec: { model: { uri: 'file:///samples/wine/model.onnx' } },
  } as KubeObject);
const phaseOf = async (namespace: string, name: string) =>
  (await bed.api.get<ModelDeployment & KubeObject>(modelDeployments, { name, namespace })).status?.summary
    ?.phase;
const untilReady = (namespace: string, name: string) =>
  eventually(`${namespace}/${name} is Ready`, async () => (await phaseOf(namespace, name)) === 'Ready');
const readyz = async () => {
  const answer = await fetch(`http://127.0.0.1:${operator.opsPort}/readyz`);
  return { code: answer.status, text: await answer.text() };
};
const metricsText = async () => (await fetch(`http://127.0.0.1:${operator.opsPort}/metrics`)).text();

beforeAll(async () => {
  // The bed's own operator keeps to a namespace in which nothing happens.
  bed = await startOperatorBed({ flags: ['--watch-namespaces', 'nobody'] });
  for (const name of ['team-a', 'team-b', 'team-c', 'team-d'])
    await bed.api.create(resources.namespaces, { metadata: { name } });
  const { ca } = (await (await loadAuth({ kubeconfig: bed.cluster.kubeconfigPath })).credentials()).tls;
  proxy = new FaultProxy({ target: bed.cluster.url, ca: ca?.toString(), clock: realClock });
  proxy.rule = ({ path }) =>
    [...refused].some((part) => path.includes(`/namespaces/${part}/`) || path.endsWith(`/namespaces/${part}`))
      ? {
          kind: 'status',
          code: 403,
          body: { kind: 'Status', status: 'Failure', code: 403, reason: 'Forbidden', message: 'forbidden' },
        }
      : undefined;
  await proxy.up();
  const note = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  operator = await startOperator(
    parseConfig(
      [
        '--watch-namespaces',
        'team-a,team-b,team-d,not-there',
        '--ops-host',
        '127.0.0.1',
        '--ops-port',
        '0',
        '--lease-namespace',
        'team-a',
      ],
      {},
    ),
    {
      auth: staticAuth(proxy.url, bed.cluster.token),
      log: { debug() {}, info: note, warn: note, error: note },
    },
  );
  await operator.whenRunning();
}, 60_000);
afterAll(async () => {
  await operator.stop();
  await proxy.close();
  await bed.close();
}, 60_000);

describe('an operator for named namespaces', () => {
  test('works in those that it may read, and names the one that it may not', async () => {
    await createIn('team-a', 'wine');
    await createIn('team-b', 'wine');
    await createIn('team-c', 'wine');
    await createIn('team-d', 'wine');
    await untilReady('team-a', 'wine');
    expect(await phaseOf('team-b', 'wine')).toBeUndefined();
    // Without its pods nothing is known for sure: no write there either.
    await eventually('the model was seen', () => operator.metrics.total('not_admitted_total') >= 1);
    expect(proxy.writes().filter(({ path }) => path.includes('/namespaces/team-d/'))).toEqual([]);
    const { code, text } = await readyz();
    expect(code).toBe(503);
    expect(text).toMatch(
      /^caches: namespace team-b: may not list and watch modeldeployments\.ballast\.dev, serviceaccounts, .*: it does not exist, or the operator's Role and RoleBinding are missing in it\ncaches: namespace team-d: may not list and watch pods: it does not exist, or the operator's Role and RoleBinding are missing in it\n$/,
    );
    const metrics = await metricsText();
    expect(metrics).toContain('ballast_operator_namespace_read{namespace="team-a"} 1\n');
    expect(metrics).toContain('ballast_operator_namespace_read{namespace="team-b"} 0\n');
    expect(metrics).toMatch(
      /ballast_operator_reflector_errors_total\{[^}]*reason="Forbidden",namespace="team-b"\}/,
    );
    expect(logged.filter((line) => /list failed.*"kind":"Pod".*team-b/.test(line))).toHaveLength(1);
  }, 40_000);

  test('takes up the namespace when the Role is there, and is ready then', async () => {
    refused = new Set();
    await untilReady('team-b', 'wine');
    await untilReady('team-d', 'wine');
    await eventually('it is ready', async () => (await readyz()).code === 200);
    expect(await metricsText()).toContain('ballast_operator_namespace_read{namespace="team-b"} 1\n');
  }, 60_000);

  test('asks for nothing outside its namespaces, and for nothing cluster-scoped', async () => {
    expect(await phaseOf('team-c', 'wine')).toBeUndefined();
    expect(proxy.seen.length).toBeGreaterThan(50);
    const elsewhere = proxy.seen.filter(
      ({ path }) => !/\/namespaces\/(team-a|team-b|team-d|not-there)\//.test(path),
    );
    expect(elsewhere.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });
});
