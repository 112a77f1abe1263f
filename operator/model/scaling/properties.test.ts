/** What holds for every input: fast-check looks for one that breaks it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, initialState } from './decide.ts';
import { input, observation, pod, silentPod } from './testing/build.ts';
import type { Observation, PodObservation, ScalingInput, ScalingState } from './types.ts';
import { percentiles } from './types.ts';

const at = 1_000_000;

const anyPod = fc.record({
  rate: fc.integer({ min: 0, max: 500 }),
  serviceMs: fc.double({ min: 0.01, max: 2_000, noNaN: true }),
  scv: fc.double({ min: 0, max: 20, noNaN: true }),
  uptimeSeconds: fc.integer({ min: 0, max: 300 }),
  queueLength: fc.integer({ min: 0, max: 10_000 }),
  parallelism: fc.integer({ min: 1, max: 8 }),
  heard: fc.boolean(),
  ready: fc.boolean(),
  ageMs: fc.integer({ min: 0, max: 20_000 }),
});

const anyObservation: fc.Arbitrary<Observation> = fc
  .record({
    pods: fc.array(anyPod, { maxLength: 6 }),
    replicas: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: 'unknown' as const }),
    startingReplicas: fc.integer({ min: 0, max: 20 }),
    crashingReplicas: fc.integer({ min: 0, max: 5 }),
    blockedReplicas: fc.integer({ min: 0, max: 5 }),
    rolloutInProgress: fc.boolean(),
  })
  .map(({ pods, ...facts }) => ({
    ...facts,
    pods: pods.map(
      ({ heard, ready, ageMs, ...load }, index): PodObservation =>
        heard ? pod(`pod-${index}`, at, load, { ready, ageMs }) : silentPod(`pod-${index}`, ready),
    ),
  }));

const anyInput: fc.Arbitrary<ScalingInput> = fc
  .record({
    least: fc.integer({ min: 1, max: 20 }),
    more: fc.integer({ min: 0, max: 980 }),
    targets: fc.subarray([...percentiles]),
    targetMs: fc.integer({ min: 1, max: 5_000 }),
    perReplica: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
    balancing: fc.constantFrom('random' as const, 'least-outstanding' as const),
  })
  .map(({ least, more, targets, targetMs, perReplica, balancing }) =>
    input({
      minReplicas: least,
      maxReplicas: least + more,
      latency: targets.map((percentile, index) => ({ percentile, targetMs: targetMs * (index + 1) })),
      requestsPerSecondPerReplica: perReplica,
      balancing,
    }),
  );

/** Eight pods at rest and a state in which a decrease is allowed. */
const atRest: ScalingState = { ...initialState, replicas: 8, freshSinceMs: 0 };

describe('decide', () => {
  test('is a whole number within the limits, with figures that are figures', () => {
    fc.assert(
      fc.property(
        anyObservation,
        anyInput,
        fc.option(fc.integer({ min: 0, max: 1_000 })),
        (seen, spec, before) => {
          const state = before === null ? initialState : { ...initialState, replicas: before };
          const { replicas, why, next } = decide(state, seen, spec, at);
          expect(Number.isInteger(replicas)).toBe(true);
          expect(replicas).toBeGreaterThanOrEqual(spec.minReplicas);
          expect(replicas).toBeLessThanOrEqual(spec.maxReplicas);
          for (const value of Object.values(why.inputs))
            expect(value === 'unknown' || (Number.isFinite(value) && value >= 0)).toBe(true);
          expect(why.sentence).not.toMatch(/NaN|undefined|Infinity/);
          expect(next.replicas).toBe(replicas);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('missing data never lowers the count', () => {
    fc.assert(
      fc.property(fc.array(anyPod, { minLength: 1, maxLength: 8 }), fc.nat({ max: 7 }), (loads, silent) => {
        const heard = loads.map((load, index) => pod(`pod-${index}`, at, load, { ready: true, ageMs: 0 }));
        const lost = heard.map((one, index) => (index === silent % heard.length ? silentPod(one.pod) : one));
        const { replicas } = decide(atRest, observation(lost, { replicas: 8 }), input(), at);
        expect(replicas).toBeGreaterThanOrEqual(8);
      }),
      { numRuns: 300 },
    );
  });

  test('more arrivals never mean fewer replicas', () => {
    fc.assert(
      fc.property(
        fc.array(anyPod, { minLength: 1, maxLength: 6 }),
        anyInput,
        fc.integer({ min: 1, max: 6 }),
        (loads, spec, factor) => {
          const seen = (times: number) =>
            observation(
              loads.map((load, index) =>
                pod(`pod-${index}`, at, { ...load, uptimeSeconds: 100, rate: load.rate * times }),
              ),
            );
          const less = decide(atRest, seen(1), spec, at).replicas;
          expect(decide(atRest, seen(factor), spec, at).replicas).toBeGreaterThanOrEqual(less);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a stale reading counts as none', () => {
    fc.assert(
      fc.property(anyPod, anyInput, (load, spec) => {
        const stale = decide(atRest, observation([pod('a', at, load, { ageMs: 30_000 })]), spec, at);
        expect(stale.why.freshness).toBe('none');
        expect(stale.why.needed).toBe('unknown');
      }),
      { numRuns: 100 },
    );
  });
});
