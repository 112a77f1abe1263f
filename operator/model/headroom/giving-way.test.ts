/** Placeholders give their places to pods that find none, and to nobody else. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type GivenWay, giveWay, takenWithinMs } from './giving-way.ts';

const before: GivenWay = { replicas: 2, blocked: 2, atMs: 1_000 };

test.each<[string, Parameters<typeof giveWay>, number | undefined]>([
  ['nobody waits: as many as wanted', [3, 3, 0, before, 2_000], undefined],
  ['two find no place: two of three go', [3, 3, 2, undefined, 2_000], 1],
  ['what is in place counts, not what was wished', [3, 1, 1, undefined, 2_000], 0],
  [
    'it is not known how many are in place: none goes until it is',
    [3, 'unknown', 2, undefined, 2_000],
    undefined,
  ],
  ['known or not, what was given up stays so', [3, 'unknown', 2, before, 2_000], 2],
  ['more wait than are in place', [3, 1, 5, undefined, 2_000], 0],
  ['one of two found its place: none comes back', [3, 2, 1, before, 2_000], 2],
  ['one more waits: one more goes', [3, 2, 3, before, 2_000], 1],
  ['the places are not taken yet', [3, 2, 2, before, before.atMs + takenWithinMs - 1], 2],
  ['others took the places', [3, 2, 2, before, before.atMs + takenWithinMs], 0],
  ['fewer are wanted meanwhile', [1, 2, 2, before, 2_000], 1],
])('%s', (_, input, replicas) => {
  expect(giveWay(...input)?.replicas).toBe(replicas);
});

/**
 * A cluster of so many places, a scheduler that gives a free one to any pod that waits (`picks` chooses), and the keeper
 * that looks now and then: in whatever order things happen, the model's pods get their places.
 */
test('in no order of events does a placeholder keep the place of a pod that waits', () => {
  const steps = fc.array(
    fc.record({ who: fc.constantFrom('keeper', 'scheduler', 'time'), pick: fc.nat(9) }),
    {
      minLength: 40,
      maxLength: 80,
    },
  );
  fc.assert(
    fc.property(
      fc.record({
        places: fc.integer({ min: 1, max: 9 }),
        wanted: fc.integer({ min: 0, max: 4 }),
        pods: fc.integer({ min: 1, max: 9 }),
        steps,
      }),
      ({ places, wanted, pods: asked, steps }) => {
        const pods = Math.min(asked, places);
        const world = {
          placed: 0,
          held: Math.min(wanted, places),
          size: wanted,
          given: undefined as GivenWay | undefined,
          nowMs: 0,
        };
        const free = () => places - world.placed - world.held;
        const keeper = () => {
          world.given = giveWay(wanted, world.held, pods - world.placed, world.given, world.nowMs);
          world.size = world.given?.replicas ?? wanted;
          // A ReplicaSet deletes those that wait for a place first.
          world.held = Math.min(world.held, world.size);
        };
        const scheduler = (pick: number) => {
          if (free() <= 0) return;
          const waiting = pods - world.placed;
          const isPlaceholder = pick % (waiting + world.size - world.held || 1) >= waiting;
          if (isPlaceholder && world.held < world.size) world.held += 1;
          else if (waiting > 0) world.placed += 1;
        };
        for (const { who, pick } of steps)
          if (who === 'keeper') keeper();
          else if (who === 'scheduler') scheduler(pick);
          else world.nowMs += 1_000 * pick;
        // Then both go on as they do, every two seconds.
        for (let round = 0; round < 60; round += 1) {
          keeper();
          scheduler(round);
          world.nowMs += 2_000;
        }
        expect([world.placed, world.held]).toEqual([pods, Math.min(wanted, places - pods)]);
      },
    ),
    { numRuns: 300 },
  );
});
