import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseGatewayReport } from '../crds/gateway-load.ts';
import { staticAuth } from '../kube/auth.ts';
import { createClient } from '../kube/client.ts';
import { noLog } from '../kube/log.ts';
import { endsAfterEach } from '../test/ends.ts';
import { type GatewayConfig, parseConfig } from './config.ts';
import { Gateway } from './gateway.ts';
import { freePort } from './testing/free-port.ts';
import { namespace, routesOf, startNamespace, type TestNamespace } from './testing/namespace.ts';
import { ask, until } from './testing/rig.ts';
import { startStubPod } from './testing/stub-pod.ts';

const { ends } = endsAfterEach();
const podOf = async (...args: Parameters<typeof startStubPod>) => {
  const pod = await startStubPod(...args);
  ends.push(() => pod.close());
  return pod;
};
const worldOf = async (): Promise<TestNamespace> => {
  const world = await startNamespace();
  ends.push(() => world.close());
  return world;
};
const gatewayOf = async (world: TestNamespace, changes: Partial<GatewayConfig> = {}) => {
  const config = {
    ...parseConfig({}),
    listenHost: '127.0.0.1',
    opsPort: 0,
    podName: 'gateway-0',
    drainDelayMs: 50,
    ...changes,
  };
  const client = createClient(staticAuth(world.server.url, world.server.token));
  const gateway = new Gateway({ config, api: client, namespace, log: noLog });
  await gateway.start();
  ends.push(async () => {
    await gateway.stop();
    await client.close();
  });
  return gateway;
};
const serves = (port: number) =>
  until(`port ${port} answers`, async () => (await ask(port).catch(() => undefined))?.status === 200);
/** The gateway listens, whether it has pods or not. */
const lives = (port: number) =>
  until(`port ${port} lives`, async () => {
    const answer = await ask(port, { method: 'GET', path: '/v2/health/live' }).catch(() => undefined);
    return answer?.status === 200;
  });
const opsOf = (gateway: Gateway, path: string) => ask(gateway.opsPort, { method: 'GET', path });

describe('a gateway', () => {
  test('serves a model from its routes and its pods, follows both, and lets go of it', async () => {
    const world = await worldOf();
    const [first, second] = [await podOf(undefined, 'first'), await podOf(undefined, 'second')];
    const port = await freePort();
    await world.setPods('wine-a', [first.address]);
    await world.setRoutes(routesOf(port));
    const gateway = await gatewayOf(world);
    await serves(port);
    expect((await opsOf(gateway, '/readyz')).status).toBe(200);
    await world.setPods('wine-a', [second.address]);
    await until('the new pod is asked', async () => {
      await ask(port);
      return second.got.length > 0;
    });
    const moved = await freePort();
    await world.setRoutes(routesOf(moved));
    await serves(moved);
    await world.deleteRoutes('wine-routes');
    await until('it is gone', async () => (await ask(moved).catch(() => undefined)) === undefined);
    expect(gateway.load().models).toEqual([]);
  });

  test('goes on with what it saw last while nobody answers at the API server', async () => {
    const world = await worldOf();
    const pod = await podOf();
    const port = await freePort();
    await world.setPods('wine-a', [pod.address]);
    await world.setRoutes(routesOf(port));
    const gateway = await gatewayOf(world);
    await serves(port);
    await world.server.close();
    for (let i = 0; i < 3; i += 1) expect((await ask(port)).status).toBe(200);
    expect((await opsOf(gateway, '/readyz')).status).toBe(200);
  });

  test.each([
    ['it copies no requests', { mirror: { revision: 'a', percent: 5 } }, 'mirror'],
    [
      'a header names a revision that is not there',
      { headers: [{ name: 'x', value: 'y', revision: 'z' }] },
      'z',
    ],
    [
      'a weight is none',
      { backends: [{ revision: 'a', service: 's', deployment: 'd', weight: -1 }] },
      'weight',
    ],
  ])('refuses routes that it cannot honour, and keeps those before them: %s', async (_name, changes, why) => {
    const world = await worldOf();
    const pod = await podOf();
    const port = await freePort();
    await world.setPods('wine-a', [pod.address]);
    await world.setRoutes(routesOf(port));
    const gateway = await gatewayOf(world);
    await serves(port);
    await world.setRoutes({ ...routesOf(port), ...changes });
    await until('it says so', () => gateway.load().models[0]?.routesRefused !== undefined);
    expect(gateway.load().models[0]?.routesRefused).toContain(why);
    expect((await ask(port)).status).toBe(200);
    await world.setRoutes(routesOf(port, { timeoutMs: 4_000 }));
    await until('it is well again', () => gateway.load().models[0]?.routesRefused === undefined);
  });

  test('raises a Deployment from 0 to 1 when somebody asks, without an operator, and loses no request', async () => {
    const world = await worldOf();
    const port = await freePort();
    await world.createDeployment('wine-a', 0);
    const wake = { deployment: 'wine-a', maxHeldRequests: 100, replicas: 1 } as const;
    await world.setRoutes(routesOf(port, { wake, timeoutMs: 1_000 }));
    const gateway = await gatewayOf(world);
    const other = await gatewayOf(world, { listenHost: '127.0.0.2', podName: 'gateway-1' });
    await until('both listen', () => [gateway, other].every((one) => one.load().models[0]?.port === port));
    await lives(port);
    const answers = Array.from({ length: 20 }, () => ask(port));
    await until('it is raised', async () => (await world.replicasOf('wine-a')) === 1);
    const pod = await podOf();
    await world.setPods('wine-a', [pod.address]);
    expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
    expect(pod.got).toHaveLength(20);
    expect(gateway.load().models[0]?.counters.wakes).toBe(1);
    const metrics = (await opsOf(gateway, '/metrics')).body;
    const seconds = Number(/ballast_gateway_wake_seconds_total\{model="wine"\} (\S+)/.exec(metrics)?.[1]);
    expect(seconds).toBeGreaterThan(0);
  });

  test('knows its place among the gateways', async () => {
    const world = await worldOf();
    const pods = await Promise.all(['p', 'q', 'r', 's'].map((name) => podOf(undefined, name)));
    const port = await freePort();
    await world.setGateways(['gateway-0', 'gateway-1']);
    await world.setPods(
      'wine-a',
      pods.map(({ address }) => address),
    );
    await world.setRoutes(routesOf(port));
    await gatewayOf(world);
    await serves(port);
    for (let i = 0; i < 20; i += 1) await ask(port);
    // One at a time: every one finds all pods free, and takes those that are at home here.
    expect(pods.filter(({ got }) => got.length > 0)).toHaveLength(2);
  });

  test('learns from the pods how many requests they may have in hand', async () => {
    const world = await worldOf();
    const ops = await podOf(
      (_got, response) => void response.end(JSON.stringify({ parallelism: 1, batchRequests: 4 })),
    );
    const pod = await podOf();
    const port = await freePort();
    await world.setPods('wine-a', [{ ...pod.address, ops: ops.address.http }]);
    await world.setRoutes(routesOf(port));
    const gateway = await gatewayOf(world);
    await until('it has learned', () => gateway.load().models[0]?.revisions[0]?.slotsPerPod === 8);
    expect(ops.got[0]?.url).toBe('/load');
  });

  test('reports what the operator can read, and metrics with the same figures', async () => {
    const world = await worldOf();
    const pod = await podOf(
      (got, response) => void response.writeHead(got.headers['x-fail'] === undefined ? 200 : 500).end('{}'),
    );
    const port = await freePort();
    await world.setPods('wine-a', [pod.address]);
    await world.setRoutes(routesOf(port));
    const gateway = await gatewayOf(world);
    await serves(port);
    await ask(port, { headers: { 'x-fail': '1' } });
    const parsed = parseGatewayReport((await opsOf(gateway, '/load')).body);
    if ('refused' in parsed) throw new Error(parsed.refused);
    const [model] = parsed.report.models;
    expect(parsed.report).toMatchObject({ version: 1, ready: true, draining: false });
    expect(model).toMatchObject({ model: 'wine', port, queueLength: 0, inFlight: 0 });
    expect(model?.counters.failed).toBe(1);
    expect(model?.latency.boundsMs).toContain(50);
    expect(model?.revisions[0]).toMatchObject({ revision: 'a', readyPods: 1, slots: 1 });
    const { body } = await opsOf(gateway, '/metrics');
    expect(body).toContain('ballast_gateway_answers_total{model="wine",revision="a",outcome="failed"} 1');
    expect(body).toContain(`ballast_gateway_arrivals_total{model="wine"} ${model?.counters.arrivals}`);
    expect(body).toContain('ballast_gateway_latency_seconds_bucket{model="wine",le="0.05"}');
    expect(body).toContain('ballast_gateway_nodejs_eventloop_lag_seconds');
    const since = parseGatewayReport((await opsOf(gateway, '/load?sinceMs=1e12')).body);
    expect('report' in since ? since.report.models[0]?.seconds : undefined).toEqual([]);
  });

  test('tells the metrics of the reference page, all of them and no others', async () => {
    const world = await worldOf();
    const port = await freePort();
    await world.setPods('wine-a', []);
    await world.setRoutes(routesOf(port, { timeoutMs: 1 }));
    const gateway = await gatewayOf(world);
    await lives(port);
    // Refused, so that there is a reason.
    expect((await ask(port)).status).toBe(503);
    const { body } = await opsOf(gateway, '/metrics');
    const page = readFileSync(join(import.meta.dirname, '../docs/reference/metrics-gateway.md'), 'utf8');
    const described = [...page.matchAll(/^\| `(ballast_gateway_\w+)` \| (\w+) \| (.*?) \|/gm)].map(
      ([, name, type, labels = '']) => `${name} ${type} ${labels.replaceAll(/[`,]/g, '')}`,
    );
    const told = [...body.matchAll(/^# TYPE (ballast_gateway_(?!process_|nodejs_)\w+) (\w+)$/gm)].map(
      ([, name = '', type]) => {
        const labels = new RegExp(`^${name}(?:_sum)?\\{([^}]*)\\}`, 'm').exec(body)?.[1] ?? '';
        return `${name} ${type} ${[...labels.matchAll(/(\w+)="/g)].map(([, label]) => label).join(' ')}`;
      },
    );
    expect(told).toEqual(described);
    // What the text and the queries mention beside the table exists as well, and every reason is named.
    for (const [, name = ''] of page.matchAll(/\b(ballast_gateway_\w+[a-z])\b/g))
      expect(body).toContain(name);
    const source = readFileSync(join(import.meta.dirname, 'queue/refusal.ts'), 'utf8');
    const reasons = [...source.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, reason = '']) => reason);
    expect(reasons.length).toBeGreaterThan(5);
    for (const reason of reasons) expect(page).toContain(`\`${reason}\``);
  });

  test('is not ready before it has read its namespace, but lives', async () => {
    const world = await worldOf();
    await world.server.close();
    const gateway = await gatewayOf(world);
    expect((await opsOf(gateway, '/livez')).status).toBe(200);
    expect((await opsOf(gateway, '/healthz')).status).toBe(200);
    expect((await opsOf(gateway, '/readyz')).status).toBe(503);
  });
});

describe('a gateway that drains', () => {
  test('is unready at once, serves on, and loses neither what runs nor what waits', async () => {
    const world = await worldOf();
    const pod = await podOf('hold');
    const port = await freePort();
    await world.setRoutes(routesOf(port));
    const gateway = await gatewayOf(world, { drainDelayMs: 100 });
    await lives(port);
    await world.setPods('wine-a', [pod.address]);
    await until('it knows the pod', () => gateway.load().models[0]?.revisions[0]?.readyPods === 1);
    const answers = [ask(port), ask(port), ask(port)];
    await until(
      'one runs, two wait',
      () => pod.inHand() === 1 && gateway.load().models[0]?.queueLength === 2,
    );
    let isDrained = false;
    const drained = gateway.drain().then(() => {
      isDrained = true;
    });
    expect((await opsOf(gateway, '/readyz')).status).toBe(503);
    expect(gateway.load()).toMatchObject({ ready: false, draining: true });
    answers.push(ask(port));
    await until('it waits too', () => gateway.load().models[0]?.queueLength === 3);
    // Well beyond the delay: it waits for what runs and what waits.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(isDrained).toBe(false);
    for (let i = 0; i < 4; i += 1) {
      await until('in hand', () => pod.inHand() === 1);
      pod.release();
    }
    for (const answer of await Promise.all(answers))
      expect(answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await drained;
    await expect(ask(port)).rejects.toThrow();
  });
});
