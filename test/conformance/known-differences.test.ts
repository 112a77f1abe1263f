/** The list of known differences is right: on either server each probe finds what the list says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { differences, differencesTable } from './support/differences.ts';

const api = await openCluster();

describe('a known difference', () => {
  test.each(differences.map((one) => [one.what, one] as const))(
    '%s',
    async (_, { probe, real, embedded }) => {
      expect(real).not.toBe(embedded);
      expect(await probe(api)).toBe(api.real ? real : embedded);
    },
  );
});

test('the documentation lists them all, and no others', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference/embedded-cluster.md'), 'utf8');
  const table = /<!-- differences -->\n\n([\s\S]*?)\n\n<!-- \/differences -->/.exec(page)?.[1];
  expect(table).toBe(differencesTable());
});
