/** Runs one process of an image with runc as Kubernetes would under Pod Security "restricted": user 65532, read-only root, no capabilities. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageConfig } from './archive.ts';

export interface ContainerOptions {
  /** Folder for the bundle, the log and runc's state; the caller removes it. */
  readonly folder: string;
  readonly rootfs: string;
  readonly image: ImageConfig;
  /** Take the place of the image's CMD. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders and files of the host by the path in the container; all but `writable` are read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly writable?: readonly string[];
}

export interface Container {
  /** Exit code as a kubelet would tell it: 128 + signal for a process that a signal ended. */
  readonly ended: Promise<number>;
  /** What it has written so far. */
  log(): string;
  /** Runs a program beside the first; the image's own environment. */
  exec(...args: string[]): { status: number | null; said: string };
  kill(signal: 'TERM' | 'KILL'): void;
}

const proc = ['acpi', 'kcore', 'keys', 'latency_stats', 'timer_list', 'sched_debug'];

function runtimeSpec({ rootfs, image, args, env, mounts = {}, writable = [] }: ContainerOptions): object {
  const [uid, gid] = image.config.User.split(':').map(Number);
  const environment = [...image.config.Env, ...Object.entries(env ?? {}).map((pair) => pair.join('='))];
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid, gid },
      args: [...image.config.Entrypoint, ...args],
      env: environment,
      cwd: image.config.WorkingDir,
      capabilities: { bounding: [], effective: [], permitted: [] },
      noNewPrivileges: true,
    },
    root: { path: rootfs, readonly: true },
    hostname: 'ballast',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      ...Object.entries(mounts).map(([destination, source]) => ({
        destination,
        type: 'bind',
        source,
        options: ['rbind', 'nosuid', 'nodev', writable.includes(destination) ? 'rw' : 'ro'],
      })),
    ],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
      maskedPaths: proc.map((name) => `/proc/${name}`),
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

let count = 0;

/** Starts the image's entrypoint. */
export function startContainer(options: ContainerOptions): Container {
  count += 1;
  const id = `blt-image-${process.pid}-${count}`;
  const bundle = join(options.folder, id);
  mkdirSync(bundle, { recursive: true });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(runtimeSpec(options)));
  const logPath = join(bundle, 'log');
  const log = openSync(logPath, 'a');
  const runc = ['--root', join(options.folder, 'state')];
  const child: ChildProcess = spawn('runc', [...runc, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? -1));
  });
  return {
    ended,
    log: () => readFileSync(logPath, 'utf8'),
    exec(...args) {
      const { status, stdout, stderr } = spawnSync('runc', [...runc, 'exec', id, ...args], {
        encoding: 'utf8',
      });
      return { status, said: `${stdout}${stderr}` };
    },
    kill: (signal) => void spawnSync('runc', [...runc, 'kill', id, signal]),
  };
}

/** Waits until the log matches, or the process ends. */
export async function logged(container: Container, pattern: RegExp): Promise<RegExpExecArray> {
  let over = false;
  void container.ended.then(() => {
    over = true;
  });
  for (;;) {
    const wasOver = over;
    const match = pattern.exec(container.log());
    if (match !== null) return match;
    if (wasOver) throw new Error(`ended before ${pattern}: ${container.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
