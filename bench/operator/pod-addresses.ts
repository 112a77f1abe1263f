/** What becomes of the operator's calls to the simulated pods: KWOK gives them addresses with nobody behind. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { idleReport } from '../idle-report.ts';

/**
 * `answering`: one server in this process answers for all pods, as idle ones do. `silent`: packets get lost and every
 * connect runs into its deadline. `unrouted`: whatever this machine does with such addresses; needs no root.
 */
export const podModes = ['answering', 'silent', 'unrouted'] as const;
export type PodMode = (typeof podModes)[number];

export interface PodAddresses {
  readonly mode: PodMode;
  stop(): void;
}

const comment = (pid: number) => `blt-bench-${pid}`;

/** The mode that this machine allows: `answering` needs iptables and root. */
export function bestPodMode(): PodMode {
  return process.getuid?.() === 0 && spawnSync('iptables', ['-t', 'nat', '-S', 'OUTPUT']).status === 0
    ? 'answering'
    : 'unrouted';
}

/** Sets the mode up; `stop` takes it down again. */
export async function usePodAddresses(mode: PodMode, range: string): Promise<PodAddresses> {
  sweep();
  const mine = ['-m', 'comment', '--comment', comment(process.pid)];
  const calls = ['-d', range, '-p', 'tcp', '--dport', '8081', ...mine];
  if (mode === 'silent') iptables(['-A', 'OUTPUT', ...calls, '-j', 'DROP']);
  if (mode !== 'answering') return { mode, stop: sweepMine };
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(idleReport(request.headers.host ?? '', request.url ?? '/load')));
  });
  // Longer than the operator keeps a connection, so that no call meets one that just ends.
  server.keepAliveTimeout = 120_000;
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  iptables(['-t', 'nat', '-A', 'OUTPUT', ...calls, '-j', 'REDIRECT', '--to-ports', String(port)]);
  return {
    mode,
    stop() {
      sweepMine();
      server.close();
      server.closeAllConnections();
    },
  };
}

const tables = ['nat', 'filter'] as const;

function iptables(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('iptables', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`iptables ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const sweepMine = () => removeRules((pid) => pid === process.pid);

/** Removes the rules of benches that ended without it. */
function sweep(): void {
  if (process.getuid?.() === 0) removeRules((pid) => !isAlive(pid));
}

function removeRules(isMeant: (pid: number) => boolean): void {
  for (const table of tables) {
    const { status, stdout } = spawnSync('iptables', ['-t', table, '-S', 'OUTPUT'], { encoding: 'utf8' });
    if (status !== 0) continue;
    for (const rule of stdout.split('\n')) {
      const pid = /--comment "?blt-bench-(\d+)/.exec(rule)?.[1];
      if (pid === undefined || !isMeant(Number(pid))) continue;
      iptables(['-t', table, ...rule.replaceAll('"', '').replace(/^-A/, '-D').split(' ')]);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
