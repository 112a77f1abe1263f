import { describe, expect, test } from '@jest/globals';
import { type Asked, paceOf } from './pace.ts';

const pace = { busyPeriodMs: 2_000, calmPeriodMs: 15_000, calmPullsPerSecond: 20, pullsPerSecond: 2_500 };
const asked = (pods: number, need: Asked['need'] = 'busy', held = false): Asked => ({ pods, need, held });
const fleet = (count: number, one: Asked) => Array.from({ length: count }, () => one);
const sum = (rates: readonly number[]) => rates.reduce((all, rate) => all + rate, 0);

describe('how often pods are asked', () => {
  test.each([
    ['a pod that works: each 2 s', asked(1), 1 / 2],
    ['gateways before it change nothing in a small fleet', asked(10, 'busy', true), 5],
    ['one at rest, alone: each 4 s', asked(1, 'calm'), 1 / 4],
    ['a rollout', asked(4, 'urgent'), 2],
  ])('%s', (_, one, rate) => {
    expect(paceOf([one], pace)[0]).toBeCloseTo(rate);
  });

  test('at rest in a large fleet: one pod in 2 s, each pod once a minute', () => {
    const rates = paceOf(fleet(1_000, asked(50, 'calm')), pace);
    expect(rates[0]).toBeCloseTo(50 / 60);
    expect(paceOf(fleet(1_000, asked(20, 'calm')), pace)[0]).toBeCloseTo(0.5);
    // As many as are asked each 15 s take less.
    expect(paceOf(fleet(5_000, asked(3, 'calm')), pace)[0]).toBeCloseTo(3 / 15);
  });

  test('of 50,000 pods that work each deployment is looked at once a second, the rest shared by size', () => {
    const rates = paceOf([...fleet(500, asked(90)), ...fleet(500, asked(10))], pace);
    expect(sum(rates)).toBeCloseTo(2_500);
    expect(rates[0]).toBeGreaterThan(3);
    expect(rates[999]).toBeGreaterThanOrEqual(1);
    expect(rates[999]).toBeLessThan(1.5);
  });

  test('what bursts, or rolls out, is asked each 2 s even then', () => {
    const rates = paceOf([asked(50, 'urgent'), ...fleet(999, asked(50))], pace);
    expect(rates[0]).toBeCloseTo(25);
    expect(sum(rates)).toBeCloseTo(2_500);
  });

  test('when everything bursts at once the budget holds', () => {
    const rates = paceOf(fleet(1_000, asked(50, 'urgent')), pace);
    expect(sum(rates)).toBeLessThanOrEqual(2_500 + 1e-6);
    expect(Math.min(...rates)).toBeGreaterThan(1);
  });

  test('pods behind gateways are asked each 30 s where there are many', () => {
    expect(paceOf(fleet(1_000, asked(50, 'busy', true)), pace)[0]).toBeCloseTo(50 / 30);
  });

  test('no deployments, and one without pods', () => {
    expect(paceOf([], pace)).toEqual([]);
    expect(paceOf([asked(0)], pace)).toEqual([0]);
  });
});
