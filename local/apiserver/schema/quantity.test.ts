import { describe, expect, test } from '@jest/globals';
import { canonicalQuantity, parseQuantity } from './quantity.ts';

/** As written, and as a real kube-apiserver 1.36 gives it back. */
const spellings: [written: string | number, stored: string][] = [
  ['0.5', '500m'],
  ['500m', '500m'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['1000', '1k'],
  ['1e3', '1e3'],
  ['1E', '1E'],
  ['1000k', '1M'],
  ['1.0', '1'],
  ['0', '0'],
  ['1023', '1023'],
  ['1024Ki', '1Mi'],
  ['1.25', '1250m'],
  ['12e6', '12e6'],
  ['2048', '2048'],
  ['3.7Gi', '3972844748800m'],
  ['1e-3', '1e-3'],
  ['1Ki', '1Ki'],
  ['0.5Ki', '512'],
  ['1100M', '1100M'],
  ['100000000', '100M'],
  ['0.1Mi', '104857600m'],
  ['.5', '500m'],
  ['1000Ki', '1000Ki'],
  ['1e10', '10e9'],
  [2, '2'],
  [1.5, '1500m'],
];

describe('quantities', () => {
  test.each(spellings)('%s is stored as %s', (written, stored) => {
    expect(canonicalQuantity(written)).toBe(stored);
    expect(canonicalQuantity(stored)).toBe(stored);
  });

  test.each(['', 'x', '1 Gi', '1KiB', '1e', '--1', '1.2.3'])('"%s" is no quantity', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });
});
