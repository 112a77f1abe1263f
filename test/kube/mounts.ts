/** Mounts below a folder, and the removal of a folder that never reaches through one of them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';

/** Mount points at or below the folder, deepest last; empty where the system has no mount table to read. */
export function mountsBelow(folder: string): string[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return [];
  }
  return table
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, code) => charOf(code)))
    .filter((point) => point === folder || point.startsWith(`${folder}/`));
}

function charOf(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

/** Unmounts everything at or below the folder, the newest first; what is busy is detached. */
export function unmountBelow(folder: string): void {
  for (let round = 0; round < 5; round++) {
    const points = mountsBelow(folder);
    if (points.length === 0) return;
    for (const point of points.toReversed())
      if (spawnSync('umount', [point], { stdio: 'ignore' }).status !== 0)
        spawnSync('umount', ['-l', point], { stdio: 'ignore' });
  }
}

/** Removes a folder; refuses while something is mounted below it, which a pod may have from anywhere on this machine. */
export function removeFolder(folder: string): void {
  const left = mountsBelow(folder);
  if (left.length > 0) throw new Error(`${folder} is left in place: ${left[0]} is still mounted`);
  rmSync(folder, { recursive: true, force: true });
}
