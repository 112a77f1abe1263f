/** The gateway as a process: what ends it, and how. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { endsAfterEach } from '../test/ends.ts';
import { freePort } from './testing/free-port.ts';
import { routesOf, startNamespace } from './testing/namespace.ts';
import { ask, until } from './testing/rig.ts';
import { startStubPod } from './testing/stub-pod.ts';

const { ends } = endsAfterEach();

interface Process {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  text(): string;
}
const run = (env: Record<string, string>): Process => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  ends.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, exited, text: () => text };
};

test('a setting that is unknown or wrong ends the start with one line', async () => {
  const unknown = run({ BALLAST_GATEWAY_SPEED: '9' });
  expect(await unknown.exited).toBe(2);
  expect(unknown.text()).toContain('unknown variable BALLAST_GATEWAY_SPEED');
  const wrong = run({ BALLAST_GATEWAY_MAX_WAITING: 'many' });
  expect(await wrong.exited).toBe(2);
  expect(wrong.text()).toContain('BALLAST_GATEWAY_MAX_WAITING "many"');
});

interface Pair {
  readonly gateways: readonly Process[];
  /** Requests that failed, with the time at which they were sent. */
  readonly lost: { to: number; fromMs: number; what: unknown }[];
  readonly sent: () => number;
  /** Where the Service sends clients. */
  setOpen(gateways: readonly number[]): void;
  stopClients(): Promise<void>;
}

const clientCount = 8;

/** Two gateways in front of two pods, and clients that keep their connections and ask one after the other. */
const pairUnderLoad = async (): Promise<Pair> => {
  const world = await startNamespace();
  ends.push(() => world.close());
  const pods = await Promise.all(
    ['p', 'q'].map((name) =>
      startStubPod((_got, response) => void setTimeout(() => response.end('{}'), 5), name),
    ),
  );
  ends.push(() => Promise.all(pods.map((pod) => pod.close())));
  const directory = mkdtempSync(join(tmpdir(), 'ballast-gateway-'));
  ends.push(() => rmSync(directory, { recursive: true, force: true }));
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
      clusters: [{ name: 'c', cluster: { server: world.server.url } }],
      users: [{ name: 'u', user: { token: world.server.token } }],
    }),
  );
  await world.setPods(
    'wine-a',
    pods.map(({ address }) => address),
  );
  // One port for both, on addresses of their own, as pods have them.
  const port = await freePort();
  await world.setRoutes(routesOf(port));
  const hosts = ['127.0.0.1', '127.0.0.2'];
  const gateways = hosts.map((host, i) =>
    run({
      KUBECONFIG: kubeconfig,
      BALLAST_LISTEN_HOST: host,
      BALLAST_OPS_PORT: '0',
      BALLAST_POD_NAME: `gateway-${i}`,
      BALLAST_GATEWAY_DRAIN_DELAY_MS: '600',
    }),
  );
  await until('both serve', () => gateways.every(({ text }) => text().includes('model is served')), 20_000);
  const agents = hosts.map(() => new Agent({ keepAlive: true, maxSockets: clientCount }));
  ends.push(() => {
    for (const agent of agents) agent.destroy();
  });
  let open: readonly number[] = [0, 1];
  let sent = 0;
  let isOver = false;
  const lost: Pair['lost'] = [];
  const client = async () => {
    while (!isOver) {
      sent += 1;
      const to = open[sent % open.length] as number;
      const fromMs = performance.now();
      try {
        const answer = await ask(port, { host: hosts[to] as string, agent: agents[to] as Agent });
        if (answer.status !== 200) lost.push({ to, fromMs, what: answer });
      } catch (error) {
        lost.push({ to, fromMs, what: error });
      }
    }
  };
  const clients = Array.from({ length: clientCount }, client);
  const stopClients = async () => {
    isOver = true;
    await Promise.all(clients);
  };
  ends.push(stopClients);
  await until('it runs', () => sent > 100);
  return {
    gateways,
    lost,
    sent: () => sent,
    setOpen: (which) => {
      open = which;
    },
    stopClients,
  };
};

test('one of two gateways is told to end under load: no request is lost, and it exits with 0', async () => {
  const { gateways, lost, sent, setOpen, stopClients } = await pairUnderLoad();
  gateways[1]?.child.kill('SIGTERM');
  // The Service learns with a delay that a gateway ends.
  await new Promise((resolve) => setTimeout(resolve, 200));
  setOpen([0]);
  expect(await gateways[1]?.exited).toBe(0);
  const atExit = sent();
  await until('the other goes on', () => sent() > atExit + 50);
  await stopClients();
  expect(lost).toEqual([]);
});

test('one of two gateways dies under load: what it had in hand is lost, and nothing else', async () => {
  const { gateways, lost, sent, setOpen, stopClients } = await pairUnderLoad();
  const killedMs = performance.now();
  gateways[1]?.child.kill('SIGKILL');
  setOpen([0]);
  await gateways[1]?.exited;
  const atExit = sent();
  // The pods have let go of what the dead one had sent them: all of them serve the other.
  await until('the other goes on', () => sent() > atExit + 200);
  await stopClients();
  expect(lost.length).toBeLessThanOrEqual(clientCount);
  expect(lost.filter(({ to, fromMs }) => to !== 1 || fromMs > killedMs)).toEqual([]);
});
