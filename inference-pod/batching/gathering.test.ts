import { expect, test } from '@jest/globals';
import { Gatherer } from './gathering.ts';

/** A model with a fixed cost of 4 ms and a quarter of a millisecond per row, as large weights make it. */
const heavy = (rows: number) => 4 + rows / 4;
const linear = (rows: number) => rows;
const ended = {
  answeredRows: 16,
  waitingRows: 16,
  maxRows: 64,
  slackMs: 1000,
  costMs: heavy,
};

test.each<[string, Partial<typeof ended>, { longestMs: number; rows: number } | undefined]>([
  ['waits as long as it saves', {}, { longestMs: 4, rows: 32 }],
  ['waits for no more than a batch may hold', { maxRows: 20 }, { longestMs: 4, rows: 20 }],
  ['waits from the first on where none waits yet', { waitingRows: 0 }, { longestMs: 4, rows: 16 }],
  ['does not wait when the batch is full', { maxRows: 16 }, undefined],
  ['does not wait when two batches cost as much as one', { costMs: linear }, undefined],
  ['does not wait when somebody would be late for it', { slackMs: 15 }, undefined],
])('%s', (_name, changes, want) => {
  expect(new Gatherer().after({ ...ended, ...changes })).toEqual(want);
});

test('waiting that brings nobody is given up, and tried again later', () => {
  const gatherer = new Gatherer();
  gatherer.ended(16, 16, 4, heavy);
  const tries = Array.from({ length: 66 }, () => gatherer.after(ended) !== undefined);
  expect(tries.indexOf(true)).toBe(64);
  // That one brought what it was for: the next wait too.
  for (let i = 0; i < 3; i += 1) gatherer.ended(16, 32, 0.5, heavy);
  expect(gatherer.after(ended)).toEqual({ longestMs: 4, rows: 32 });
});
