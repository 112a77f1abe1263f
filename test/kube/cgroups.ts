/** Control groups of a run: where its processes are counted, frozen, killed; version 1 (one tree per controller) and 2. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Where the trees are mounted: several of version 1, or the one of version 2. */
function trees(): { readonly version: 1 | 2; readonly roots: readonly string[] } {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => ({ point: line.split(' ')[4] ?? '', type: line.split(' - ')[1]?.split(' ')[0] }));
  const roots = mounts.filter(({ type }) => type === 'cgroup').map(({ point }) => point);
  // Beside trees of version 1 runc makes its groups in a version 2 tree without controllers too.
  const unified = mounts.find(({ point }) => point === '/sys/fs/cgroup/unified')?.point;
  if (roots.length > 0) return { version: 1, roots: [...roots, ...(unified === undefined ? [] : [unified])] };
  return { version: 2, roots: mounts.filter(({ type }) => type === 'cgroup2').map(({ point }) => point) };
}

/** The tree that tells which processes belong to a group, and the one that freezes them. */
function treeOf(controller: 'pids' | 'freezer'): string {
  const { version, roots } = trees();
  const root =
    version === 2 ? roots[0] : roots.find((path) => path.split('/').at(-1)?.split(',').includes(controller));
  if (root === undefined)
    throw new Error(`this machine has no cgroup tree with the ${controller} controller mounted`);
  return root;
}

/** Makes a group in every tree, its parents too. */
export function makeGroup(group: string): void {
  const { version, roots } = trees();
  for (const root of roots) {
    let path = root;
    for (const part of group.split('/').filter((one) => one !== '')) {
      if (version === 2) enableControllers(path);
      path = join(path, part);
      mkdirSync(path, { recursive: true });
      // A new cpuset is empty, and a process cannot enter it before it has CPUs and memory nodes.
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        if (version === 1 && existsSync(join(path, file)))
          writeFileSync(join(path, file), readFileSync(join(dirname(path), file)));
    }
  }
}

function enableControllers(path: string): void {
  const names = readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ');
  writeFileSync(join(path, 'cgroup.subtree_control'), names.map((name) => `+${name}`).join(' '));
}

/** Files to which a process writes 0 to enter the group: enough to be found and frozen, its limits stay as they were. */
export function entrances(group: string): string[] {
  const files = [treeOf('pids'), treeOf('freezer')].map((root) => join(root, group, 'cgroup.procs'));
  return [...new Set(files)];
}

function processesIn(root: string, group: string): number[] {
  const found: number[] = [];
  for (const folder of [join(root, group), ...foldersBelow(join(root, group))]) {
    try {
      const text = readFileSync(join(folder, 'cgroup.procs'), 'utf8');
      found.push(
        ...text
          .split('\n')
          .filter((line) => line !== '')
          .map(Number),
      );
    } catch {
      // The group went away meanwhile.
    }
  }
  return found;
}

/** Processes of the group and of all groups below it. */
export function processesOf(group: string): number[] {
  return processesIn(treeOf('pids'), group);
}

/** Ends every process of the group and below at the same moment, as a power cut does; resolves when none is left. */
export async function killGroup(group: string, timeoutMs = 15_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const pids = processesOf(group);
    if (pids.length === 0) return;
    freeze(group, true);
    for (const pid of processesOf(group)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    freeze(group, false);
    if (Date.now() > deadlineMs) throw new Error(`processes of ${group} do not end: ${pids.join(' ')}`);
    await delay(20);
  }
}

function freeze(group: string, frozen: boolean): void {
  const folder = join(treeOf('freezer'), group);
  try {
    if (trees().version === 2) writeFileSync(join(folder, 'cgroup.freeze'), frozen ? '1' : '0');
    else writeFileSync(join(folder, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED');
  } catch {
    // Without it the processes end one after the other: good enough for a clean-up.
  }
}

/** Removes the group and all below it from every tree; its processes must have ended. */
export async function removeGroup(group: string, timeoutMs = 10_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  for (const root of trees().roots) {
    const top = join(root, group);
    while (existsSync(top)) {
      for (const folder of [...foldersBelow(top).toReversed(), top]) {
        try {
          rmdirSync(folder);
        } catch (error) {
          if (Date.now() > deadlineMs) throw new Error(`${folder} stays: ${(error as Error).message}`);
        }
      }
      if (existsSync(top)) await delay(20);
    }
  }
}

function foldersBelow(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .map((name) => join(folder, name))
    .filter(isFolder)
    .flatMap((path) => [path, ...foldersBelow(path)]);
}

function isFolder(path: string): boolean {
  let stats: Stats | undefined;
  try {
    stats = statSync(path);
  } catch {
    return false;
  }
  return stats.isDirectory();
}
