import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { operatorSeries } from './series.ts';

const root = join(import.meta.dirname, '../..');

/** Names and kinds of all series that the sources tell, whoever runs them: `observer.count('writes_total', …)`. */
function toldBySources(): Map<string, string> {
  const kinds: Record<string, string> = { count: 'counter', gauge: 'gauge', duration: 'summary' };
  const told = new Map<string, string>();
  for (const file of globSync('{kube,operator}/**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts') || file.includes('/testing/')) continue;
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, how = '', name = ''] of text.matchAll(
      /(?:[oO]bserver|metrics)\.(count|gauge|duration)\(\s*'([a-z_]+)'/g,
    ))
      told.set(name, kinds[how] ?? '');
  }
  return told;
}

test('each series has its meaning, and no meaning is of a series that nobody tells', () => {
  const meant = Object.entries(operatorSeries).map(([name, { type }]) => [name, type]);
  expect(meant.toSorted()).toEqual([...toldBySources()].toSorted());
});

test('counters end in _total, and nothing else does', () => {
  const wrong = Object.entries(operatorSeries).filter(
    ([name, { type }]) => name.endsWith('_total') !== (type === 'counter'),
  );
  expect(wrong).toEqual([]);
});
