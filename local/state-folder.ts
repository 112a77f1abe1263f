/** The folder of a cluster: one cluster at a time, and what an earlier one left is cleaned up first. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cleanUpEarlierRun, startOf } from './reaper.ts';

export interface StateFolder {
  readonly pods: string;
  readonly pids: string;
  readonly claims: string;
  release(): void;
}

/** Another cluster uses the folder. */
class StateFolderTaken extends Error {}

/** Takes the folder for this process; throws StateFolderTaken while another living process has it. */
export function takeStateFolder(stateDir: string): StateFolder {
  const root = resolve(stateDir);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const lock = join(root, 'cluster.lock');
  takeLock(lock);
  const run = join(root, 'run');
  const pids = join(run, 'pids');
  const pods = join(run, 'pods');
  cleanUpEarlierRun(pids);
  rmSync(run, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  mkdirSync(pids, { recursive: true, mode: 0o700 });
  return {
    pods,
    pids,
    claims: join(root, 'claims'),
    release() {
      rmSync(run, { recursive: true, force: true });
      rmSync(lock, { force: true });
    },
  };
}

function takeLock(path: string): void {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, `${process.pid}\n${startOf(process.pid) ?? ''}\n`);
      closeSync(file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', start = ''] = readFileSync(path, 'utf8').split('\n');
    if (start !== '' && startOf(Number(pid)) === start)
      throw new StateFolderTaken(
        `an embedded cluster already runs in ${path.slice(0, path.lastIndexOf('/'))} (process ${pid}): end it first, or use another folder`,
      );
    // Its process is gone: the lock is a leftover.
    rmSync(path, { force: true });
  }
  throw new StateFolderTaken(`${path} could not be taken`);
}
