import { describe, expect, test } from '@jest/globals';
import { decide, initialState } from './decide.ts';
import { input, observation, pod, pods, silentPod } from './testing/build.ts';
import type { Observation, ScalingInput, ScalingState } from './types.ts';

const at = 1_000_000;

/** State of a deployment that has run `replicas` under `observe(nowMs)` for `seconds`, ending at `at`. */
function settled(
  replicas: number,
  observe: (nowMs: number) => Observation,
  spec: ScalingInput = input(),
  seconds = 90,
): ScalingState {
  let state: ScalingState = { ...initialState, replicas };
  for (let second = seconds; second > 0; second -= 1)
    state = { ...decide(state, observe(at - second * 1_000), spec, at - second * 1_000).next, replicas };
  return state;
}

describe('modes in which Ballast does not choose', () => {
  test.each([
    [{ mode: 'Fixed', fixedReplicas: 7 }, 7, 'Fixed'],
    [{ mode: 'External', fixedReplicas: 0 }, 0, 'External'],
    [{ mode: 'SLA', suspended: true }, 0, 'Suspended'],
    [{ mode: 'Fixed', fixedReplicas: 7, suspended: true }, 0, 'Suspended'],
  ] as const)('%j runs %d because of %s', (changes, replicas, reason) => {
    const decision = decide(initialState, observation(pods(3, at, 500)), input(changes), at);
    expect(decision).toMatchObject({ replicas, why: { reason, limited: undefined }, next: { replicas } });
  });

  test('the service time is remembered until SLA mode comes back', () => {
    const { next } = decide(initialState, observation(pods(1, at, 20)), input(), at);
    expect(decide(next, observation([]), input({ suspended: true }), at).next.service).toEqual(next.service);
  });
});

describe('the count', () => {
  test('is what the latency promise needs, at once, with its arithmetic', () => {
    const { replicas, why } = decide(initialState, observation(pods(1, at, 118)), input(), at);
    expect(replicas).toBe(3);
    expect(why.reason).toBe('Latency');
    expect(why.sentence).toMatch(
      /^118 req\/s × 12ms = 1\.42 busy replicas; p95 ≤ 50ms needs 3 \(predicted p95 [\d.]+ms at 3, [\d.]+ms at 2\)$/,
    );
    expect(why.inputs).toMatchObject({
      currentReplicas: 1,
      needed: 3,
      arrivalRate60s: 118,
      plannedRate: 118,
      serviceSamples: 11_800,
      queueLength: 0,
      readyPods: 1,
      freshPods: 1,
      p95TargetMs: 50,
    });
    expect(Object.keys(why.inputs).length).toBeLessThanOrEqual(32);
  });

  test.each([
    {
      name: 'request rate',
      spec: input({ requestsPerSecondPerReplica: 20, latency: [] }),
      to: 6,
      reason: 'RequestRate',
    },
    { name: 'utilisation', spec: input({ latency: [] }), to: 2, reason: 'Utilisation' },
    { name: 'minimum', spec: input({ minReplicas: 5 }), to: 5, reason: 'Minimum' },
    { name: 'maximum', spec: input({ maxReplicas: 2 }), to: 2, reason: 'Maximum' },
  ])('$name decides: $to', ({ spec, to, reason }) => {
    const { replicas, why } = decide(initialState, observation(pods(1, at, 118)), spec, at);
    expect({ replicas, reason: why.reason }).toEqual({ replicas: to, reason });
  });

  test('at maxReplicas says how many would be needed and what to do', () => {
    const { why } = decide(initialState, observation(pods(2, at, 118)), input({ maxReplicas: 2 }), at);
    expect(why.needed).toBe(3);
    expect(why.limited?.reason).toBe('AtMaximum');
    expect(why.limited?.sentence).toContain('raise scaling.maxReplicas to 3');
  });

  test('a promise shorter than the model’s own time is said, and sized by how busy the pods are', () => {
    const spec = input({ latency: [{ percentile: 'p95', targetMs: 5 }] });
    const { replicas, why } = decide(initialState, observation(pods(1, at, 100)), spec, at);
    expect(replicas).toBe(2);
    expect(why.reason).toBe('Utilisation');
    expect(why.limited?.reason).toBe('SLAInfeasible');
    expect(why.limited?.sentence).toMatch(
      /^p95 ≤ 5ms cannot be kept .* the model alone takes \d+(\.\d+)?ms at p95$/,
    );
  });

  test('a rate at the very limit of requestsPerSecondPerReplica needs no more', () => {
    const spec = input({ requestsPerSecondPerReplica: 50, latency: [] });
    expect(decide(initialState, observation(pods(2, at, 100)), spec, at).replicas).toBe(2);
    expect(decide(initialState, observation(pods(2, at, 104)), spec, at).replicas).toBe(3);
  });

  test('a queue that makes requests late asks for pods to work it off, at most twice what serves', () => {
    const calm = decide(initialState, observation(pods(2, at, 40)), input(), at);
    const queued = decide(initialState, observation(pods(2, at, 40, { queueLength: 150 })), input(), at);
    const flooded = decide(initialState, observation(pods(2, at, 40, { queueLength: 1e6 })), input(), at);
    expect(calm.replicas).toBe(2);
    expect(queued).toMatchObject({ replicas: 3, why: { reason: 'Backlog' } });
    expect(queued.why.sentence).toContain('300 requests wait 1.80s, more than half of 50ms');
    expect(flooded.replicas).toBe(4);
  });

  test('pods that start count: the same need asks for nothing more', () => {
    const first = decide(initialState, observation(pods(1, at, 118)), input(), at);
    const starting = observation([pod('pod-0', at + 1_000, { rate: 118, uptimeSeconds: 101 })], {
      replicas: 3,
      startingReplicas: 2,
    });
    expect(decide(first.next, starting, input(), at + 1_000).replicas).toBe(3);
  });
});

describe('ups that do not help are not asked for', () => {
  test('new pods crash', () => {
    const seen = observation(pods(2, at, 200), { replicas: 3, crashingReplicas: 1 });
    const { replicas, why } = decide(initialState, seen, input(), at);
    expect(replicas).toBe(3);
    expect(why.reason).toBe('HoldCrashing');
    expect(why.sentence).toContain('1 pod crashes again and again: 3 kept');
  });

  test('one crashing pod of many does not stop the others’ scaling', () => {
    const seen = observation(pods(9, at, 800), { replicas: 10, crashingReplicas: 1 });
    expect(decide(initialState, seen, input(), at).replicas).toBeGreaterThan(10);
  });

  test('the cluster has no room', () => {
    const seen = observation(pods(2, at, 200), { replicas: 4, blockedReplicas: 2 });
    const { replicas, why } = decide(initialState, seen, input(), at);
    expect(replicas).toBe(4);
    expect(why.reason).toBe('HoldBlocked');
  });
});

describe('the way down', () => {
  const calm = (nowMs: number) =>
    observation(pods(8, nowMs, 8, { uptimeSeconds: 100 + (nowMs - at) / 1_000 }));

  /** Counts of a minute in which so many requests a second arrive, after one in which eight replicas were wanted. */
  const minuteAt = (rate: number) => {
    const seen = (nowMs: number) =>
      observation(pods(8, nowMs, rate, { uptimeSeconds: 100 + (nowMs - at) / 1_000 }));
    let state = settled(8, seen);
    return Array.from({ length: 60 }, (_, second) => {
      const nowMs = at + second * 1_000;
      const decision = decide(state, seen(nowMs), input(), nowMs);
      state = decision.next;
      return decision.replicas;
    });
  };
  const steps = (counts: readonly number[]) => counts.filter((count, index) => count !== counts[index - 1]);

  test('goes by a quarter each ten seconds, to what the last minutes needed', () => {
    const counts = minuteAt(180);
    expect(steps(counts)).toEqual([6, 5]);
    expect(counts.lastIndexOf(6)).toBe(9);
  });

  test('goes by half each five seconds at the end of a burst, and the last few one by one', () => {
    const counts = minuteAt(8);
    expect(steps(counts)).toEqual([4, 3, 2, 1]);
    expect(counts.slice(0, 11)).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3]);
  });

  const blocked: [string, Partial<Omit<Observation, 'pods'>>, (seen: Observation) => Observation, string][] =
    [
      ['a rollout', { rolloutInProgress: true }, (seen) => seen, 'a rollout is in progress'],
      [
        'one pod of eight without fresh figures',
        {},
        (seen) => ({ ...seen, pods: [...seen.pods.slice(1), silentPod('pod-0')] }),
        'only 7 of 8 ready pods gave fresh figures',
      ],
    ];
  test.each(blocked)('waits for %s', (_name, facts, change, words) => {
    const state = settled(8, calm);
    const { replicas, why } = decide(state, change({ ...calm(at), ...facts }), input(), at);
    expect(replicas).toBe(8);
    expect(why.reason).toBe('HoldDown');
    expect(why.sentence).toContain(words);
  });

  test('waits until there is a minute of history', () => {
    const young = observation(pods(8, at, 8, { uptimeSeconds: 40 }));
    const state: ScalingState = { ...initialState, replicas: 8, freshSinceMs: 0 };
    expect(decide(state, young, input(), at).why.sentence).toContain('only 40s of history, 60s are needed');
  });

  test('after a restart of the operator looks back as far as ever: what ran then was wanted', () => {
    let state: ScalingState = initialState;
    let firstDown = -1;
    for (let second = 0; second < 200 && firstDown < 0; second += 1) {
      const nowMs = at + second * 1_000;
      const decision = decide(state, calm(nowMs), input(), nowMs);
      state = decision.next;
      if (decision.replicas < 8) firstDown = second;
    }
    expect(firstDown).toBe(60);
  });

  test('lowering maxReplicas is the user’s word and holds at once', () => {
    const decision = decide({ ...initialState, replicas: 8 }, calm(at), input({ maxReplicas: 3 }), at);
    expect(decision.replicas).toBe(3);
  });
});

describe('with nothing known', () => {
  test('a new deployment starts with minReplicas', () => {
    const decision = decide(initialState, observation([]), input({ minReplicas: 2 }), at);
    expect(decision).toMatchObject({ replicas: 2, why: { reason: 'Minimum', needed: 'unknown' } });
    expect(decision.why.sentence).toBe('nothing runs yet: starts with 2 replicas');
  });

  test('what runs is kept', () => {
    const decision = decide(
      initialState,
      observation([silentPod('a'), silentPod('b'), silentPod('c')]),
      input(),
      at,
    );
    expect(decision).toMatchObject({ replicas: 3, why: { reason: 'HoldUnknown', freshness: 'none' } });
    expect(decision.why.sentence).toBe('none of 3 ready pods gave fresh figures: 3 kept');
    expect(decision.why.inputs).toMatchObject({
      arrivalRate10s: 'unknown',
      serviceMs: 'unknown',
      queueLength: 'unknown',
    });
  });

  test('before the caches have synced, the pods that are seen are the least that is asked for', () => {
    const seen = observation([silentPod('a'), silentPod('b')], { replicas: 'unknown' });
    expect(decide(initialState, seen, input(), at).replicas).toBe(2);
  });

  test('pods that all start are waited for', () => {
    const seen = observation([silentPod('a', false)], { startingReplicas: 1 });
    expect(decide(initialState, seen, input(), at).why.sentence).toBe('no pod is ready yet: 1 kept');
  });
});

test('is pure: neither state nor observation is changed', () => {
  const state = settled(3, (nowMs) =>
    observation(pods(3, nowMs, 60, { uptimeSeconds: 100 + (nowMs - at) / 1_000 })),
  );
  const before = structuredClone(state);
  const seen = observation(pods(3, at, 90));
  const copy = structuredClone(seen);
  const first = decide(state, seen, input(), at);
  const second = decide(state, seen, input(), at);
  expect(state).toEqual(before);
  expect(seen).toEqual(copy);
  expect(second).toEqual(first);
});
