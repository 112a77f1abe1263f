/** Child processes that never outlive us: a pipe that the kernel closes, or a signal that the kernel sends, ends them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

export interface Part {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, however it ended. */
  readonly ended: Promise<string>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>;
  /** Last lines of its log, for error messages. */
  tail(lines?: number): string;
}

/** Where a part runs, if not simply as our child. */
export interface Place {
  /** File that holds a network namespace open. */
  readonly netns?: string;
  /** Process whose mounts it sees. */
  readonly mountsOf?: number;
  /** Files to which the process writes 0 before it begins: the control groups that it enters. */
  readonly groups?: readonly string[];
  /** Part of the environment beside ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ended by the kernel's signal when we die: for programs that know nothing of the pipe; Linux only. */
  readonly diesWithUs?: boolean;
}

/** Starts one part of the cluster, by default with a low priority; its output goes to `logFile`. */
export function startPart(
  name: string,
  command: string,
  args: readonly string[],
  logFile: string,
  niceness = 10,
  place: Place = {},
): Part {
  const log = openSync(logFile, 'a');
  const words = ['nice', '-n', String(niceness), ...placed(place), command, ...args];
  // The pipe on stdin is the leash: main.go ends the process when the kernel closes our end of it.
  const child: ChildProcess = spawn(words[0] as string, words.slice(1), {
    stdio: ['pipe', log, log],
    env: { ...process.env, BALLAST_KUBE_HOLD: 'stdin', ...place.env },
  });
  closeSync(log);
  // A program that ends before it reads closes the pipe: that is told by its end.
  child.stdin?.on('error', () => {});
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`${name} ended with ${signal ?? `code ${code}`}`));
  });
  return {
    name,
    pid: child.pid ?? 0,
    ended,
    async stop(graceMs = 15_000) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(timer);
    },
    tail(lines = 15) {
      try {
        return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
      } catch {
        return '(no log)';
      }
    },
  };
}

/** Words in front of the command: each replaces itself by what follows, so that the process keeps its id. */
function placed({ netns, mountsOf, groups = [], diesWithUs = false }: Place): string[] {
  return [
    ...(groups.length === 0
      ? []
      : ['sh', '-c', `${groups.map((file) => `echo 0 > ${file}`).join('; ')}; exec "$@"`, 'sh']),
    ...(diesWithUs ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    // Not `ip netns exec`: that one mounts a new /sys, in which the control groups are not to be found.
    ...(netns === undefined ? [] : ['nsenter', `--net=${netns}`]),
    ...(mountsOf === undefined ? [] : ['nsenter', `--mount=/proc/${mountsOf}/ns/mnt`]),
  ];
}

/**
 * Ports of this address that were free a moment ago, all different. Below those that the kernel gives to outgoing
 * connections: one of the API server's to etcd would take a port before its part listens.
 */
export async function freePorts(count: number, address = '127.0.0.1'): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1000) throw new Error(`no free port on ${address}`);
    const port = randomInt(20_000, 32_000);
    if (!ports.has(port) && (await isFree(port, address))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number, address: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

/** Whether a process with this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
