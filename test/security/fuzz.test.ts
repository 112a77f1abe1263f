/** The fuzzers for a few seconds with a seed of their own each time; `npm run test:fuzz -- --minutes 10` for longer. */
import { expect, test } from '@jest/globals';
import { fuzzBodies } from './fuzz/bodies.ts';
import { fuzzModels } from './fuzz/models.ts';

const seed = Date.now() % 1_000_000;
process.stderr.write(`fuzz: seed ${seed} (npm run test:fuzz -- --seed ${seed} makes the same)\n`);

test('requests that are nearly right', async () => {
  const { problems, requests } = await fuzzBodies(seed, 8_000);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  expect(requests).toBeGreaterThan(100);
}, 90_000);

test('model files that are nearly right', async () => {
  const { problems, requests } = await fuzzModels(seed, 4_000, 3);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  expect(requests).toBeGreaterThan(100);
}, 120_000);
