/** What tests and measurements start is what runs in production: the bundle with the flags and the environment of its image. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');
const withoutFlags: Readonly<Record<string, string>> = {
  'bench/pod/ours.ts': 'fetches the model, and serves nothing',
  'test/models/main.ts': 'asks whether models run, and measures nothing',
};
const starters = ['bench', 'cli', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path}`)
    .filter((path) => path.endsWith('.ts') && !path.startsWith('test/images/'))
    .filter((path) => readFileSync(join(root, path), 'utf8').includes("'inference-pod.mjs'")),
);

test('whoever starts the bundled pod gives it the flags and the environment of its image', () => {
  expect(starters).toEqual(expect.arrayContaining(['bench/pod-start.ts', 'cli/start/session.ts']));
  const missing = starters.filter((path) => {
    const source = readFileSync(join(root, path), 'utf8');
    return !(source.includes('...podNodeFlags,') && source.includes('...podNodeEnv,'));
  });
  expect(missing.sort()).toEqual(Object.keys(withoutFlags).sort());
});
