/** The programs that real nodes need from the system: found, installed from Debian's packages, or named. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cniFolders } from './node-files.ts';

const programs: readonly (readonly [program: string, debianPackage: string])[] = [
  ['containerd', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
  ['nft', 'nftables'],
  ['iptables', 'iptables'],
  ['ip', 'iproute2'],
  ['conntrack', 'conntrack'],
  ['ethtool', 'ethtool'],
  ['socat', 'socat'],
  ['buildah', 'buildah'],
  ['sysctl', 'procps'],
];

/** The folder with the network plugins, or undefined. */
export function cniFolder(): string | undefined {
  return cniFolders.find((folder) => existsSync(join(folder, 'ptp')));
}

function missingPackages(): string[] {
  const path = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  const missing = programs
    .filter(([program]) => !path.some((folder) => existsSync(join(folder, program))))
    .map(([, debianPackage]) => debianPackage);
  if (cniFolder() === undefined) missing.push('containernetworking-plugins');
  return [...new Set(missing)];
}

/** A sentence for the user when real nodes cannot run here whatever is installed, or undefined. */
export function missingForNodes(): string | undefined {
  if (process.platform !== 'linux')
    return `Real nodes need Linux (network namespaces, control groups); this is ${process.platform}. Without nodes, "npm run kube:up" works here.`;
  if (process.getuid?.() !== 0)
    return 'Real nodes need root (network namespaces, control groups, mounts): run the command as root. Without nodes it needs none.';
  return undefined;
}

/** Makes sure that what nodes need is there; installs it with apt-get where that exists. */
export function needForNodes(say: (line: string) => void): void {
  const never = missingForNodes();
  if (never !== undefined) throw new Error(never);
  const missing = missingPackages();
  if (missing.length === 0) return;
  const names = missing.join(' ');
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0)
    throw new Error(
      `Real nodes need these packages, by Debian's names: ${names}. Install them and start again.`,
    );
  say(`installing from Debian: ${names}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) => spawnSync('apt-get', ['-qq', ...args], { env, encoding: 'utf8' });
  const update = apt('update');
  const install = apt('install', '-y', '--no-install-recommends', ...missing);
  const left = missingPackages();
  if (left.length > 0)
    throw new Error(
      `apt-get could not install ${left.join(' ')}: ${update.stderr}${install.stderr || install.error}`,
    );
}
