/** A server under test: a process tree pinned to one core, what it used, and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import type { BenchModel } from './models.ts';

/** Core of the servers, and that of the clients. */
export const cores = { server: '0', client: '1' };

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What every contender gets to start. */
export interface Setting {
  readonly model: BenchModel;
  readonly port: number;
  /** A folder of this start alone. */
  readonly directory: string;
}

export interface ServerProcess {
  /** CPU seconds of all its processes so far. */
  cpuSeconds(): number;
  /** Resident memory of all its processes now, megabytes. */
  rssMb(): number;
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/** A port of the loopback address that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

const ticksPerSecond = 100;
const stopPatienceMs = 10_000;

/** Starts a command on the servers' core, in a process group of its own; all that it prints goes to a file. */
export function startServer({ argv, env, cwd }: Command, logPath: string): ServerProcess {
  mkdirSync(dirname(logPath), { recursive: true });
  const log = openSync(logPath, 'a');
  const child = spawn('taskset', ['-c', cores.server, ...argv], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    cpuSeconds: () => sum(child, (pid) => cpuTicks(pid) / ticksPerSecond),
    rssMb: () => sum(child, residentMb),
    exited,
    async stop() {
      const family = familyOf(child);
      end(child, 'SIGTERM');
      const patience = setTimeout(() => end(child, 'SIGKILL'), stopPatienceMs);
      await exited;
      clearTimeout(patience);
      // Workers that outlive their parent.
      end(child, 'SIGKILL', family);
    },
  };
}

/** Ends the group and what has left it: some servers start workers in groups of their own. */
function end(child: ChildProcess, signal: NodeJS.Signals, others: readonly number[] = []): void {
  for (const target of [...(child.pid === undefined ? [] : [-child.pid]), ...others])
    try {
      process.kill(target, signal);
    } catch {
      // It has ended.
    }
}

/** The child and all that descend from it. */
function familyOf({ pid }: ChildProcess): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    const one = Number(entry);
    if (!Number.isInteger(one)) continue;
    const parent = Number(statOf(one)[1]);
    children.set(parent, [...(children.get(parent) ?? []), one]);
  }
  const family = pid === undefined ? [] : [pid];
  for (const one of family) family.push(...(children.get(one) ?? []));
  return family;
}

const sum = (child: ChildProcess, read: (pid: number) => number) =>
  familyOf(child).reduce((total, pid) => total + read(pid), 0);

function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  } catch {
    return [];
  }
}

const cpuTicks = (pid: number) => {
  const stat = statOf(pid);
  return Number(stat[11] ?? 0) + Number(stat[12] ?? 0);
};

function residentMb(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return (pages * 4096) / 1e6;
  } catch {
    return 0;
  }
}
