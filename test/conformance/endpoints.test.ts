import { describe, expect, test } from '@jest/globals';
import type { Body } from './support/client.ts';
import { openCluster } from './support/cluster.ts';
import { container, pod, service } from './support/objects.ts';
import { fakeKubelet } from './support/pods.ts';
import { at, said } from './support/words.ts';

const api = await openCluster();
const kubelet = await fakeKubelet(api);
interface Endpoint {
  addresses: string[];
  conditions: Record<string, boolean>;
  targetRef: { kind: string; name: string; uid: string };
  nodeName?: string;
}
const slicesOf = (name: string) =>
  api.get(api.path('endpointslices'), { labelSelector: `kubernetes.io/service-name=${name}` });
const endpointsOf = (bodies: readonly Body[]) =>
  bodies.flatMap((body) => (body.endpoints ?? []) as Endpoint[]);
const untilSlices = async (
  name: string,
  holds: (endpoints: Endpoint[], slices: readonly Body[]) => boolean,
) => {
  const { body } = await api.eventually(
    () => slicesOf(name),
    (answer) => answer.body.items.length > 0 && holds(endpointsOf(answer.body.items), answer.body.items),
  );
  return body.items;
};
const run = async (name: string, app: string, ports: object[] = [{ name: 'http', containerPort: 8080 }]) => {
  const made = await api.post(
    api.path('pods'),
    pod(
      name,
      { nodeName: kubelet.node, nodeSelector: {}, containers: [container('main', 'i:1', { ports })] },
      { labels: { app } },
    ),
  );
  expect(said(made)).toBe('201');
};

describe('endpoint slices', () => {
  test('hold ready pods with address, node and reference, and the ports by name', async () => {
    await api.post(
      api.path('services'),
      service('plain', { ports: [{ name: 'http', port: 80, targetPort: 'http' }] }),
    );
    await run('plain-1', 'plain');
    const address = await kubelet.report('plain-1');
    const [slice] = await untilSlices('plain', (endpoints) => endpoints[0]?.conditions.ready === true);
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      metadata: {
        generateName: 'plain-',
        labels: {
          'kubernetes.io/service-name': 'plain',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Service', name: 'plain', controller: true, blockOwnerDeletion: true },
        ],
      },
      endpoints: [
        {
          addresses: [address],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: kubelet.node,
          targetRef: { kind: 'Pod', name: 'plain-1', namespace: api.namespace },
        },
      ],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    });
  });

  test('say that a pod is not ready', async () => {
    await api.post(api.path('services'), service('unready'));
    await run('unready-1', 'unready');
    await kubelet.report('unready-1', false);
    const slices = await untilSlices('unready', (endpoints) => endpoints.length === 1);
    expect(endpointsOf(slices)[0]?.conditions).toEqual({ ready: false, serving: false, terminating: false });
    await kubelet.report('unready-1', true);
    await untilSlices('unready', (endpoints) => endpoints[0]?.conditions.ready === true);
  });

  test('leave out pods without an address', async () => {
    await api.post(api.path('services'), service('addressless'));
    await run('addressless-1', 'addressless');
    await run('addressless-2', 'addressless');
    await kubelet.report('addressless-2');
    const slices = await untilSlices('addressless', (endpoints) => endpoints.length > 0);
    expect(endpointsOf(slices).map((one) => one.targetRef.name)).toEqual(['addressless-2']);
  });

  test('with publishNotReadyAddresses count every pod as ready', async () => {
    await api.post(
      api.path('services'),
      service('eager', { clusterIP: 'None', publishNotReadyAddresses: true }),
    );
    await run('eager-1', 'eager');
    await kubelet.report('eager-1', false);
    const slices = await untilSlices('eager', (endpoints) => endpoints.length === 1);
    expect(endpointsOf(slices)[0]?.conditions).toEqual({ ready: true, serving: false, terminating: false });
  });

  test('of a headless Service carry the label that says so', async () => {
    await api.post(api.path('services'), service('headless', { clusterIP: 'None' }));
    await run('headless-1', 'headless');
    await kubelet.report('headless-1');
    const [slice] = await untilSlices('headless', (endpoints) => endpoints.length === 1);
    expect(slice?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
  });

  test('say that a pod is going: serving still, ready no more', async () => {
    await api.post(api.path('services'), service('going'));
    await run('going-1', 'going');
    await kubelet.report('going-1');
    await untilSlices('going', (endpoints) => endpoints[0]?.conditions.ready === true);
    await api.delete(api.path('pods', 'going-1'));
    const slices = await untilSlices('going', (endpoints) => endpoints[0]?.conditions.terminating === true);
    expect(endpointsOf(slices)[0]?.conditions).toEqual({ ready: false, serving: true, terminating: true });
    await api.delete(api.path('pods', 'going-1'), { gracePeriodSeconds: 0 });
    await untilSlices('going', (endpoints) => endpoints.length === 0);
  });

  test('pods whose named port has different numbers are in slices of their own', async () => {
    await api.post(
      api.path('services'),
      service('mixed', { ports: [{ name: 'http', port: 80, targetPort: 'http' }] }),
    );
    await run('mixed-1', 'mixed', [{ name: 'http', containerPort: 8081 }]);
    await run('mixed-2', 'mixed', [{ name: 'http', containerPort: 8082 }]);
    await kubelet.report('mixed-1');
    await kubelet.report('mixed-2');
    const slices = await untilSlices('mixed', (endpoints) => endpoints.length === 2);
    const ports = slices
      .filter((slice) => endpointsOf([slice]).length > 0)
      .map((slice) => at(slice, 'ports.0.port'));
    expect(ports.sort()).toEqual([8081, 8082]);
  });

  test('follow the selector of the Service', async () => {
    await api.post(api.path('services'), service('fickle'));
    await run('fickle-1', 'fickle');
    await run('fickle-2', 'other');
    await kubelet.report('fickle-1');
    await kubelet.report('fickle-2');
    await untilSlices('fickle', (endpoints) => endpoints.length === 1);
    await api.mergePatch(api.path('services', 'fickle'), { spec: { selector: { app: 'other' } } });
    await untilSlices(
      'fickle',
      (endpoints) => endpoints.length === 1 && endpoints[0]?.targetRef.name === 'fickle-2',
    );
  });

  test('of a pod that has ended are gone', async () => {
    await api.post(api.path('services'), service('ended'));
    await run('ended-1', 'ended');
    await kubelet.report('ended-1');
    await untilSlices('ended', (endpoints) => endpoints.length === 1);
    // As a kubelet writes it: the controller looks again because Ready changes.
    const ended = { phase: 'Failed', conditions: [{ type: 'Ready', status: 'False', reason: 'PodFailed' }] };
    await api.strategicPatch(api.path('pods', 'ended-1', 'status'), { status: ended });
    await untilSlices('ended', (endpoints) => endpoints.length === 0);
  });

  test('go with their Service', async () => {
    await api.post(api.path('services'), service('leaving'));
    await run('leaving-1', 'leaving');
    await kubelet.report('leaving-1');
    await untilSlices('leaving', (endpoints) => endpoints.length === 1);
    await api.delete(api.path('services', 'leaving'));
    await api.eventually(
      () => slicesOf('leaving'),
      ({ body }) => body.items.length === 0,
    );
  });
});

describe('disruption budgets', () => {
  const budget = (name: string, spec: object) => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, ...spec },
  });
  const untilStatus = (name: string, holds: (status: Record<string, unknown>) => boolean) =>
    api.eventually(
      () => api.get(api.path('poddisruptionbudgets', name)),
      ({ body }) => holds((body.status ?? {}) as Record<string, unknown>),
    );

  test('count the healthy pods that their selector finds', async () => {
    for (const name of ['guarded-1', 'guarded-2']) await run(name, 'guarded');
    await kubelet.report('guarded-1');
    await kubelet.report('guarded-2', false);
    await api.post(api.path('poddisruptionbudgets'), budget('guarded', { minAvailable: 1 }));
    const { body } = await untilStatus('guarded', (status) => status.currentHealthy === 1);
    expect(body.status).toMatchObject({
      observedGeneration: 1,
      expectedPods: 2,
      currentHealthy: 1,
      desiredHealthy: 1,
      disruptionsAllowed: 0,
      conditions: [
        { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', observedGeneration: 1 },
      ],
    });
    await kubelet.report('guarded-2', true);
    const after = await untilStatus('guarded', (status) => status.disruptionsAllowed === 1);
    expect(at(after.body, 'status.conditions.0')).toMatchObject({ status: 'True', reason: 'SufficientPods' });
  });

  test('refuse both minAvailable and maxUnavailable', async () => {
    const answer = await api.post(
      api.path('poddisruptionbudgets'),
      budget('both', { minAvailable: 1, maxUnavailable: 1 }),
    );
    expect(said(answer)).toMatch(/^422 Invalid: .*minAvailable and maxUnavailable cannot be both set/);
  });
});
