import { describe, expect, test } from '@jest/globals';
import { initialState } from './decide.ts';
import { estimate } from './estimate.ts';
import { dispersion } from './rates.ts';
import { absorb, isFresh } from './readings.ts';
import { observation, pod, report as reportOf, silentPod } from './testing/build.ts';
import type { PodObservation, ScalingState } from './types.ts';

const at = 1_000_000;

/** Absorbs and estimates one observation. */
function see(pods: PodObservation[], nowMs = at, state: ScalingState = initialState) {
  const absorbed = absorb(state, pods, nowMs);
  return estimate(absorbed.state, absorbed.usable, observation(pods), nowMs);
}

const total = (ring: ScalingState['ring']) => ring.arrivals.reduce((sum, count) => sum + count, 0);

describe('freshness', () => {
  test.each([
    [0, 2_000, true],
    [5_000, 2_000, true],
    [5_001, 2_000, false],
    [17_000, 15_000, true],
    [18_001, 15_000, false],
  ])('%d ms old, asked each %d ms: %s', (ageMs, periodMs, fresh) => {
    const { reading } = pod('a', at, { rate: 1 }, { ageMs, periodMs });
    if (reading === 'unknown') throw new Error('a reading was built');
    expect(isFresh(reading, at)).toBe(fresh);
  });
});

describe('arrival rates', () => {
  test('are summed over pods, from the pods’ own history: a new operator knows the last minute at once', () => {
    const { estimates } = see([pod('a', at, { rate: 30 }), pod('b', at, { rate: 12 })]);
    expect(estimates.rates).toEqual([42, 42, 42]);
    expect(estimates.coveredSeconds).toBe(100);
    expect(estimates.freshness).toBe('ok');
  });

  test('of a young deployment are over its age, not over a minute', () => {
    const { estimates } = see([pod('a', at, { rate: 30, uptimeSeconds: 5 })]);
    expect(estimates.rates).toEqual([30, 30, 30]);
  });

  test('count silent pods as the others are when half or more answered', () => {
    const { estimates } = see([pod('a', at, { rate: 30 }), silentPod('b')]);
    expect(estimates.rates).toEqual([60, 60, 60]);
    expect(estimates).toMatchObject({ freshness: 'partial', readyPods: 2, freshPods: 1 });
  });

  test('are only what is known when fewer than half answered', () => {
    const { estimates } = see([pod('a', at, { rate: 30 }), silentPod('b'), silentPod('c')]);
    expect(estimates.rates).toEqual([30, 30, 30]);
  });

  test('are unknown, not 0, without a fresh answer', () => {
    const { estimates } = see([pod('a', at, { rate: 30 }, { ageMs: 9_000 }), silentPod('b')]);
    expect(estimates).toMatchObject({ rates: 'unknown', queueLength: 'unknown', freshness: 'none' });
  });

  test('are 0, not unknown, when pods answer that nothing came', () => {
    const { estimates } = see([pod('a', at, { rate: 0 })]);
    expect(estimates).toMatchObject({ rates: [0, 0, 0], freshness: 'ok' });
  });

  test('keep what a pod that is gone did inside the window, less and less of it', () => {
    const first = see([pod('a', at, { rate: 30 }), pod('b', at, { rate: 30 })]);
    const later = at + 30_000;
    const { estimates } = see([pod('a', later, { rate: 30, uptimeSeconds: 130 })], later, first.state);
    expect(estimates.rates).toEqual([30, 30, 45]);
  });

  test('count requests that move from one pod to another once, though the pods are asked one after the other', () => {
    const shared = (name: string, readMs: number, before: number, after: number): PodObservation => {
      const one = pod(name, readMs, { rate: 0, uptimeSeconds: 100 + (readMs - at) / 1_000 });
      if (one.reading === 'unknown') throw new Error('a reading was built');
      const { report } = one.reading;
      const seconds = reportOf({ rate: 0, uptimeSeconds: 100 + (readMs - at) / 1_000 }).seconds.map(
        (second) => ({
          ...second,
          arrivals: second.endMs <= 98_000 ? before : after,
        }),
      );
      return { ...one, reading: { ...one.reading, report: { ...report, seconds } } };
    };
    // From 2 s before `at` on, both share what one had alone; one was last read then, the other just now.
    const { estimates } = see([shared('a', at - 2_000, 120, 60), shared('b', at, 0, 60)]);
    expect(estimates.rates).toEqual([120, 120, 120]);
  });

  test('a pod that is late does not hold up what the others say', () => {
    const { estimates } = see([
      pod('a', at, { rate: 30 }),
      pod('b', at, { rate: 30 }),
      pod('c', at, { rate: 30, uptimeSeconds: 96 }, { ageMs: 4_000 }),
    ]);
    expect(estimates.rates).toEqual([90, 90, 90]);
    expect(estimates.freshPods).toBe(3);
  });
});

describe('merging', () => {
  test('takes each second of a process once, however often it is reported', () => {
    const one = see([pod('a', at, { rate: 10, uptimeSeconds: 100 })]);
    expect(total(one.state.ring)).toBe(1_000);
    const same = see([pod('a', at, { rate: 10, uptimeSeconds: 100 })], at, one.state);
    expect(total(same.state.ring)).toBe(1_000);
    const next = see([pod('a', at + 2_000, { rate: 10, uptimeSeconds: 102 })], at + 2_000, one.state);
    expect(total(next.state.ring)).toBe(1_020);
  });

  test('a restarted container is another process: its counters start anew and nothing turns negative', () => {
    const before = see([pod('a', at, { rate: 10, instance: 'first' })]);
    const later = at + 10_000;
    const { state, estimates } = see(
      [pod('a', later, { rate: 20, instance: 'second', uptimeSeconds: 5 })],
      later,
      before.state,
    );
    expect(total(state.ring)).toBe(1_100);
    expect(state.rejectedReadings).toBe(0);
    if (estimates.rates === 'unknown') throw new Error('rates are known');
    expect(estimates.rates[0]).toBe(20);
    expect(estimates.rates[2]).toBeCloseTo((100 + 600 * (50 / 60)) / 60, 5);
  });

  test('a counter that goes back within one process is refused and counted, and the last good answer stays', () => {
    const before = see([pod('a', at, { rate: 10 })]);
    const later = at + 2_000;
    const { state } = see(
      [pod('a', later, { rate: 10, uptimeSeconds: 102, counters: { arrivals: 3 } })],
      later,
      before.state,
    );
    expect(state.rejectedReadings).toBe(1);
    expect(total(state.ring)).toBe(1_000);
    expect(state.instances.get('a')?.readAtMs).toBe(at);
  });

  test('answers that came late move no second to another slot', () => {
    let { state } = see([pod('a', at, { rate: 10, uptimeSeconds: 100 })]);
    for (let second = 1; second <= 20; second += 1) {
      const nowMs = at + second * 1_000 + (second % 3) * 150;
      state = see([pod('a', nowMs, { rate: 10, uptimeSeconds: 100 + second })], nowMs, state).state;
    }
    const used = [...state.ring.arrivals].filter((count) => count > 0);
    expect(new Set(used)).toEqual(new Set([10]));
    expect(total(state.ring)).toBe(1_200);
  });

  test('processes are forgotten when no report can hold their seconds any more', () => {
    const { state } = see([pod('a', at, { rate: 10 })]);
    expect(see([], at + 140_000, state).state.instances.size).toBe(1);
    expect(see([], at + 151_000, state).state.instances.size).toBe(0);
  });
});

describe('service time', () => {
  test('is measured over five minutes', () => {
    const { estimates } = see([pod('a', at, { rate: 10, serviceMs: 20, scv: 0.5 })]);
    if (estimates.service === 'unknown') throw new Error('it is known');
    expect(estimates.service.meanSeconds).toBeCloseTo(0.02, 9);
    expect(estimates.service.scv).toBeCloseTo(0.5, 9);
  });

  test('is unknown until a request was completed', () => {
    expect(see([pod('a', at, { rate: 0 })]).estimates.service).toBe('unknown');
  });

  test('with fewer than 30 completions has the cautious spread of an exponential', () => {
    const { estimates } = see([pod('a', at, { rate: 1, uptimeSeconds: 10, scv: 0.1 })]);
    expect(estimates).toMatchObject({ serviceSamples: 10, service: { scv: 1 } });
  });

  test('is remembered through a pause', () => {
    const busy = see([pod('a', at, { rate: 10, serviceMs: 20 })]);
    const later = at + 600_000;
    const { estimates } = see([pod('a', later, { rate: 0, uptimeSeconds: 700 })], later, busy.state);
    expect(estimates).toMatchObject({ serviceSamples: 0, service: { meanSeconds: 0.02 } });
  });
});

describe('dispersion', () => {
  const stateWith = (counts: (second: number) => number) => {
    const observed = pod('a', at, { rate: 0, uptimeSeconds: 120 });
    if (observed.reading === 'unknown') throw new Error('a reading was built');
    const { report } = observed.reading;
    const seconds = reportOf({ rate: 0, uptimeSeconds: 120 }).seconds.map((second, index) => ({
      ...second,
      arrivals: counts(index),
    }));
    return absorb(
      initialState,
      [{ ...observed, reading: { ...observed.reading, report: { ...report, seconds } } }],
      at,
    ).state.ring;
  };

  test('of an even stream is 0, of a bursty one large', () => {
    expect(
      dispersion(
        stateWith(() => 50),
        at / 1_000,
      ),
    ).toBeCloseTo(0, 9);
    expect(
      dispersion(
        stateWith((second) => (second % 8 < 2 ? 200 : 0)),
        at / 1_000,
      ),
    ).toBeGreaterThan(20);
  });

  test('a change of level is not burstiness', () => {
    expect(
      dispersion(
        stateWith((second) => (second < 60 ? 5 : 150)),
        at / 1_000,
      ),
    ).toBeLessThan(1);
  });

  test('is not told from a handful of arrivals', () => {
    expect(
      dispersion(
        stateWith((second) => (second % 30 === 0 ? 1 : 0)),
        at / 1_000,
      ),
    ).toBeUndefined();
  });
});
