import { afterEach, describe, expect, test } from '@jest/globals';
import type { LoadReport } from '../../crds/wire.ts';
import { HeldClock } from '../../kube/clock.ts';
import { report } from '../model/scaling/testing/build.ts';
import type { Probe, ProbeOptions } from './probe.ts';
import { createProbe } from './probe.ts';
import type { PullResult } from './pull.ts';
import type { ProbeTarget } from './targets.ts';

const target = (pod: string, changes: Partial<ProbeTarget> = {}): ProbeTarget => ({
  owner: 'team/wine',
  pod,
  revision: 'abc',
  ready: true,
  origin: `http://${pod}`,
  ...changes,
});

let probe: Probe | undefined;
afterEach(async () => {
  await probe?.stop();
  probe = undefined;
});

/** A probe on a held clock; `answers` says what each pod answers at a time. */
function held(
  answers: (pod: string, nowMs: number) => LoadReport | PullResult,
  options: Partial<ProbeOptions> = {},
) {
  const clock = new HeldClock();
  const pulls: { pod: string; atMs: number }[] = [];
  const made = createProbe({
    clock,
    random: () => 0.5,
    async pull(origin) {
      const pod = origin.slice('http://'.length);
      pulls.push({ pod, atMs: clock.monotonicMs() });
      const answer = answers(pod, clock.monotonicMs());
      return 'failure' in answer || 'report' in answer ? answer : { report: answer };
    },
    ...options,
  });
  probe = made;
  /** Moves the clock in steps of a tick and lets the answers arrive. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    }
  };
  const gaps = (pod: string) => {
    const times = pulls.filter((pull) => pull.pod === pod).map(({ atMs }) => atMs);
    return times.slice(1).map((time, index) => time - (times[index] ?? 0));
  };
  return { probe: made, clock, pulls, pass, gaps };
}

const idle = report({ rate: 0 });
const busy = report({ rate: 5 });
/** What is kept of an answer, but for its seconds, which are kept in another form. */
const kept = ({ seconds: _, ...rest }: LoadReport) => ({ report: rest });

describe('the probe', () => {
  test('asks a new pod within half a second, and tells who was not read yet', async () => {
    const { probe, pass } = held(() => idle);
    probe.setTargets([target('a')]);
    probe.start();
    expect(probe.readingsOf('team/wine')).toEqual([
      { pod: 'a', revision: 'abc', ready: true, reading: 'unknown' },
    ]);
    await pass(600);
    expect(probe.readingsOf('team/wine')[0]?.reading).toMatchObject(kept(idle));
    expect(probe.readingsOf('team/other')).toEqual([]);
  });

  test('asks each two seconds while requests come, seldom at rest', async () => {
    const { probe, pass, gaps } = held((pod) => (pod === 'busy' ? busy : idle), { calmPullsPerSecond: 0.01 });
    probe.setTargets([target('busy'), target('calm', { owner: 'team/other' })]);
    probe.start();
    await pass(32_000);
    expect(new Set(gaps('busy'))).toEqual(new Set([2_000]));
    expect(new Set(gaps('calm'))).toEqual(new Set([15_000]));
    const [reading] = probe.readingsOf('team/other');
    expect(reading?.reading).toMatchObject({ periodMs: 15_000 });
  });

  test('many pods that work are asked less often, in all never more than allowed, and say how seldom', async () => {
    const { probe, pass, pulls } = held(() => busy, {
      pullsPerSecond: 100,
      maxPullsPerSecond: 120,
      maxInFlight: 4,
    });
    probe.setTargets(Array.from({ length: 1_000 }, (_, index) => target(`p${index}`)));
    probe.start();
    await pass(1_000);
    // All are new at once: that is when most would be asked. Pulls that end make room for the next at once.
    expect(pulls.length).toBeGreaterThan(80);
    expect(pulls.length).toBeLessThanOrEqual(132);
    await pass(60_000);
    const asked = pulls.length;
    await pass(20_000);
    expect(pulls.length - asked).toBeGreaterThan(1_800);
    expect(pulls.length - asked).toBeLessThanOrEqual(2_200);
    expect(new Set(pulls.slice(-900).map(({ pod }) => pod)).size).toBeGreaterThan(890);
    expect(probe.readingsOf('team/wine')[0]?.reading).toMatchObject({ periodMs: 10_000 });
  });

  test('a pod that does not answer is asked less and less often, and anew at once when it answers', async () => {
    let answers = false;
    const { probe, pass, gaps } = held(() => (answers ? busy : { failure: 'timeout', detail: 'no answer' }));
    probe.setTargets([target('a')]);
    probe.start();
    await pass(130_000);
    expect(gaps('a').slice(0, 8)).toEqual([2_000, 2_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    answers = true;
    await pass(45_000);
    expect(gaps('a').at(-1)).toBe(2_000);
  });

  test('a thousand pods that let each pull run into its deadline do not keep the others waiting', async () => {
    let silent = 0;
    let most = 0;
    const clock = new HeldClock();
    const alive: number[] = [];
    const made = createProbe({
      clock,
      random: Math.random,
      pull: (origin, signal) => {
        if (origin === 'http://alive') {
          alive.push(clock.monotonicMs());
          return Promise.resolve({ report: busy });
        }
        silent += 1;
        most = Math.max(most, silent);
        return new Promise((resolve) => {
          const end = () => {
            silent -= 1;
            resolve({ failure: 'timeout', detail: 'no answer' });
          };
          clock.setTimer(2_000, end);
          signal.addEventListener('abort', end, { once: true });
        });
      },
    });
    probe = made;
    made.setTargets([target('alive')]);
    made.start();
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        clock.advance(100);
        for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
      }
    };
    await pass(1_000);
    made.setTargets([
      target('alive'),
      ...Array.from({ length: 1_000 }, (_, index) => target(`silent-${index}`, { owner: `team/${index}` })),
    ]);
    await pass(20_000);
    expect(alive.length).toBeGreaterThanOrEqual(9);
    expect(most).toBe(24);
  });

  test('a small fleet at rest is asked sooner', async () => {
    const { probe, pass, gaps } = held(() => idle);
    probe.setTargets([target('a')]);
    probe.start();
    await pass(10_000);
    expect(new Set(gaps('a'))).toEqual(new Set([4_000]));
  });

  test('one pod that works wakes its deployment’s others', async () => {
    const { probe, pass, pulls } = held((pod, nowMs) => (pod === 'a' && nowMs > 10_000 ? busy : idle), {
      calmPullsPerSecond: 0.01,
    });
    probe.setTargets([target('a'), target('b')]);
    probe.start();
    await pass(16_000);
    const woken = pulls.filter(({ atMs }) => atMs > 15_000).map(({ pod }) => pod);
    expect(new Set(woken)).toEqual(new Set(['a', 'b']));
  });

  test('a burst in a large fleet: all pods of the deployment are asked within a second, and often after it', async () => {
    const burstAtMs = 60_000;
    const steady = report({ rate: 5 });
    const { seconds } = steady;
    const bursting = {
      ...steady,
      seconds: seconds.map((one, at) => (at < 98 ? one : { ...one, arrivals: 40 })),
    };
    const { probe, pass, pulls } = held(
      (pod, nowMs) => (pod.startsWith('a-') && nowMs > burstAtMs ? bursting : steady),
      { pullsPerSecond: 100, maxPullsPerSecond: 120 },
    );
    probe.setTargets(
      Array.from({ length: 40 }, (_, owner) =>
        Array.from({ length: 25 }, (_, index) =>
          target(`${owner === 0 ? 'a' : owner}-${index}`, { owner: `team/${owner}` }),
        ),
      ).flat(),
    );
    probe.start();
    await pass(burstAtMs);
    const before = pulls.filter(({ pod, atMs }) => pod.startsWith('a-') && atMs > burstAtMs - 20_000);
    expect(before.length).toBeLessThan(60);
    await pass(1_500);
    const after = pulls.filter(({ pod, atMs }) => pod.startsWith('a-') && atMs > burstAtMs);
    expect(new Set(after.map(({ pod }) => pod)).size).toBe(25);
    await pass(5_000);
    expect(pulls.filter(({ pod, atMs }) => pod === 'a-3' && atMs > burstAtMs).length).toBeGreaterThanOrEqual(
      3,
    );
    // In all no more than ever.
    expect(pulls.filter(({ atMs }) => atMs > burstAtMs).length).toBeLessThanOrEqual(6.5 * 120 + 12);
  });

  test('a rollout is watched closely', async () => {
    const { probe, pass, gaps } = held(() => idle, { calmPullsPerSecond: 0.01 });
    probe.setTargets([target('a')]);
    probe.setHurried('team/wine', true);
    probe.start();
    await pass(7_000);
    expect(gaps('a')).toHaveLength(3);
    expect(Math.max(...gaps('a'))).toBeLessThanOrEqual(2_100);
  });

  test('keeps the last good answer of a pod that fails, with its age, and says why', async () => {
    const { probe, pass } = held((_pod, nowMs) =>
      nowMs < 1_000 ? busy : { failure: 'timeout', detail: 'no answer within 2000ms' },
    );
    probe.setTargets([target('a')]);
    probe.start();
    await pass(10_000);
    const reading = probe.readingsOf('team/wine')[0]?.reading;
    expect(reading).toMatchObject(kept(busy));
    expect(reading === 'unknown' ? 0 : reading?.readAtMs).toBeLessThan(1_000);
    expect(probe.lastFailure('team/wine', 'a')).toBe('timeout: no answer within 2000ms');
    expect(probe.counts().failures.timeout).toBeGreaterThanOrEqual(4);
  });

  test('never asks more than a few at once', async () => {
    let open = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const { probe, pass } = held(() => idle, {
      maxInFlight: 4,
      pull: () => {
        open += 1;
        most = Math.max(most, open);
        return new Promise((resolve) => {
          release.push(() => {
            open -= 1;
            resolve({ report: idle });
          });
        });
      },
    });
    probe.setTargets(Array.from({ length: 20 }, (_, index) => target(`p${index}`)));
    probe.start();
    await pass(1_000);
    // Of pods that were never heard, a quarter less: they may not answer.
    expect(probe.counts().inFlight).toBe(3);
    for (let round = 0; round < 8; round += 1) {
      for (const done of release.splice(0)) done();
      await pass(200);
    }
    expect(most).toBe(3);
    expect(probe.readingsOf('team/wine').every(({ reading }) => reading !== 'unknown')).toBe(true);
    for (const done of release.splice(0)) done();
  });

  test('forgets pods that are gone, and an answer that comes after', async () => {
    let answer: (result: PullResult) => void = () => undefined;
    const { probe, pass } = held(() => idle, {
      pull: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    probe.setTargets([target('a')]);
    probe.start();
    await pass(600);
    probe.setTargets([]);
    answer({ report: busy });
    await pass(200);
    expect(probe.readingsOf('team/wine')).toEqual([]);
    expect(probe.counts().targets).toBe(0);
  });

  test('a pod of the same name at another address is another pod', async () => {
    const { probe, pass } = held(() => busy);
    probe.setTargets([target('a')]);
    probe.start();
    await pass(600);
    probe.setTargets([target('a', { origin: 'http://elsewhere' })]);
    expect(probe.readingsOf('team/wine')[0]?.reading).toBe('unknown');
  });

  test('stops: no timer, no pull', async () => {
    const { probe, pass, pulls } = held(() => busy);
    probe.setTargets([target('a')]);
    probe.start();
    await pass(3_000);
    await probe.stop();
    const before = pulls.length;
    await pass(10_000);
    expect(pulls.length).toBe(before);
  });
});
