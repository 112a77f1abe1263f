/**
 * `npm test`: runs jest over the unit and integration tests and closes with one plain line, `N passed, N failed`.
 *
 * With `BALLAST_SECOND_LOOK=1`, which `.ci/run` sets, the files that failed are run once more, alone: what then passes is told
 * as FLAKY, by name, and is a bug to mend. More than three files are no accident and get no second look.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failuresIn, type JestReport, onlyFiles } from './second-look.ts';

const root = join(import.meta.dirname, '..');
const mostFiles = 3;
/**
 * Where Node keeps sources that it has stripped of their types and compiled, for the processes and threads that tests start:
 * a pod's process takes 0.35 CPU seconds and not 0.9 until it serves, a runner's thread 0.09 and not 0.2.
 */
const compileCache = join(root, '.ballast/compile-cache');
const out = mkdtempSync(join(tmpdir(), 'ballast-test-'));
let stopped = false;

/** Runs jest with these words; `undefined` when it left no report. */
async function run(words: readonly string[], name: string): Promise<JestReport | undefined> {
  const report = join(out, name);
  const jest = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--no-warnings',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--json',
      `--outputFile=${report}`,
      ...words,
    ],
    {
      cwd: root,
      env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const stop = (signal: NodeJS.Signals) => {
    stopped = true;
    jest.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  const status = await new Promise<number | null>((resolve) => jest.once('exit', resolve));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  try {
    const read = JSON.parse(readFileSync(report, 'utf8')) as JestReport;
    // Jest's own word counts too: it fails for more than tests, a threshold or an open handle say.
    return status === 0 || failuresIn(read).count > 0 ? read : undefined;
  } catch {
    return undefined;
  }
}

const words = process.argv.slice(2);
const first = await run(words, 'report.json');
let passed = first?.numPassedTests ?? 0;
let failed = first === undefined ? 1 : failuresIn(first).count;
const again = first === undefined ? [] : failuresIn(first).files;
if (
  process.env.BALLAST_SECOND_LOOK === '1' &&
  !stopped &&
  again.length > 0 &&
  again.length <= mostFiles &&
  first !== undefined
) {
  console.error(`\nA second look at ${again.join(', ')}`);
  const second = await run([...onlyFiles(words, again), '--maxWorkers=1'], 'again.json');
  if (second !== undefined && failuresIn(second).count === 0 && second.numPassedTests > 0) {
    for (const name of failuresIn(first).names) console.error(`FLAKY, a bug to mend: ${name}`);
    // Files that could not even be read at first had counted no tests.
    const had = first.testResults
      .filter(({ name }) => again.includes(name))
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === 'passed').length;
    passed += second.numPassedTests - had;
    failed = 0;
  }
}
rmSync(out, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
// A run in which nothing ran, a mistyped pattern say, has shown nothing.
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
