import { expect, test } from '@jest/globals';
import { costCapOf } from './cost-cap.ts';
import { decide, initialState } from './decide.ts';
import { input, observation, pods } from './testing/build.ts';

test.each([
  [2.5, 0.25, 1, 10],
  [0.3, 0.1, 1, 3],
  [0.29, 0.1, 1, 2],
  [0.05, 0.1, 1, 1],
  [0.05, 0.1, 4, 4],
  [1, 0, 1, Number.POSITIVE_INFINITY],
])('%d an hour at %d for at least %d: %d', (most, price, least, replicas) => {
  expect(costCapOf(most, price, least).replicas).toBe(replicas);
});

const at = 1_000_000;
const busy = observation(pods(2, at, 800));

test('the count stops where the money ends, and says so', () => {
  const costCap = costCapOf(1, 0.25, 1);
  const { replicas, why } = decide(initialState, busy, input({ costCap }), at);
  expect(replicas).toBe(4);
  expect(why).toMatchObject({ reason: 'CostCap', limited: { reason: 'AtMaximum' } });
  expect(why.sentence).toContain('maxHourlyCost 1 at 0.25 per replica and hour pays 4');
});

test('with an unknown price nothing is capped, and that is said', () => {
  const free = decide(initialState, busy, input(), at);
  const { replicas, why } = decide(initialState, busy, input({ costCap: costCapOf(1, 'unknown', 1) }), at);
  expect(replicas).toBe(free.replicas);
  expect(why.sentence).toContain('maxHourlyCost 1 is not in effect');
});

test('a window of the schedule is a floor, within maxReplicas, and is told', () => {
  const scheduled = { replicas: 7, window: 'daily 08:00-18:00 UTC' };
  const calm = observation(pods(2, at, 10));
  const { replicas, why } = decide(initialState, calm, input({ scheduled }), at);
  expect(replicas).toBe(7);
  expect(why.reason).toBe('Schedule');
  expect(why.sentence).toContain('the schedule (daily 08:00-18:00 UTC) wants at least 7');
  expect(decide(initialState, calm, input({ scheduled, maxReplicas: 5 }), at).replicas).toBe(5);
});

test('a window of the schedule that the money does not pay for ends there, and is told', () => {
  const scheduled = { replicas: 7, window: 'daily 08:00-18:00 UTC' };
  const calm = observation(pods(2, at, 10));
  const costCap = costCapOf(1, 0.25, 1);
  const { replicas, why } = decide(initialState, calm, input({ scheduled, costCap }), at);
  expect(replicas).toBe(4);
  expect(why).toMatchObject({ reason: 'CostCap', limited: { reason: 'AtMaximum' } });
  expect(why.sentence).toContain(
    'wants at least 7; but maxHourlyCost 1 at 0.25 per replica and hour pays 4: raise scaling.maxHourlyCost, or ask for less in scaling.schedule',
  );
  const paid = decide(initialState, calm, input({ scheduled, costCap: costCapOf(2, 0.25, 1) }), at);
  expect(paid.why).toMatchObject({ reason: 'Schedule', limited: undefined });
});
