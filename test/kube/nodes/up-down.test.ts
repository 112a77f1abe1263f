/** `kube:up` and `kube:down` as a user calls them. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { Background } from '../background.ts';
import { clientOf, until } from './pods.ts';
import { left, tracesOf } from './traces.ts';

const home = mkdtempSync(join(tmpdir(), 'blt-up-'));
const main = join(import.meta.dirname, '..', 'main.ts');

function run(...words: string[]): Promise<{ code: number; out: string; errors: string }> {
  const env = { ...process.env, BALLAST_KUBE_HOME: home };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...words], { env }, (_, out, errors) => {
      resolve({ code: child.exitCode ?? -1, out, errors });
    });
  });
}

const running = () => JSON.parse(readFileSync(join(home, 'up.json'), 'utf8')) as Background;

afterAll(async () => {
  await run('down');
  rmSync(home, { recursive: true, force: true });
}, 60_000);

test('up returns with a cluster that goes on, tells how to use it, and starts no second one', async () => {
  const { code, out } = await run('up', '--nodes', '1', '--kwok', '2');
  expect(out).toMatch(/1 real node is Ready after [\d.]+ s\n2 simulated nodes are Ready after/);
  expect(out).toContain(`export KUBECONFIG=${join(home, 'kubeconfig')}\nreal nodes: node-1 in zone-a\n`);
  expect(out).toContain('It runs in the background; "npm run kube:down" ends it.\n');
  expect(code).toBe(0);
  const client = await clientOf(join(home, 'kubeconfig'));
  const nodes = (await client.get('/api/v1/nodes')).body.items;
  await client.close();
  const taints = nodes.map((node) => [node.metadata.name, node.spec.taints ?? []]);
  const taint = expect.objectContaining({ key: 'kwok.x-k8s.io/node', effect: 'NoSchedule' });
  expect(taints).toEqual([
    ['kwok-1', [taint]],
    ['kwok-2', [taint]],
    ['node-1', []],
  ]);
  const second = await run('up');
  expect(second.code).toBe(1);
  expect(second.out).toContain('A cluster runs already');
}, 180_000);

test('down ends it and leaves nothing; a second time it says so', async () => {
  const traces = tracesOf(running());
  expect(left(traces).length).toBeGreaterThan(10);
  expect(await run('down')).toEqual({ code: 0, out: 'the cluster is gone\n', errors: '' });
  await until(
    'nothing is left',
    5_000,
    async () => left(traces),
    (lines) => lines.length === 0,
  );
  expect(existsSync(join(home, 'kubeconfig'))).toBe(false);
  expect((await run('down')).out).toBe('no cluster runs\n');
}, 120_000);

test('down removes what a killed keeper left, without its sweeper too', async () => {
  await run('up', '--nodes', '1');
  const cluster = running();
  const traces = tracesOf(cluster);
  const sweeper = Number(
    left(traces)
      .find((line) => line.includes('sweeper.ts') && line.includes(`${cluster.pid} `))
      ?.split(' ')[1],
  );
  expect(sweeper).toBeGreaterThan(0);
  process.kill(sweeper, 'SIGKILL');
  process.kill(cluster.pid, 'SIGKILL');
  await until(
    'the keeper is gone',
    5_000,
    async () => existsSync(`/proc/${cluster.pid}`),
    (alive) => !alive,
  );
  expect(left(traces).length).toBeGreaterThan(5);
  expect((await run('down')).out).toContain(`removed what ${cluster.name} left, whose owner is dead`);
  expect(left(traces)).toEqual([]);
}, 180_000);

test('words that it does not know are refused by name', async () => {
  expect(await run('up', '--node', '2')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('--node'),
  });
  expect(await run('up', '--nodes', 'two')).toMatchObject({
    code: 1,
    errors: expect.stringContaining('"two"'),
  });
  expect((await run('up', '--help')).out).toContain('--karpenter');
});
