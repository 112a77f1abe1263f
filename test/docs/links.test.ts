/** Every relative link of the documentation leads to a file that is there, and to a heading that it has. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');

function* pages(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
      yield* pages(path);
    else if (entry.name.endsWith('.md')) yield path;
  }
}

/** The name that a heading is linked by: small letters, dashes for blanks, nothing else kept. */
const slug = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const headings = (text: string) =>
  new Set([...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => slug(heading)));

/** What is wrong with the links of one page, as sentences. */
function brokenLinks(page: string, text: string): string[] {
  const wrong: string[] = [];
  const prose = text.replace(/```[\s\S]*?```/g, '');
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    const kind = statSync(join(root, file), { throwIfNoEntry: false });
    if (kind === undefined) wrong.push(`${target}: no such file`);
    else if (anchor !== undefined && kind.isFile()) {
      if (!headings(readFileSync(join(root, file), 'utf8')).has(anchor))
        wrong.push(`${target}: ${relative('.', file)} has no such heading`);
    }
  }
  return wrong;
}

const all = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', 'samples', 'test', 'bench', 'charts', 'crds'].flatMap((folder) =>
    statSync(join(root, folder), { throwIfNoEntry: false }) === undefined ? [] : [...pages(folder)],
  ),
];

describe('links of the documentation', () => {
  test.each(all)('%s', (page) => {
    expect(brokenLinks(page, readFileSync(join(root, page), 'utf8'))).toEqual([]);
  });

  test('a link to nothing is found', () => {
    expect(brokenLinks('docs/README.md', '[a](nowhere.md) [b](#nothing) [c](https://example.org)')).toEqual([
      'nowhere.md: no such file',
      '#nothing: docs/README.md has no such heading',
    ]);
  });
});
