/** The table of what the protocol asks for names tests that are there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(import.meta.dirname, 'COVERAGE.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('every section of the checklist has rows', () => {
  const sections = new Set(rows.map(([, row]) => row));
  for (const row of [
    'R1',
    'R5',
    'R10',
    'R11',
    '4.2',
    '4.3',
    '4.4',
    '4.5',
    '4.6',
    '4.7',
    '4.8',
    'V1',
    'peers',
  ])
    expect(sections).toContain(row);
});

test.each(rows.map(([, row = '', what = '', tests = '']) => [row, what, tests] as const))(
  '%s %s',
  (_row, _what, tests) => {
    const parts = [...tests.matchAll(/`([\w./-]+\.ts)`: ([^`]+?)(?:\. (?=`)|$)/g)];
    expect(parts.length).toBeGreaterThan(0);
    const missing = parts.flatMap(([, file = '', names = '']) => {
      const source = readFileSync(
        join(root, file.includes('/') ? file : `inference-pod/http/${file}`),
        'utf8',
      );
      return names
        .split('; ')
        .filter((name) => !source.includes(name))
        .map((name) => `${file}: ${name}`);
    });
    expect(missing).toEqual([]);
  },
);
