/** Clusters with nodes on this machine, of all checkouts: each has a name of its own, and a folder that says whose it is. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startOf } from '../../local/reaper.ts';
import { killGroup, removeGroup } from './cgroups.ts';
import { removeFolder, unmountBelow } from './mounts.ts';

/** One cluster with nodes: everything on the machine that belongs to it carries its name. */
export interface Run {
  /** `blt` and the number: name of the link on the host, of the control group, of the folder. */
  readonly name: string;
  /** Second byte of its addresses: 10.NUMBER.0.0/16. */
  readonly number: number;
  /** Short-lived state with short paths: sockets, network namespaces, mounts of containers. */
  readonly stateDir: string;
}

const registry = '/run/ballast-kube';

/** Takes a free number, and with it a range of addresses that nothing on this machine uses. */
export function claimRun(): Run {
  mkdirSync(registry, { recursive: true, mode: 0o700 });
  const routes = spawnSync('ip', ['-4', 'route', 'show', 'table', 'all'], { encoding: 'utf8' }).stdout ?? '';
  const first = 64 + (process.pid % 160);
  for (let step = 0; step < 160; step++) {
    const number = 64 + ((first - 64 + step) % 160);
    if (new RegExp(`\\b10\\.${number}\\.`).test(routes)) continue;
    const stateDir = join(registry, `blt${number}`);
    try {
      mkdirSync(stateDir, { mode: 0o700 });
    } catch {
      continue;
    }
    writeFileSync(
      join(stateDir, 'owner.json'),
      JSON.stringify({ pid: process.pid, start: startOf(process.pid) }),
    );
    return { name: `blt${number}`, number, stateDir };
  }
  throw new Error('no range 10.N.0.0/16 is free on this machine: too many clusters run');
}

/** Remembers the folder of data that goes with the run. */
export function recordData(run: Run, dataDir: string): void {
  writeFileSync(join(run.stateDir, 'data.json'), JSON.stringify({ dataDir }));
}

/** Ends what runs below the run's name and removes all of it from the machine, in an order that leaves nothing behind. */
export async function removeRun(run: Run): Promise<void> {
  await killGroup(run.name);
  const dataDir = dataOf(run);
  unmountBelow(run.stateDir);
  if (dataDir !== undefined) unmountBelow(dataDir);
  // The link goes with its peer's namespace, but the kernel takes its time.
  spawnSync('ip', ['link', 'del', run.name], { stdio: 'ignore' });
  await removeGroup(run.name);
  if (dataDir !== undefined) removeFolder(dataDir);
  const deadlineMs = Date.now() + 5_000;
  while (existsSync(`/sys/class/net/${run.name}`) && Date.now() < deadlineMs) await delay(20);
  // Last: as long as it is there, the next start knows that something is left.
  removeFolder(run.stateDir);
  try {
    if (readdirSync(registry).length === 0) rmSync(registry, { recursive: true });
  } catch {
    // Another start came in between.
  }
}

function dataOf(run: Run): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(run.stateDir, 'data.json'), 'utf8')) as { dataDir: string }).dataDir;
  } catch {
    return undefined;
  }
}

/** Removes the runs whose owner is dead; returns their names. */
export async function sweepRuns(): Promise<string[]> {
  if (!existsSync(registry)) return [];
  const swept: string[] = [];
  for (const name of readdirSync(registry)) {
    const number = Number(/^blt(\d+)$/.exec(name)?.[1]);
    if (Number.isNaN(number)) continue;
    const run: Run = { name, number, stateDir: join(registry, name) };
    if (isOwned(run)) continue;
    try {
      await removeRun(run);
    } catch (error) {
      // Its own sweeper may have been at it at the same time.
      if (existsSync(run.stateDir)) throw error;
    }
    swept.push(name);
  }
  return swept;
}

function isOwned(run: Run): boolean {
  try {
    const owner = JSON.parse(readFileSync(join(run.stateDir, 'owner.json'), 'utf8'));
    return startOf(owner.pid) === owner.start;
  } catch {
    // Between making the folder and writing the owner's name lies no more than a moment.
    return existsSync(run.stateDir) && Date.now() - statSync(run.stateDir).mtimeMs < 10_000;
  }
}
