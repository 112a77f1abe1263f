/** Two real nodes: pods and Services reach each other, limits are real, a power cut is one, and nothing is left after it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from '../../conformance/support/client.ts';
import { type RealCluster, startRealCluster } from '../cluster.ts';
import { staticImage } from '../static-image.ts';
import { ask, clientOf, makeProbe, podsOf, readyPods, until } from './pods.ts';
import { kernelSettings, left, nftTables, type Traces, tracesOf } from './traces.ts';

let cluster: RealCluster;
let client: Client;
const before = { nftTables: '', kernel: '' };

beforeAll(async () => {
  const probe = staticImage('probe', () => {});
  before.nftTables = nftTables();
  before.kernel = kernelSettings();
  cluster = await startRealCluster({
    nodes: 2,
    images: [probe.archive],
    labels: { 'example.com/pool': 'small' },
    hosts: { 'models.example': '127.0.0.7' },
  });
  client = await clientOf(cluster.kubeconfigPath);
  await makeProbe(client, 'probe', 2);
  await readyPods(client, 'probe', 2);
}, 180_000);

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
}, 60_000);

async function service(name: string): Promise<string> {
  const answer = await client.get(`/api/v1/namespaces/default/services/${name}`);
  return answer.body.spec.clusterIP as string;
}

async function nodeIs(name: string, ready: string): Promise<void> {
  await until(
    `${name} is ${ready}`,
    90_000,
    async () => (await client.get(`/api/v1/nodes/${name}`)).body.status as { conditions: NodeCondition[] },
    ({ conditions }) => conditions.some((one) => one.type === 'Ready' && one.status === ready),
  );
}

interface NodeCondition {
  readonly type: string;
  readonly status: string;
}

describe('two nodes', () => {
  test('carry zone, labels and address, and one pod each', async () => {
    const nodes = (await client.get('/api/v1/nodes')).body.items;
    expect(
      nodes.map((node) => [node.metadata.name, node.metadata.labels?.['topology.kubernetes.io/zone']]),
    ).toEqual([
      ['node-1', 'zone-a'],
      ['node-2', 'zone-b'],
    ]);
    expect(nodes.every((node) => node.metadata.labels?.['example.com/pool'] === 'small')).toBe(true);
    expect(cluster.nodes.map(({ name, zone }) => [name, zone])).toEqual([
      ['node-1', 'zone-a'],
      ['node-2', 'zone-b'],
    ]);
    expect((await podsOf(client, 'probe')).map(({ node }) => node).sort()).toEqual(['node-1', 'node-2']);
  });

  test('let pods reach each other, by address and by Service name, across nodes', async () => {
    const pods = await podsOf(client, 'probe');
    for (const from of pods) {
      for (const to of pods)
        expect(await ask(`http://${from.ip}:8080/get?url=http://${to.ip}:8080/name`)).toEqual({
          status: 200,
          text: to.name,
        });
      const seen = new Set<string>();
      for (const host of ['probe', 'probe.default.svc.cluster.local'])
        await until(
          `${from.name} meets both pods behind ${host}`,
          20_000,
          async () => {
            const answer = await ask(`http://${from.ip}:8080/get?url=http://${host}/name`);
            if (answer.status === 200) seen.add(answer.text);
          },
          () => pods.every(({ name }) => seen.has(name)),
        );
      expect([...seen].sort()).toEqual(pods.map(({ name }) => name).sort());
    }
  });

  test('let the host reach a Service', async () => {
    const address = await service('probe');
    const seen = new Set<string>();
    await until(
      'the host meets both pods',
      20_000,
      async () => seen.add((await ask(`http://${address}/name`)).text),
      () => seen.size === 2,
    );
  });

  test('let a pod ask the API server with its service account, and only what it may', async () => {
    const [pod] = await podsOf(client, 'probe');
    const token = '/var/run/secrets/kubernetes.io/serviceaccount/token';
    const from = (path: string) =>
      ask(`http://${pod?.ip}:8080/get?token=${token}&url=https://kubernetes.default.svc${path}`);
    expect((await from('/version')).text).toContain('"major": "1"');
    const refused = await from('/api/v1/namespaces/default/pods');
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('system:serviceaccount:default:default');
  });

  test('answer the names that a test gives, and no others', async () => {
    const [pod] = await podsOf(client, 'probe');
    const get = (url: string) => ask(`http://${pod?.ip}:8080/get?url=${url}`);
    expect((await get('http://models.example:1/')).text).toContain('127.0.0.7:1');
    expect((await get('http://other.example:1/')).text).toContain('lookup other.example');
  });

  test('give the logs of a pod', async () => {
    const [pod] = await podsOf(client, 'probe');
    const logs = await client.get(`/api/v1/namespaces/default/pods/${pod?.name}/log`);
    expect(logs.text).toBe('listening\n');
  });

  test('hold a container to its CPU limit', async () => {
    const [pod] = await podsOf(client, 'probe');
    const seconds = Number((await ask(`http://${pod?.ip}:8080/spin`)).text);
    expect(seconds).toBeGreaterThan(0.02);
    expect(seconds).toBeLessThan(0.65);
  });

  test('hold a container to its memory limit and say so', async () => {
    const pod = (await podsOf(client, 'probe'))[0];
    await ask(`http://${pod?.ip}:8080/hold?mib=100`).catch(() => undefined);
    await until(
      'the container was killed for its memory and started again',
      30_000,
      async () =>
        JSON.stringify((await podsOf(client, 'probe')).find(({ name }) => name === pod?.name)?.status),
      (status) => status.includes('"reason":"OOMKilled"') && status.includes('"restartCount":1'),
    );
    await readyPods(client, 'probe', 2);
  });

  test('serve on while the API server is stopped, and know everything after', async () => {
    const pods = await podsOf(client, 'probe');
    const address = await service('probe');
    await cluster.apiServer.stop();
    await expect(client.get('/version')).rejects.toThrow();
    for (const pod of pods) expect((await ask(`http://${pod.ip}:8080/name`)).text).toBe(pod.name);
    expect((await ask(`http://${address}/name`)).status).toBe(200);
    await cluster.apiServer.start();
    expect((await podsOf(client, 'probe')).map(({ name }) => name)).toEqual(pods.map(({ name }) => name));
  });

  test('keep the containers of a stopped kubelet, and take it back', async () => {
    const node = cluster.nodes[1];
    const pod = (await podsOf(client, 'probe')).find((one) => one.node === node?.name);
    await node?.stopKubelet();
    expect((await ask(`http://${pod?.ip}:8080/name`)).text).toBe(pod?.name);
    node?.startKubelet();
    await nodeIs('node-2', 'True');
  });

  test('lose one of them at a stroke: its pod is gone at once, the API learns it by silence', async () => {
    const pods = await podsOf(client, 'probe');
    const dead = pods.find(({ node }) => node === 'node-2');
    const alive = pods.find(({ node }) => node === 'node-1');
    await cluster.nodes[1]?.kill();
    await expect(ask(`http://${dead?.ip}:8080/name`)).rejects.toThrow();
    const now = (await podsOf(client, 'probe')).find(({ name }) => name === dead?.name);
    expect(now?.ready).toBe(true);
    expect((await ask(`http://${alive?.ip}:8080/name`)).text).toBe(alive?.name);
    await nodeIs('node-2', 'Unknown');
    await until(
      'the pod of the dead node is not Ready',
      30_000,
      async () => (await podsOf(client, 'probe')).filter(({ ready }) => ready).map(({ node }) => node),
      (nodes) => nodes.join() === 'node-1',
    );
    const address = await service('probe');
    for (let i = 0; i < 20; i++) expect((await ask(`http://${address}/name`)).text).toBe(alive?.name);
    await cluster.nodes[1]?.revive();
    await nodeIs('node-2', 'True');
    await readyPods(client, 'probe', 2);
  }, 240_000);
});

describe('afterwards', () => {
  let traces: Traces;

  test('stop leaves nothing on the machine', async () => {
    traces = tracesOf(cluster);
    // What the look finds while the cluster runs, it would find afterwards.
    const found = left(traces).map((line) => line.split(' ')[0]);
    for (const kind of ['process', 'mount', 'link', 'route', 'control', 'folder'])
      expect(found).toContain(kind);
    expect(traces.kernel).toBe(before.kernel);
    expect(traces.nftTables).toBe(before.nftTables);
    await cluster.stop();
    // Dead processes stay listed until the first process of the machine has collected them.
    await until(
      'nothing is left',
      5_000,
      async () => left(traces),
      (lines) => lines.length === 0,
    );
    expect(nftTables()).toBe(before.nftTables);
    expect(kernelSettings()).toBe(before.kernel);
  }, 60_000);

  test('an owner that is killed leaves nothing either', async () => {
    const program = join(import.meta.dirname, 'one-node.ts');
    const owner = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const killed = JSON.parse(line.toString()) as Traces;
    expect(left(killed).length).toBeGreaterThan(10);
    owner.kill('SIGKILL');
    await until(
      'the sweeper has removed everything',
      30_000,
      async () => left(killed),
      (lines) => lines.length === 0,
    );
  }, 180_000);
});
