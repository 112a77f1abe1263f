/** The way through the gateway, whole: operator, gateways and inference pods as processes, real predictions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import type { ModelDeployment } from '../../crds/types.ts';
import type { ConfigMap, Deployment, KubeObject, Pod, Role, Service } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { buildBundles } from '../../local/bundles.ts';
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
        command: [process.execPath, join(directory, 'inference-pod.mjs')],
        env: { BALLAST_FILE_ROOTS: '/samples', BALLAST_DRAIN_DELAY_MS: '0' },
        paths: { '/samples': join(root, 'samples') },
      },
    },
  });
}, 60_000);
afterAll(() => bed.close());

const traffic = async (name: string): Promise<NonNullable<ModelDeployment['status']>['traffic']> =>
  (await getModel(bed.api, name)).status?.traffic;
const infer = async () => {
  const url = bed.cluster.serviceUrl(namespace, 'wine', 8080);
  const answer = await request(`${url}/v2/models/wine/infer`, { method: 'POST', body });
  return { status: answer.statusCode, body: await answer.body.json() };
};
const named = async <T extends KubeObject>(type: ResourceType, name: string) =>
  (await bed.api.list<T>(type, { namespace, fieldSelector: `metadata.name=${name}` })).items[0];
const gatewayPods = async () =>
  (
    await bed.api.list<Pod>(resources.pods, {
      namespace,
      labelSelector: 'app.kubernetes.io/component=gateway',
    })
  ).items;

test('a ModelDeployment asks for the gateway, is served through it, and leaves it', async () => {
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
  expect(anchor?.metadata.ownerReferences?.map(({ name }) => name)).toEqual(['wine']);
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
  await eventually(
    'nothing is left of the gateway',
    async () => (await named(resources.deployments, 'ballast-gateway')) === undefined,
  );
}, 90_000);
