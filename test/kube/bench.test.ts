/** `npm run bench:operator` at its smallest: the command works, and what does not depend on the machine's speed holds. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

test('ten ModelDeployments on a control plane of their own: few writes, none at rest, none after a restart', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...['bench/operator/main.ts', '--n', '10', '--rest', '5s', '--repeat', '1'], ...['--pods', 'unrouted']],
    { cwd: root, encoding: 'utf8', timeout: 240_000 },
  );
  const line = (start: string) =>
    stdout.split('\n').find((text) => text.trim().startsWith(start)) ?? `no such line: ${stdout}\n${stderr}`;
  expect(line('all Ready  ')).toMatch(/\d+\.\d s \(limit \d+\.\d s\)$/);
  expect(line('writes per ModelDeployment')).toMatch(/ MET$/);
  expect(line('writes in 5 s of rest')).toMatch(/ 0 {2}MET$/);
  expect(line('restart to all reconciled')).toMatch(/, 0 writes {2}MET$/);
}, 300_000);
