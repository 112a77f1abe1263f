/** Nothing outlives the cluster: not when its process is killed, not when even the reaper was, not in a dirty folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { startCluster } from '../../local/cluster.ts';
import { killGroup, startOf } from '../../local/reaper.ts';
import { freshFolder, imagesIn, isAlive, until } from './kubelet-testbed.ts';

const clusterFile = join(import.meta.dirname, '../../local/cluster.ts');
const program = (folder: string) => `
  import { startCluster } from ${JSON.stringify(clusterFile)};
  import { resources } from ${JSON.stringify(join(import.meta.dirname, '../../kube/resource.ts'))};
  const cluster = await startCluster({
    stateDir: ${JSON.stringify(join(folder, 'state'))},
    imageMap: ${JSON.stringify(imagesIn(folder))},
  });
  cluster.registry.create(resources.pods, {
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'parent' }] },
  });
  for (;;) {
    const pod = cluster.registry.get(resources.pods, { namespace: 'default', name: 'p' });
    const id = pod.status?.containerStatuses?.[0]?.containerID;
    if (id !== undefined) {
      let text = '';
      for await (const chunk of cluster.registry.logSource.read(pod, { container: 'c', follow: false }, new AbortController().signal)) text += chunk;
      const child = /child (\\d+)/.exec(text);
      if (child) {
        console.log(JSON.stringify({ pod: Number(id.split('//')[1]), child: Number(child[1]), url: cluster.url }));
        break;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.stdin.resume();
`;

interface Started {
  readonly process: ChildProcess;
  readonly pod: number;
  readonly child: number;
  readonly url: string;
}

/** Processes that belong to a cluster of the folder: their environment has a path of it. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`${folder}/state/run`);
    } catch {
      return false;
    }
  });
}

const folders: string[] = [];
const processes: ChildProcess[] = [];
afterEach(async () => {
  for (const child of processes.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  for (const folder of folders) for (const pid of processesOf(folder)) killGroup(Number(pid), 'SIGKILL');
  // A reaper may be removing the same folder just now.
  for (const folder of folders.splice(0))
    await until('the folder removed', () => {
      rmSync(folder, { recursive: true, force: true });
      return !existsSync(folder);
    });
});

async function start(folder: string): Promise<Started> {
  const file = join(folder, 'program.ts');
  writeFileSync(file, program(folder));
  const child = spawn(process.execPath, ['--no-warnings', file], { stdio: ['pipe', 'pipe', 'inherit'] });
  processes.push(child);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const line = await until('the pod of the other process', () => text.includes('\n') && text);
  return { process: child, ...JSON.parse(line) };
}

function reaperOf(parent: number): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  const reaper = children.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('ballast-reaper'),
  );
  if (reaper === undefined) throw new Error('no reaper');
  return reaper;
}

test('SIGKILL of the cluster ends its pods, their children and the reaper, and removes the pods’ folders', async () => {
  const folder = freshFolder();
  folders.push(folder);
  const started = await start(folder);
  const reaper = reaperOf(started.process.pid ?? 0);
  expect([started.pod, started.child, reaper].map(isAlive)).toEqual([true, true, true]);
  expect(readdirSync(join(folder, 'state/run/pods')).length).toBe(1);
  started.process.kill('SIGKILL');
  await until('nothing alive', () => ![started.pod, started.child, reaper].some(isAlive));
  expect(existsSync(join(folder, 'state/run/pods'))).toBe(false);
});

test('a reaper that was killed is replaced, and the new one knows the pods', async () => {
  const folder = freshFolder();
  folders.push(folder);
  const started = await start(folder);
  const parent = started.process.pid ?? 0;
  const first = reaperOf(parent);
  process.kill(first, 'SIGKILL');
  const second = await until('another reaper', () => {
    try {
      const pid = reaperOf(parent);
      return pid !== first && pid;
    } catch {
      return undefined;
    }
  });
  started.process.kill('SIGKILL');
  await until('nothing alive', () => ![started.pod, started.child, second].some(isAlive));
});

test.each([60, 120, 200])(
  'SIGKILL %i ms after the first pod runs, while more are being started, leaves none',
  async (ms) => {
    const folder = freshFolder();
    folders.push(folder);
    const file = join(folder, 'storm.ts');
    writeFileSync(
      file,
      `
    import { startCluster } from ${JSON.stringify(clusterFile)};
    import { resources } from ${JSON.stringify(join(import.meta.dirname, '../../kube/resource.ts'))};
    const cluster = await startCluster({ stateDir: ${JSON.stringify(join(folder, 'state'))}, imageMap: { s: { command: ['/bin/sleep', '60'] } } });
    let timer;
    for (let index = 0; ; index++) {
      cluster.registry.create(resources.pods, { metadata: { name: 'p' + index, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 's' }] } });
      const first = cluster.registry.get(resources.pods, { name: 'p0', namespace: 'default' });
      if (first.status?.phase === 'Running') timer ??= setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${ms});
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  `,
    );
    const child = spawn(process.execPath, ['--no-warnings', file], { stdio: 'ignore' });
    processes.push(child);
    let most = 0;
    await until('the cluster killed', () => {
      most = Math.max(most, processesOf(folder).length);
      return child.signalCode === 'SIGKILL';
    });
    expect(most).toBeGreaterThan(0);
    await until(
      'no process left',
      () => processesOf(folder).length === 0,
      () => processesOf(folder),
    );
  },
);

test('a start in the folder of a killed cluster, reaper killed too, ends what was left and spares strangers', async () => {
  const folder = freshFolder();
  folders.push(folder);
  const started = await start(folder);
  process.kill(reaperOf(started.process.pid ?? 0), 'SIGKILL');
  started.process.kill('SIGKILL');
  await until('the cluster gone', () => started.process.signalCode === 'SIGKILL');
  // The container's first process alone: its child is left without a leader.
  process.kill(started.pod, 'SIGKILL');
  expect(isAlive(started.child)).toBe(true);
  const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  processes.push(stranger);
  // A number that a stranger has by now: same pid, other start time.
  writeFileSync(join(folder, 'state/run/pids', String(stranger.pid)), 'another time');
  const cluster = await startCluster({ stateDir: join(folder, 'state'), imageMap: {} });
  try {
    await until('leftovers gone', () => ![started.pod, started.child].some(isAlive));
    expect(startOf(stranger.pid ?? 0)).toBeDefined();
    expect(statSync(cluster.kubeconfigPath).mode & 0o777).toBe(0o600);
  } finally {
    await cluster.close();
  }
  expect(readdirSync(join(folder, 'state')).sort()).toEqual(['kubeconfig']);
});

test('a second cluster in the same folder is refused while the first lives', async () => {
  const folder = freshFolder();
  folders.push(folder);
  const options = { stateDir: join(folder, 'state'), imageMap: {} };
  const first = await startCluster(options);
  await expect(startCluster(options)).rejects.toThrow(/already runs in .* \(process \d+\)/);
  await first.close();
  await first.close();
  const second = await startCluster(options);
  await second.close();
});
