import { expect, test } from '@jest/globals';
import { fightOver } from './external-count.ts';

const nowMs = 1_000_000;
/** Counts, the oldest first, `gap` seconds apart, the last one just now. */
const changes = (counts: readonly number[], gap = 2, by: readonly (string | undefined)[] = ['hpa', 'keda']) =>
  counts
    .slice(1)
    .map((replicas, index) => ({
      at: nowMs - (counts.length - 2 - index) * gap * 1_000,
      replicas,
      previousReplicas: counts[index] ?? 0,
      by: by[index % by.length],
    }))
    .reverse();

test.each([
  ['to and fro', [1, 2, 1, 2, 1], 2, true],
  ['to and fro by different counts', [3, 9, 4, 8, 3], 2, true],
  ['once up and down', [1, 2, 1], 2, false],
  ['up in steps', [1, 2, 3, 4, 5], 2, false],
  ['up in steps, then to and fro twice', [1, 2, 3, 2, 3], 2, false],
  ['slowly', [1, 2, 1, 2, 1], 50, false],
  ['nothing', [1], 2, false],
])('%s', (_, counts, gap, expected) => {
  expect(fightOver(changes(counts, gap), nowMs) !== undefined).toBe(expected);
});

test('names who writes, the counts and the way out', () => {
  expect(fightOver(changes([1, 2, 1, 2, 1]), nowMs)).toBe(
    'keda and hpa write scaling.replicas against each other: 2, 1, 2, 1 within 6s; let one of them decide',
  );
  expect(fightOver(changes([1, 2, 1, 2, 1], 2, ['kube-controller-manager']), nowMs)).toContain(
    'two autoscalers',
  );
  expect(fightOver(changes([1, 2, 1, 2, 1], 2, [undefined]), nowMs)).toContain('somebody writes');
});
