/** The fuzzers for a few seconds with one seed, so that a change and not chance breaks it; `npm run test:fuzz` looks for what is new. */
import { expect, test } from '@jest/globals';
import { fuzzBodies } from './fuzz/bodies.ts';
import { fuzzModels } from './fuzz/models.ts';

/** The seed that found a list of labels which was no text. */
const seed = 910_957;

test('requests that are nearly right', async () => {
  const { problems, requests } = await fuzzBodies(seed, 8_000);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  expect(requests).toBeGreaterThan(100);
}, 90_000);

test('model files that are nearly right', async () => {
  const { problems, requests } = await fuzzModels(seed, 4_000, 3);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  // On a busy machine one of the three that are served takes all of the four seconds.
  expect(requests).toBeGreaterThan(20);
}, 120_000);
