import { describe, expect, test } from '@jest/globals';
import { ageSince, humanDuration, labelsText } from './human.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('short forms', () => {
  test.each([
    [-5 * second, '<invalid>'],
    [-500, '0s'],
    [119 * second, '119s'],
    [2 * minute, '2m'],
    [5 * minute + 10 * second, '5m10s'],
    [11 * minute + 30 * second, '11m'],
    [3 * hour, '3h'],
    [3 * hour + 20 * minute, '3h20m'],
    [9 * hour + 20 * minute, '9h'],
    [2 * day, '2d'],
    [3 * day + 5 * hour, '3d5h'],
    [30 * day, '30d'],
    [800 * day, '2y70d'],
    [3000 * day, '8y'],
  ])('%d ms is %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });

  test('ages and labels', () => {
    expect(ageSince('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 1))).toBe('60s');
    expect(ageSince(undefined, 0)).toBe('<unknown>');
    expect(ageSince('yesterday', 0)).toBe('<invalid>');
    expect(labelsText({ b: 1, a: 2 })).toBe('a=2,b=1');
    expect(labelsText({})).toBe('<none>');
  });
});
