import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

test('the page on contracts shows the contract of the sample as it is', () => {
  const sample = read('samples/wine/contract/modeldeployment.yaml');
  const block = /^ {2}contract:\n(?: {4}.*\n)+/m.exec(sample)?.[0] ?? '';
  expect(block.split('\n').length).toBeGreaterThan(20);
  expect(read('docs/how-to/validate-inputs-and-outputs.md')).toContain(block);
});
