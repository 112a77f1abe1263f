/** The way through the gateway, whole: operator, gateways and inference pods as processes, real predictions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { ConfigMap, Deployment, KubeObject, Pod, Role, Service } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { buildBundles, podNodeEnv, podNodeFlags } from '../../local/bundles.ts';
import {
  createModel,
  eventually,
  getModel,
  namespace,
  type OperatorBed,
  patchModel,
  startOperatorBed,
} from './operator-bed.ts';

const root = join(import.meta.dirname, '..', '..');
const body = readFileSync(join(root, 'samples/wine/golden/request.json'), 'utf8');
let bed: OperatorBed;

beforeAll(async () => {
  const { directory } = await buildBundles(root, join(root, '.ballast'));
  bed = await startOperatorBed({
    flags: ['--image', 'pod', '--file-roots', '/samples'],
    gatewayBundles: directory,
    images: {
      pod: {
        command: [process.execPath, ...podNodeFlags, join(directory, 'inference-pod.mjs')],
        env: { ...podNodeEnv, BALLAST_FILE_ROOTS: '/samples', BALLAST_DRAIN_DELAY_MS: '0' },
        paths: { '/samples': join(root, 'samples') },
      },
    },
  });
}, 60_000);
afterAll(() => bed.close());

const traffic = async (name: string): Promise<NonNullable<ModelDeployment['status']>['traffic']> =>
  (await getModel(bed.api, name)).status?.traffic;
const named = async <T extends KubeObject>(type: ResourceType, name: string) =>
  (await bed.api.list<T>(type, { namespace, fieldSelector: `metadata.name=${name}` })).items[0];
const gatewayPods = async () =>
  (
    await bed.api.list<Pod>(resources.pods, {
      namespace,
      labelSelector: 'app.kubernetes.io/component=gateway',
    })
  ).items;

const infer = async (name = 'wine') => {
  const url = bed.cluster.serviceUrl(namespace, name, 8080);
  const answer = await request(`${url}/v2/models/${name}/infer`, { method: 'POST', body });
  return { status: answer.statusCode, body: await answer.body.json() };
};

/** Two models, so that the one that sleeps has its idle time behind it while the other is looked at. */
const sleeper = 'sleeper';
test('a ModelDeployment asks for the gateway, is served through it, and leaves it', async () => {
  await createModel(bed.api, sleeper, {
    model: { uri: 'file:///samples/wine/model.onnx' },
    scaling: { scaleToZero: { idleAfter: '10s' } },
  });
  await createModel(bed.api, 'wine', {
    scaling: { mode: 'Fixed', replicas: 2 },
    traffic: { path: 'Gateway' },
  });
  await eventually('the path is Gateway', async () => (await traffic('wine'))?.path === 'Gateway', 40_000);

  const service = await named<Service>(resources.services, 'wine');
  const routes = await named<ConfigMap>(resources.configMaps, 'wine-routes');
  const { port } = JSON.parse(routes?.data?.['routes.json'] ?? '{}') as { port: number };
  expect(port).toBeGreaterThanOrEqual(20_000);
  expect(service?.spec.ports?.map(({ targetPort }) => targetPort)).toEqual([port, port]);
  expect((await traffic('wine'))?.message).toMatch(/gateway pods? (is|are) ready, at port \d+$/);

  // From the Service's slices on, requests go where it leads.
  await eventually('a prediction through the gateway', async () => {
    const answer = await infer().catch(() => undefined);
    return answer?.status === 200;
  });
  const golden = JSON.parse(readFileSync(join(root, 'samples/wine/golden/response.json'), 'utf8')) as {
    outputs: { name: string; data: number[] }[];
  };
  const answers = await Promise.all(Array.from({ length: 40 }, () => infer()));
  for (const { status, body: said } of answers) {
    expect(status).toBe(200);
    const { outputs } = said as typeof golden;
    golden.outputs.forEach(({ data }, index) => {
      for (const [at, value] of data.entries()) expect(outputs[index]?.data[at]).toBeCloseTo(value, 5);
    });
  }

  // Each gateway process tells what it carried: the requests did go through it.
  const completed = await Promise.all(
    (await gatewayPods()).map(async ({ status }) => {
      const load = await request(`http://${status?.podIP}:8081/load`);
      return JSON.stringify(await load.body.json());
    }),
  );
  expect(completed.join()).toContain('"wine"');

  const [anchor, deployment, role] = [
    await named(resources.serviceAccounts, 'ballast-gateway'),
    await named<Deployment>(resources.deployments, 'ballast-gateway'),
    await named<Role>(resources.roles, 'ballast-gateway'),
  ];
  expect(anchor?.metadata.ownerReferences?.map(({ name }) => name).sort()).toEqual([sleeper, 'wine']);
  for (const child of [deployment, role])
    expect(child?.metadata.ownerReferences).toEqual([expect.objectContaining({ uid: anchor?.metadata.uid })]);
  expect(deployment?.spec.replicas).toBe(2);

  // All gateways gone at once: straight to the pods, until they are back.
  await bed.api.patch(
    resources.deployments,
    { name: 'ballast-gateway', namespace },
    { metadata: { annotations: { touched: 'yes' } }, spec: { replicas: 0 } },
    { patchType: 'application/merge-patch+json' },
  );
  await eventually(
    'the operator puts the replicas back',
    async () => (await named<Deployment>(resources.deployments, 'ballast-gateway'))?.spec.replicas === 2,
  );

  await patchModel(bed.api, 'wine', { traffic: { path: 'Direct' } });
  await eventually('the path is Direct', async () => (await traffic('wine'))?.path === 'Direct');
  await eventually('a prediction without the gateway', async () => (await infer()).status === 200);
}, 90_000);

test('Auto chooses once the service time is measured, keeps it, and chooses anew for another promise', async () => {
  const name = 'chooser';
  const golden = JSON.parse(readFileSync(join(root, 'samples/digit-images/golden/request.json'), 'utf8')) as {
    inputs: { shape: number[]; data: number[] }[];
  };
  const [{ shape, data, ...input } = { shape: [], data: [] }] = golden.inputs;
  // 96 images take the network milliseconds, so that the hop can pay.
  const images = JSON.stringify({
    inputs: [
      { ...input, shape: [96, ...shape.slice(1)], data: Array.from({ length: 32 }, () => data).flat() },
    ],
  });
  const send = async (count: number) => {
    const url = `${bed.cluster.serviceUrl(namespace, name, 8080)}/v2/models/${name}/infer`;
    for (let sent = 0; sent < count; sent++) {
      const answer = await request(url, { method: 'POST', body: images });
      await answer.body.dump();
      expect(answer.statusCode).toBe(200);
    }
  };
  const chosen = (basis: string) =>
    eventually(
      `a choice for ${basis}`,
      async () => {
        // Callers go on: what was measured in seconds in which a pod started does not count.
        await send(10);
        const choice = (await traffic(name))?.choice;
        return choice?.basis === basis ? choice : undefined;
      },
      40_000,
    );
  await createModel(bed.api, name, {
    model: { uri: 'file:///samples/digit-images/model.onnx' },
    sla: { latency: { p99: '10s' } },
    scaling: { maxReplicas: 4 },
  });
  await eventually('it serves', async () => (await getModel(bed.api, name)).status?.readyReplicas === 1);
  expect((await traffic(name))?.message).toContain('the way is chosen when 100 requests');
  await send(120);
  const loose = await chosen('p99 ≤ 10s; up to 4 replicas');
  expect(loose).toMatchObject({
    path: 'Direct',
    revision: (await getModel(bed.api, name)).status?.stable?.revision,
    message: expect.stringMatching(/^a request takes a replica .*: it saves less than a fifth$/),
  });

  const tightMs = Math.ceil(8 * milliseconds(loose.serviceTime) + 2);
  await patchModel(bed.api, name, { sla: { latency: { p99: `${tightMs}ms` } } });
  const tight = await chosen(`p99 ≤ ${tightMs}ms; up to 4 replicas`);
  process.stderr.write(`Auto, ${tight.serviceTime} of p99 ${tightMs}ms: ${tight.path}: ${tight.message}\n`);
  await eventually(
    'the way that was chosen is taken',
    async () => (await traffic(name))?.path === tight.path,
    40_000,
  );
  await send(20);
  expect((await traffic(name))?.choice).toEqual(tight);
  await bed.api.delete(modelDeployments, { name, namespace });
}, 90_000);

/** Of a duration in status: `850µs`, `41ms`, `1.2s`. */
const milliseconds = (text: string) =>
  Number.parseFloat(text) * (text.endsWith('µs') ? 1e-3 : text.endsWith('ms') ? 1 : 1e3);

test('a model that nobody asks for goes to zero replicas, and wakes without a lost request', async () => {
  const deploymentOf = async () =>
    (
      await bed.api.list<Deployment>(resources.deployments, {
        namespace,
        labelSelector: `ballast.dev/model-deployment=${sleeper}`,
      })
    ).items[0];
  await eventually(
    'no replica is asked for',
    async () => (await deploymentOf())?.spec.replicas === 0,
    40_000,
  );
  const asleep = await eventually('status says so', async () => {
    const { status } = await getModel(bed.api, sleeper);
    return status?.scaling?.desiredReplicas === 0 ? status : undefined;
  });
  expect(asleep.scaling?.lastDecision).toMatchObject({
    reason: 'Idle',
    replicas: 0,
    message: expect.stringMatching(/^no request for scaleToZero.idleAfter \(10s\)/),
  });
  expect(asleep.conditions?.filter(({ status }) => status === 'True').map(({ type }) => type)).toEqual(
    expect.arrayContaining(['Available', 'Ready']),
  );
  await eventually(
    'its pod is gone',
    async () =>
      (
        await bed.api.list<Pod>(resources.pods, {
          namespace,
          labelSelector: `ballast.dev/model-deployment=${sleeper}`,
        })
      ).items.length === 0,
  );

  const answers = await Promise.all(Array.from({ length: 30 }, () => infer(sleeper)));
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(answers).toHaveLength(30);
  await eventually('status tells of the replica', async () => {
    const { status } = await getModel(bed.api, sleeper);
    return status?.scaling?.desiredReplicas === 1 && status.readyReplicas === 1;
  });
  expect((await deploymentOf())?.spec.replicas).toBe(1);

  await patchModel(bed.api, sleeper, { scaling: { scaleToZero: null } });
  await eventually(
    'nothing is left of the gateway',
    async () => (await named(resources.deployments, 'ballast-gateway')) === undefined,
  );
}, 90_000);
