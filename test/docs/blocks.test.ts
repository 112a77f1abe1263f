import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { remedies } from '../../crds/remedies.ts';
import { shellBlocks } from './blocks.ts';

test('blocks come with their line, and with the reason why one is not run', () => {
  const page =
    'a\n\n```sh\nls\n```\n\n<!-- not run: needs a moon -->\n```sh\nfly\nland\n```\n```yaml\na: 1\n```';
  expect(shellBlocks(page)).toEqual([
    { line: 4, commands: 'ls' },
    { line: 9, commands: 'fly\nland', notRun: 'needs a moon' },
  ]);
});

test('a block without an end is an error', () => {
  expect(() => shellBlocks('```sh\nls')).toThrow('line 1');
});

test('every command of the troubleshooting page comes from the remedies, and each remedy stands on it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/how-to/troubleshooting.md'), 'utf8');
  const onPage = shellBlocks(page)
    .slice(1)
    .map(({ commands }) => commands);
  const wanted = Object.values(remedies)
    .filter(({ look }) => look.length > 0)
    .map(({ look }) => look.join('\n'));
  expect(onPage.toSorted()).toEqual(wanted.toSorted());
});
