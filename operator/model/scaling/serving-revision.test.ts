/** Which revision a deployment is sized by. */
import { expect, test } from '@jest/globals';
import { servingPods, servingRevision } from './serving-revision.ts';
import { silentPod } from './testing/build.ts';

/** `A` is a ready pod of revision a, `a` one that is not ready. */
const pods = (text: string) =>
  [...text].map((letter, index) => ({
    ...silentPod(`${letter}-${index}`, letter === letter.toUpperCase()),
    revision: letter.toLowerCase(),
  }));

test.each([
  { before: undefined, now: '', serves: undefined, why: 'nothing runs' },
  { before: undefined, now: 'BAA', serves: 'a', why: 'most are its own' },
  { before: undefined, now: 'bba', serves: 'b', why: 'none is ready: most are its own' },
  { before: undefined, now: 'bbA', serves: 'a', why: 'it alone is ready' },
  { before: 'a', now: 'BBBA', serves: 'a', why: 'one ready pod is left' },
  { before: 'a', now: 'BBaa', serves: 'b', why: 'none is left that is ready' },
  { before: 'a', now: 'bb', serves: 'a', why: 'the next one is not ready yet' },
  { before: 'a', now: '', serves: 'a', why: 'nothing runs' },
  { before: 'a', now: 'CBC', serves: 'c', why: 'most are its own' },
])('of $now after $before it is $serves: $why', ({ before, now, serves }) => {
  expect(servingRevision(before, pods(now))).toBe(serves);
});

test('its pods are all where none is its own', () => {
  const names = (now: string) => servingPods(pods(now), 'a').map(({ pod }) => pod);
  expect(names('BAa')).toEqual(['A-1', 'a-2']);
  expect(names('BB')).toEqual(['B-0', 'B-1']);
});
