/** `npm run bench:start [-- RUNS]`: from the start of `npm start`'s process to the first prediction, first run and later runs. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const targetSeconds = 10;
const limitSeconds = 60;
const runs = Number(process.argv[2] ?? 5);
const root = join(import.meta.dirname, '..');
mkdirSync(join(root, '.ballast'), { recursive: true });
const stateDir = mkdtempSync(join(root, '.ballast', 'bench-start-'));

interface Run {
  readonly seconds: number;
  readonly steps: string[];
}

/** Seconds by this process's clock, so that the start of Node itself counts too. */
function startOnce(): Promise<Run> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [join(root, 'cli/main.ts'), 'start', '--state-dir', stateDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  const limit = setTimeout(() => child.kill('SIGTERM'), limitSeconds * 1000);
  const steps: string[] = [];
  let seconds = Number.NaN;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^ +[0-9.]+ s {2}/.test(line)) steps.push(line);
    if (!line.includes('first prediction: HTTP 200')) return;
    seconds = (performance.now() - startedMs) / 1000;
    child.kill('SIGINT');
  });
  return new Promise((resolve) =>
    child.once('exit', () => {
      clearTimeout(limit);
      resolve({ seconds, steps });
    }),
  );
}

try {
  const first = await startOnce();
  const later: Run[] = [];
  for (let run = 0; run < runs; run++) later.push(await startOnce());
  const sorted = later.map((run) => run.seconds).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  for (const step of later.at(-1)?.steps ?? []) console.log(step);
  const all = [first, ...later];
  const met = all.every((run) => run.seconds <= targetSeconds);
  console.log(`\nnpm start to the first prediction, seconds (load average ${loadavg()[0]?.toFixed(1)}):`);
  console.log(`  first run (bundles built, kubectl unpacked)  ${first.seconds.toFixed(2)}`);
  console.log(
    `  later runs, median of ${runs}                    ${median.toFixed(2)}  (${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)})`,
  );
  console.log(`  target ${targetSeconds} s: ${met ? 'MET' : 'MISSED'}`);
  process.exitCode = met ? 0 : 1;
} finally {
  rmSync(stateDir, { recursive: true, force: true });
}
