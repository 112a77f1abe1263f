import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..');

/** Runs a source with `--help` as npm's scripts run theirs; its work is to write `ran`. */
const helped = (head: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'ballast-help-'));
  try {
    const file = join(directory, 'main.ts');
    writeFileSync(file, `${head}\nconsole.log('ran');\n`);
    const node = ['-r', join(root, 'scripts/require-node.cjs'), file, '--help'];
    return spawnSync(process.execPath, node, { encoding: 'utf8' }).stdout;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

test.each([
  [
    'its head comment is shown and nothing is done',
    '/** Measures it: `npm run x`. */',
    'Measures it: `npm run x`.\n',
  ],
  [
    'of several lines too',
    '/**\n * Measures it.\n * `--runs`: how often.\n */',
    'Measures it.\n`--runs`: how often.\n',
  ],
  ['a command with a help of its own gives it', '/** Measures it. */\nconst help = 1;', 'ran\n'],
])('asked for help, %s', (_name, head, said) => {
  expect(helped(head)).toBe(said);
});

test('every command of package.json can tell what it does', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const entries = Object.entries(scripts).flatMap(([name, line]) => {
    const file = /require-node\.cjs (\S+\.ts)/.exec(line)?.[1];
    return file === undefined ? [] : [[name, readFileSync(join(root, file), 'utf8')] as const];
  });
  expect(entries.length).toBeGreaterThan(30);
  expect(entries.filter(([, text]) => !/\bhelp\b/i.test(text) && !text.startsWith('/**'))).toEqual([]);
});
