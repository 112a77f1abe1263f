/** Runs commands as a person would in a terminal, and waits for what appears. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until as untilThere } from '../until.ts';

interface Where {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

export interface Line {
  readonly text: string;
  readonly atMs: number;
}

/** Standard output of a command; rejects with both outputs when it fails or does not end in time (default 60 s). */
export function run(command: string, args: string[], where: Where): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: where.cwd, env: where.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let both = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
      both += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      both += chunk;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), where.timeoutMs ?? 60_000);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}: ${both.trim()}`));
    });
  });
}

/** Starts a command in a process group of its own and collects its lines as they come. */
export function startLines(
  command: string,
  args: string[],
  where: Where,
): { child: ChildProcess; lines: Line[] } {
  const child = spawn(command, args, {
    cwd: where.cwd,
    env: where.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines: Line[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (text) => lines.push({ text, atMs: performance.now() }));
  }
  return { child, lines };
}

/** Polls until `probe` gives something true; rejects after `limitMs` with the name of what was awaited. */
export const until = <T>(
  what: string,
  limitMs: number,
  probe: () => Promise<T | undefined | false>,
  everyMs = 200,
): Promise<T> => untilThere(what, probe, limitMs, everyMs);
