/** The workflows pass actionlint, built from its Go module. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..', '..');
const tool = join(import.meta.dirname, '..', 'tools', 'actionlint');

function go(...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr, error } = spawnSync('go', ['-C', tool, ...args], { encoding: 'utf8' });
  if (error !== undefined) throw new Error('actionlint is built with Go, and there is no "go" on the PATH');
  return { status, said: `${stdout}${stderr}` };
}

/** Verdict on workflow files; the first call compiles for half a minute. */
const actionlint = (...paths: string[]) => go('tool', 'actionlint', '-no-color', '-oneline', ...paths);

test('actionlint has nothing to say, and is no rubber stamp', () => {
  const workflows = globSync('.github/workflows/*.yml', { cwd: root }).map((path) => join(root, path));
  expect(workflows.length).toBeGreaterThanOrEqual(2);
  // By itself: on a new machine Go tells of each module that it fetches, among what actionlint says.
  expect(go('mod', 'download')).toMatchObject({ status: 0 });
  expect(actionlint(...workflows)).toEqual({ status: 0, said: '' });

  const folder = mkdtempSync(join(tmpdir(), 'ballast-actionlint-'));
  try {
    const bad = join(folder, 'bad.yml');
    writeFileSync(bad, 'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps: [{ runs: true }]\n');
    expect(actionlint(bad)).toEqual({ status: 1, said: expect.stringContaining('step must run script') });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 300_000);
