/** Deployments, Services and their addresses with real processes behind them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Deployment, EndpointSlice, Pod, ReplicaSet, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { startTestbed, type Testbed, until } from './kubelet-testbed.ts';

let bed: Testbed;
let single: Testbed;
beforeAll(async () => {
  bed = await startTestbed();
  single = await startTestbed({ singleAddress: true });
});
afterAll(async () => {
  await bed.close();
  await single.close();
});

function createWeb(on: Testbed, name: string, replicas: number, env: string): void {
  on.create(resources.deployments, {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [
            {
              name: 'web',
              image: 'web:1',
              env: [{ name: 'VERSION', value: env }],
              ports: [{ name: 'http', containerPort: 8080 }],
              readinessProbe: { httpGet: { port: 'http', path: '/ready' }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  });
  on.create(resources.services, {
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] },
  });
}

const ready = (on: Testbed, name: string) =>
  on.find<Deployment>(resources.deployments, name)?.status?.readyReplicas;
const ask = async (url: string | undefined) =>
  (await fetch(`${url}/`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5_000) })).text();

test('a Deployment becomes ready pods that its Service reaches in turn at an address of its own', async () => {
  createWeb(bed, 'web', 2, '1');
  await until(
    'two ready',
    () => ready(bed, 'web') === 2,
    () => bed.find(resources.deployments, 'web'),
  );
  const service = bed.find<Service>(resources.services, 'web');
  expect(service?.spec.clusterIP).toMatch(/^127\./);
  const url = bed.cluster.serviceUrl('default', 'web', 8080);
  expect(url).toBe(`http://${service?.spec.clusterIP}:8080`);
  await until('both ready endpoints', () => {
    const slices = bed.cluster.registry.list<EndpointSlice>(resources.endpointSlices).items;
    return (
      slices.flatMap(({ endpoints }) => endpoints).filter(({ conditions }) => conditions?.ready).length === 2
    );
  });
  const names = new Set([await ask(url), await ask(url), await ask(url), await ask(url)]);
  expect(names.size).toBe(2);
});

test('a rolling update loses no request', async () => {
  createWeb(bed, 'roll', 2, '1');
  await until('two ready', () => ready(bed, 'roll') === 2);
  const url = await until('an address', () => bed.cluster.serviceUrl('default', 'roll', 8080));
  let stop = false;
  const outcome = { ok: 0, failed: [] as string[] };
  const load = (async () => {
    while (!stop) {
      try {
        await ask(url);
        outcome.ok++;
      } catch (error) {
        outcome.failed.push(String((error as Error).cause ?? error));
      }
    }
  })();
  try {
    bed.cluster.registry.edit<Deployment>(
      resources.deployments,
      { namespace: 'default', name: 'roll' },
      (draft) => {
        const [container] = draft.spec.template.spec.containers;
        if (container !== undefined) container.env = [{ name: 'VERSION', value: '2' }];
      },
    );
    await until(
      'rolled out',
      () => {
        const status = bed.find<Deployment>(resources.deployments, 'roll');
        return (
          status?.status?.observedGeneration === status?.metadata.generation &&
          status?.status?.updatedReplicas === 2 &&
          status.status.replicas === 2 &&
          status.status.availableReplicas === 2
        );
      },
      () => bed.find(resources.deployments, 'roll'),
    );
  } finally {
    stop = true;
    await load;
  }
  expect(outcome.failed).toEqual([]);
  expect(outcome.ok).toBeGreaterThan(2);
  const sets = bed.cluster.registry
    .list<ReplicaSet>(resources.replicaSets, { namespace: 'default', labelSelector: 'app=roll' })
    .items.map((set) => [set.metadata.annotations?.['deployment.kubernetes.io/revision'], set.spec.replicas]);
  expect(sets.sort()).toEqual([
    ['1', 0],
    ['2', 2],
  ]);
  expect(
    bed
      .find<Deployment>(resources.deployments, 'roll')
      ?.status?.conditions?.find(({ type }) => type === 'Progressing'),
  ).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
});

test('a quota that refuses pods shows as ReplicaFailure and a FailedCreate event', async () => {
  const { registry } = bed.cluster;
  registry.create(resources.namespaces, { metadata: { name: 'tight' } });
  registry.create({ group: '', version: 'v1', plural: 'resourcequotas' }, {
    metadata: { name: 'pods', namespace: 'tight' },
    spec: { hard: { pods: '1' } },
  } as never);
  registry.create<Deployment>(resources.deployments, {
    metadata: { name: 'two', namespace: 'tight' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'two' } },
      template: {
        metadata: { labels: { app: 'two' } },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'web' }] },
      },
    },
  });
  const condition = await until('ReplicaFailure', () =>
    registry
      .find<Deployment>(resources.deployments, { namespace: 'tight', name: 'two' })
      ?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure'),
  );
  expect(condition).toMatchObject({ status: 'True', reason: 'FailedCreate' });
  expect(condition.message).toContain('exceeded quota');
});

test('with a single address every pod has its own ports, and slices and Services lead there', async () => {
  createWeb(single, 'web', 2, '1');
  await until(
    'two ready',
    () => ready(single, 'web') === 2,
    () => single.find(resources.deployments, 'web'),
  );
  const pods = single.cluster.registry.list<Pod>(resources.pods, { namespace: 'default' }).items;
  const ports = pods.map(
    (pod) => JSON.parse(pod.metadata.annotations?.['local.ballast.dev/ports'] ?? '{}').http,
  );
  expect(pods.map((pod) => pod.status?.podIP)).toEqual(['127.0.0.1', '127.0.0.1']);
  expect(new Set(ports).size).toBe(2);
  await until('one slice per pod', () => {
    const slices = single.cluster.registry.list<EndpointSlice>(resources.endpointSlices).items;
    return (
      slices.length === 2 &&
      slices.every(({ endpoints }) => endpoints.length === 1 && endpoints[0]?.conditions?.ready) &&
      slices
        .map((slice) => slice.ports?.[0]?.port)
        .sort()
        .join() === [...ports].sort().join()
    );
  });
  const url = single.find<Service>(resources.services, 'web')?.metadata.annotations?.[
    'local.ballast.dev/url'
  ];
  expect(url).toBe(single.cluster.serviceUrl('default', 'web', 8080));
  expect(new Set([await ask(url), await ask(url)]).size).toBe(2);
});
