/** What one cluster has on this machine, and what of it is still there. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { processesOf } from '../cgroups.ts';

export interface Traces {
  readonly name: string;
  readonly range: string;
  readonly dir: string;
  readonly pids: readonly number[];
  readonly nftTables: string;
  readonly kernel: string;
}

const lines = (command: string, ...args: string[]) =>
  (spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '').trim().split('\n');

/** Tables of the host's packet filter. */
export const nftTables = () => lines('nft', 'list', 'tables').join('\n');

/** Settings of the whole machine that kubelet, kube-proxy or the network could have changed. */
export function kernelSettings(): string {
  const names = [
    'vm/overcommit_memory',
    'vm/panic_on_oom',
    'kernel/panic',
    'kernel/panic_on_oops',
    'kernel/keys/root_maxkeys',
    'kernel/keys/root_maxbytes',
    'net/ipv4/ip_forward',
    'net/netfilter/nf_conntrack_max',
  ].filter((name) => existsSync(`/proc/sys/${name}`));
  return names.map((name) => `${name}=${readFileSync(`/proc/sys/${name}`, 'utf8').trim()}`).join('\n');
}

/** Looks at a running cluster. */
export function tracesOf(cluster: { readonly name?: string; readonly dir: string }): Traces {
  const { name } = cluster;
  if (name === undefined) throw new Error('a cluster without a network leaves processes alone');
  return {
    name,
    range: `10.${name.slice(3)}.`,
    dir: cluster.dir,
    pids: processesOf(name),
    nftTables: nftTables(),
    kernel: kernelSettings(),
  };
}

/** What is left of it, one line each. */
export function left(traces: Traces): string[] {
  const { name, range, dir } = traces;
  const found: string[] = [];
  const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  for (const pid of processes) {
    let command = '';
    try {
      command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      continue;
    }
    if (traces.pids.includes(Number(pid)) || command.includes(dir) || command.includes(`/${name}`))
      found.push(`process ${pid} ${command}`);
  }
  const mine = new RegExp(`${name}\\b|\\b${range.replaceAll('.', '\\.')}`);
  const keep = (kind: string, all: readonly string[]) => {
    found.push(
      ...all.filter((line) => mine.test(line) || line.includes(dir)).map((line) => `${kind} ${line}`),
    );
  };
  // A namespace lives by its processes and by the file that holds it, which is a mount.
  keep('mount', readFileSync('/proc/self/mountinfo', 'utf8').split('\n'));
  keep('link', lines('ip', '-o', 'link'));
  keep('address', lines('ip', '-o', 'addr'));
  keep('route', lines('ip', 'route', 'show', 'table', 'all'));
  keep('control group', lines('find', '/sys/fs/cgroup', '-type', 'd', '-name', 'blt*'));
  keep('namespace', lines('lsns', '-n', '-o', 'TYPE,NS,NSFS,COMMAND'));
  for (const folder of [dir, `/run/ballast-kube/${name}`])
    if (existsSync(folder)) found.push(`folder ${folder}`);
  return found;
}
