/** The examples of the page on the protocol, run against the sample that they name. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { serveModel, type TestPod } from '../../inference-pod/testing/pod.ts';
import { shellBlocks } from './blocks.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/reference/inference-protocol.md'), 'utf8');
const run = promisify(execFile);

let pod: TestPod;
beforeAll(async () => {
  pod = await serveModel(readFileSync(join(root, 'samples/penguins/model.onnx')), {
    env: { BALLAST_MODEL_NAME: 'penguins', BALLAST_MODEL_VERSION: 'v1' },
  });
});
afterAll(() => pod.stop());

/** The answer that the page shows below a block, if it shows one. */
const shownBelow = (line: number): unknown => {
  const rest = page
    .split('\n')
    .slice(line - 1)
    .join('\n');
  const match = /^[^`]*```\n\n```json\n([^`]*)```/.exec(rest);
  return match?.[1] === undefined ? undefined : JSON.parse(match[1]);
};

/** Floats may differ from one processor to another, and the page rounds them. */
const rounded = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'string' && /^\d\.\d+:/.test(inner)
        ? inner.replace(/^(\d\.\d{3})\d*/, '$1')
        : typeof inner === 'number' && !Number.isInteger(inner)
          ? Math.round(inner * 1000)
          : inner,
    ),
  );

const blocks = shellBlocks(page).filter(({ notRun }) => notRun === undefined);
test('there are examples', () => expect(blocks.length).toBe(5));
test.each(blocks.map((block) => [block.line, block.commands] as const))('line %d', async (line, commands) => {
  const { stdout } = await run('sh', ['-ec', commands], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', POD: pod.url, no_proxy: '127.0.0.1' },
  });
  const shown = shownBelow(line);
  expect(rounded(JSON.parse(stdout))).toEqual(rounded(shown));
});
