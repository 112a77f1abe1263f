import { expect, test } from '@jest/globals';
import { Deadlines, type Expiring } from './deadlines.ts';

test('what is due expires once, in whatever slot of the wheel it lies; what was taken off does not', () => {
  let nowMs = 0;
  const deadlines = new Deadlines(() => nowMs);
  const expired: number[] = [];
  const entries = [3, 10, 2_047, 2_048, 5_000].map((expiresMs): Expiring => {
    const entry = { expiresMs, spoke: undefined, expire: () => void expired.push(expiresMs) };
    deadlines.add(entry);
    return entry;
  });
  deadlines.remove(entries[1] as Expiring);
  nowMs = 12;
  deadlines.advance();
  expect(expired).toEqual([3]);
  nowMs = 2_050;
  deadlines.advance();
  expect(expired).toEqual([3, 2_047, 2_048]);
  nowMs = 60_000;
  deadlines.advance();
  deadlines.advance();
  expect(expired).toEqual([3, 2_047, 2_048, 5_000]);
  expect(deadlines.size).toBe(0);
});
