/** The whole of it, nothing pretended: operator, embedded cluster, real inference pods, real models, real requests. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { labels, modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { LiveConfig } from '../../crds/wire.ts';
import type { ConfigMap, Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { buildBundles, podNodeEnv, podNodeFlags } from '../../local/bundles.ts';
import { createModel, eventually, namespace, type OperatorBed, startOperatorBed } from './operator-bed.ts';

const root = join(import.meta.dirname, '..', '..');
const sample = (name: string, file: string) => join(root, 'samples', name, file);
const models = mkdtempSync(join(tmpdir(), 'ballast-models-'));
let bed: OperatorBed;

beforeAll(async () => {
  const bundles = await buildBundles(root, join(root, '.ballast'));
  bed = await startOperatorBed({
    flags: ['--image', 'pod', '--file-roots', '/samples,/models'],
    images: {
      pod: {
        command: [process.execPath, ...podNodeFlags, join(bundles.directory, 'inference-pod.mjs')],
        env: { ...podNodeEnv, BALLAST_FILE_ROOTS: '/samples:/models', BALLAST_DRAIN_DELAY_MS: '0' },
        paths: { '/samples': join(root, 'samples'), '/models': models },
      },
    },
  });
}, 60_000);

afterAll(async () => {
  await bed.close();
  rmSync(models, { recursive: true, force: true });
});

const read = async (name: string) =>
  (await bed.api.get(modelDeployments, { name, namespace })) as unknown as ModelDeployment;
const condition = async (name: string, type: string) =>
  (await read(name)).status?.conditions?.find((one) => one.type === type);
const isTrue = async (name: string, type: string) => (await condition(name, type))?.status === 'True';
const podsOf = async (name: string) =>
  (await bed.api.list<Pod>(resources.pods, { namespace, labelSelector: `${labels.deployment}=${name}` }))
    .items;

async function infer(name: string, body: string): Promise<{ status: number; body: unknown }> {
  const url = await eventually('an address', () => bed.cluster.serviceUrl(namespace, name, 8080));
  const answer = await request(`${url}/v2/models/${name}/infer`, { method: 'POST', body });
  return { status: answer.statusCode, body: await answer.body.json() };
}

describe('a ModelDeployment with real pods', () => {
  test('answers as Python’s onnxruntime does', async () => {
    await createModel(bed.api, 'wine');
    await eventually('wine is Ready', () => isTrue('wine', 'Ready'), 30_000);
    const { status, body } = await infer('wine', readFileSync(sample('wine', 'golden/request.json'), 'utf8'));
    const golden = JSON.parse(readFileSync(sample('wine', 'golden/response.json'), 'utf8')) as {
      outputs: { name: string; data: number[] }[];
    };
    const outputs = (body as typeof golden).outputs;
    expect([status, outputs.map(({ name }) => name)]).toEqual([200, golden.outputs.map(({ name }) => name)]);
    golden.outputs.forEach(({ data }, index) => {
      for (const [at, value] of data.entries()) expect(outputs[index]?.data[at]).toBeCloseTo(value, 5);
    });
  });

  test('keeps what was measured of it in status, for an operator that begins anew', async () => {
    const body = readFileSync(sample('wine', 'golden/request.json'), 'utf8');
    for (let served = 0; served < 60; served += 1) expect((await infer('wine', body)).status).toBe(200);
    const learned = await eventually(
      'the service time in status',
      async () => {
        const { status } = await read('wine');
        return status?.scaling?.learned?.service && status.scaling.learned;
      },
      40_000,
    );
    expect(learned?.revision).toBe((await read('wine')).status?.stable?.revision);
    expect(Number(learned?.service?.meanSeconds)).toBeGreaterThan(0);
    expect(Number(learned?.service?.meanSeconds)).toBeLessThan(1);
  }, 90_000);

  test('without a digest holds the one that its first pod fetched: a file that moved is never served', async () => {
    copyFileSync(sample('wine', 'model.onnx'), join(models, 'm.onnx'));
    await createModel(bed.api, 'moving', {
      model: { uri: 'file:///models/m.onnx' },
      scaling: { mode: 'Fixed', replicas: 1 },
    });
    await eventually('moving is Ready', () => isTrue('moving', 'Ready'), 30_000);
    const { revision = '', sha256 } = (await read('moving')).status?.stable ?? {};
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const config = await bed.api.get<ConfigMap>(resources.configMaps, { name: 'moving-config', namespace });
    expect((JSON.parse(config.data?.['config.json'] ?? '{}') as LiveConfig).digests).toEqual({
      [revision]: sha256,
    });

    copyFileSync(sample('digits', 'model.onnx'), join(models, 'm.onnx'));
    await bed.api.patch(
      modelDeployments,
      { name: 'moving', namespace },
      { spec: { scaling: { replicas: 2 } } },
      { patchType: 'application/merge-patch+json' },
    );
    const failure = await eventually(
      'the second pod is refused',
      async () => (await read('moving')).status?.failures?.[0],
      30_000,
    );
    expect(failure).toMatchObject({ reason: 'DigestMoved', container: 'fetch', exitCode: 4 });
    expect(await isTrue('moving', 'Available')).toBe(true);
    const { status } = await infer('moving', readFileSync(sample('wine', 'golden/request.json'), 'utf8'));
    expect(status).toBe(200);

    copyFileSync(sample('wine', 'model.onnx'), join(models, 'm.onnx'));
    await eventually(
      'both pods are ready',
      async () => (await read('moving')).status?.readyReplicas === 2,
      30_000,
    );
  }, 90_000);

  test('whose pod is killed is whole again, with the reason told', async () => {
    const [pod] = await podsOf('wine');
    const before = pod?.status?.containerStatuses?.[0]?.restartCount ?? 0;
    const hostPid = await eventually('the pod’s process', () => pidOf(pod?.metadata.name ?? ''));
    process.kill(hostPid, 'SIGKILL');
    const restarted = await eventually(
      'the container runs again',
      async () => {
        const status = (await podsOf('wine'))[0]?.status?.containerStatuses?.[0];
        return status !== undefined && status.restartCount > before && status.ready ? status : undefined;
      },
      30_000,
    );
    expect(restarted.lastState?.terminated?.exitCode).toBe(137);
    await eventually('wine is Ready', () => isTrue('wine', 'Ready'), 30_000);
  }, 60_000);
});

/** Process of the serving container, found by the environment that the kubelet gave it. */
function pidOf(podName: string): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      if (environment.includes(`BALLAST_POD_NAME=${podName}\0`) && command.includes('serve'))
        return Number(name);
    } catch {
      // Ended meanwhile.
    }
  }
  return undefined;
}
