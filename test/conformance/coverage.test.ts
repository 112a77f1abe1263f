/** The table of what is covered names tests that are there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const here = import.meta.dirname;
const rows = readFileSync(join(here, 'COVERAGE.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

const sourceOf = (file: string) => {
  const path = [join(here, file), join(here, 'support', file)].find(existsSync);
  if (path === undefined) throw new Error(`COVERAGE.md names ${file}, which is not there`);
  return readFileSync(path, 'utf8');
};

test('there are rows for every verb and for the semantics', () => expect(rows.length).toBeGreaterThan(45));

test.each(rows.map(([, what = '', tests = '']) => [what, tests] as const))('%s', (_, tests) => {
  const parts = [...tests.matchAll(/`([\w.-]+\.ts)`: ([^`]+?)(?:\. (?=`)|$)/g)];
  expect(parts.length).toBeGreaterThan(0);
  const missing = parts.flatMap(([, file = '', names = '']) => {
    const source = sourceOf(file);
    return names
      .split('; ')
      .filter((name) => !source.includes(name))
      .map((name) => `${file}: ${name}`);
  });
  expect(missing).toEqual([]);
});
