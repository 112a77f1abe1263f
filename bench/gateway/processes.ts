/** The processes of this bench: each pinned to a core, listening when it says so, and ended by its id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { defaultGatewayResources, gatewayNodeFlags } from '../../operator/model/gateway/children.ts';
import { cpuSecondsOf } from '../operator/processes.ts';

/** The hop has a core for itself; pods and clients share the other. */
export const cores = { hop: '0', others: '1' } as const;

/** Node's flags of a gateway in a cluster, at the memory limit that it has by default. */
export const flagsOfOurs = gatewayNodeFlags(defaultGatewayResources.limits?.memory);

export interface Running {
  cpuSeconds(): number;
  /** How long it has been ready to run while others had its core. */
  waitedMs(): number;
  stop(): Promise<void>;
}

/** Ports of the loopback address that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
  );
  return ports;
}

/** How long the main thread of a process has been ready to run while others had the processors, milliseconds. */
export const waitedForCpuMs = (pid: number): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
};

const patienceMs = 20_000;

/** Starts a script of this folder (or a path below `bench/`) and waits until it listens. */
export async function start(
  script: string,
  core: string,
  args: readonly string[],
  ports: readonly number[],
  nodeFlags: readonly string[] = [],
): Promise<Running> {
  const child: ChildProcess = spawn(
    'taskset',
    ['-c', core, process.execPath, ...nodeFlags, join(import.meta.dirname, script), ...args],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  let isGone = false;
  child.once('exit', () => {
    isGone = true;
  });
  const endMs = performance.now() + patienceMs;
  for (const port of ports)
    while (!(await listens(port))) {
      if (isGone || performance.now() > endMs) throw new Error(`${script} does not listen on ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  return {
    cpuSeconds: () => cpuSecondsOf(child.pid ?? 0),
    waitedMs: () => waitedForCpuMs(child.pid ?? 0),
    async stop() {
      if (isGone) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
