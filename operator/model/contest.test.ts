import { expect, test } from '@jest/globals';
import { addRestoration, isContested, type Restoration } from './contest.ts';

/** Whether edits that come each `everyMs` are a fight after `times` of them. */
function isFight(fields: readonly string[], everyMs: number, times: number): boolean {
  let history: readonly Restoration[] = [];
  for (let time = 0; time < times; time += 1)
    history = addRestoration(history, { hash: 'h', fields, atMs: time * everyMs, mutatedAtOnce: false });
  return isContested(history);
}

test.each<[string, readonly string[], number, number, boolean]>([
  ['an HPA on the child, each 15 s, after a minute', ['spec.replicas'], 15_000, 5, true],
  ['the same after 45 s', ['spec.replicas'], 15_000, 4, false],
  ['a person who scales the child each two minutes', ['spec.replicas'], 120_000, 8, false],
  ['another field each 15 s', ['spec.paused'], 15_000, 8, false],
  ['another field each 10 s', ['spec.paused'], 10_000, 6, true],
])('%s', (_, fields, everyMs, times, want) => {
  expect(isFight(fields, everyMs, times)).toBe(want);
});
