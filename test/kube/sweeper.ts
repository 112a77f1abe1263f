/**
 * A process that waits for the owner of a cluster to end, however it ends, and then removes what the owner left. It is
 * started beside each cluster with nodes: containers belong to no process that could hold them on a leash.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startOf } from '../../local/reaper.ts';
import { type Run, sweepRuns } from './runs.ts';

export interface Sweeper {
  readonly pid: number | undefined;
  /** Lets it go; the run must have been removed. */
  close(): Promise<void>;
}

/** Starts it for a run of this process. */
export function startSweeper(run: Run): Sweeper {
  const child = spawn(process.execPath, [import.meta.filename, String(process.pid), run.stateDir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Of its own group: Ctrl-C in a terminal reaches the owner, and the owner cleans up itself.
    detached: true,
  });
  child.stdin?.on('error', () => {});
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid,
    async close() {
      child.stdin?.end();
      await ended;
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const [pid = '', stateDir = ''] = process.argv.slice(2);
  const start = startOf(Number(pid));
  for await (const _ of process.stdin);
  // The pipe closes a moment before the owner is gone.
  while (existsSync(stateDir) && start !== undefined && startOf(Number(pid)) === start) await delay(50);
  await sweepRuns();
}
