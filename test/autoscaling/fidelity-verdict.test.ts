/** What the fidelity bench measures of a machine before a run, and what it says of two autoscalers after it. */
import { expect, test } from '@jest/globals';
import { slownessOf } from '../../bench/fidelity/calibrate.ts';
import { busyCoreSeconds } from '../../bench/fidelity/machine-use.ts';
import { lessOf, type Ran, verdict } from '../../bench/fidelity/ranking.ts';
import { situationsOf } from '../../bench/fidelity/situations.ts';

test("the kernel's count of busy cores leaves out idle and waiting for disks, and takes in what the host took", () => {
  const stat = 'cpu  1000 200 300 99999 5000 0 50 25 7 7\ncpu0 500 100 150 1 1 0 25 12 0 0\nintr 5\n';
  expect(busyCoreSeconds(stat)).toBeCloseTo(15.75);
});

test("a new pod's first requests are held against its own later ones", () => {
  const warm = (seconds: number) => new Array<number>(38).fill(seconds);
  const slow = slownessOf([
    [0.05, 0.02, ...warm(0.01)],
    [0.06, 0.02, ...warm(0.02)],
  ]);
  expect(slow.slice(0, 3)).toEqual([4, 1.5, 1]);
  // Faster than later ones is no reason to make a simulated pod faster than it was measured.
  expect(slownessOf([[0.001, ...warm(0.01), 0.01]])[0]).toBe(1);
});

test('what goes wrong while a pod starts, and up to 5 s after, is told from the rest', () => {
  const total = new Array<number>(20).fill(10);
  const starting = total.map((_, second) => (second === 8 || second === 9 ? 1 : 0));
  const bad = total.map((_, second) => (second === 6 || second === 14 ? 2 : second === 15 ? 5 : 0));
  expect(situationsOf(bad, total, starting)).toEqual({
    whileStarting: 2 / 200,
    settled: 7 / 200,
    startingTime: 8 / 20,
  });
});

const situations = { whileStarting: 0, settled: 0, startingTime: 0 };
const ran = (name: string, real: number, said: readonly number[]): Ran => ({
  name,
  live: { violations: real, replicaSeconds: 1_000, situations },
  simulated: said.map((violations) => ({
    violations,
    replicaSeconds: 1_000,
    situations: { ...situations, settled: violations - real },
    stretch: 1,
  })),
  stretch: 1.3,
});

test('a difference below a tenth, or below what chance makes, is none', () => {
  expect(lessOf(0.02, 0.0195, 0)).toBe('neither');
  expect(lessOf(0.02, 0.017, 0)).toBe('second');
  expect(lessOf(0.017, 0.02, 0.004)).toBe('neither');
  expect(lessOf(0.01, 0.02, 0.004)).toBe('first');
});

test('the same order AGREES without more words; another DIFFERS, with where each error lies', () => {
  const agrees = verdict(ran('ours', 0.01, [0.012, 0.013]), ran('theirs', 0.02, [0.025, 0.026]));
  expect(agrees).toHaveLength(2);
  expect(agrees.every((line) => line.endsWith('AGREES'))).toBe(true);
  const differs = verdict(ran('ours', 0.03, [0.012, 0.013]), ran('theirs', 0.02, [0.025, 0.026]));
  expect(differs[0]).toBe('fewer violations: really theirs, in the simulator ours: DIFFERS');
  expect(differs[1]).toContain('AGREES');
  expect(differs[2]).toContain('ours: simulated less real +0.00 points while pods started');
  expect(differs[2]).toContain('-1.75 points while all were there');
  expect(differs[2]).toContain('service 1.00 times that before and really 1.30');
});
