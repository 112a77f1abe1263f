/** `Auto`: chosen once, from what was measured of the revision that serves, and kept until there is a reason. */
import { describe, expect, test } from '@jest/globals';
import type { TrafficChoice } from '../../../crds/status.ts';
import type { Known } from '../scaling/types.ts';
import type { ScalingReading } from '../snapshot.ts';
import { makeDeployment, makeSnapshot, type SpecPart, startMs } from '../testing/builders.ts';
import { type AutoFacts, autoWay, choiceBasis, cpusWeighed, isMeasured, measuredTurn } from './auto.ts';
import { wantsGateway } from './path.ts';

const tight: SpecPart = { sla: { window: '5m', latency: { p99: '94ms' } }, scaling: { maxReplicas: 16 } };
const measured = (serviceMs: Known<number>, serviceSamples = 500, serviceScv = 0.25): ScalingReading => ({
  replicas: 1,
  lastChange: undefined,
  why: {
    reason: 'Minimum',
    sentence: '',
    inputs: { serviceMs, serviceScv, serviceSamples, slotsPerReplica: 1 },
    freshness: 'ok',
    needed: 1,
    limited: undefined,
  },
});
const first: AutoFacts = {
  isValid: true,
  stable: 'aaa',
  isRollingOut: false,
  rollouts: 1,
  finishedAtMs: startMs - 1_000,
};
const second: AutoFacts = { ...first, stable: 'bbb', rollouts: 2 };
const chosen = (path: 'Gateway' | 'Direct', part: Partial<TrafficChoice> = {}): TrafficChoice => ({
  path,
  revision: 'aaa',
  basis: choiceBasis(makeDeployment(tight)),
  serviceTime: '20ms',
  time: '2026-01-01T11:00:00Z',
  message: 'as it was then',
  ...part,
});
const deploymentWith = (spec: SpecPart, choice?: TrafficChoice) =>
  makeDeployment(spec, {
    status: {
      traffic: {
        path: 'Direct',
        since: '2026-01-01T11:00:00Z',
        reason: 'Auto',
        message: '',
        ...(choice === undefined ? {} : { choice }),
      },
    },
  });
const way = (
  spec: SpecPart,
  scaling: Known<ScalingReading>,
  facts: AutoFacts = first,
  choice?: TrafficChoice,
  nowMs = startMs,
) => autoWay(makeSnapshot({ deployment: deploymentWith(spec, choice), scaling, nowMs }), facts);

describe('what is not measured', () => {
  test.each([
    ['scale to zero', { scaling: { scaleToZero: {} } }, 'Gateway', /scaleToZero needs the gateway/],
    ['a fixed count', { ...tight, scaling: { mode: 'Fixed', replicas: 3 } }, 'Direct', /mode Fixed/],
    ['somebody else’s count', { ...tight, scaling: { mode: 'External' } }, 'Direct', /mode External/],
    ['one replica', { ...tight, scaling: { maxReplicas: 1 } }, 'Direct', /one replica at most/],
    ['no promise', { scaling: { maxReplicas: 9, requestsPerSecondPerReplica: 5 } }, 'Direct', /no latency/],
  ] as [string, SpecPart, string, RegExp][])('%s', (_, spec, path, why) => {
    const chosenWay = way(spec, measured(20));
    expect(chosenWay).toMatchObject({ path, why: expect.stringMatching(why), choice: undefined });
  });
});

describe('the choice', () => {
  test('is made when 100 requests of the first revision have been measured', () => {
    expect(way(tight, 'unknown')).toMatchObject({ path: 'Direct', choice: undefined });
    expect(way(tight, measured(20, 99))).toMatchObject({ path: 'Direct', choice: undefined });
    expect(way(tight, measured('unknown')).choice).toBeUndefined();
    const made = way(tight, measured(20, 100));
    expect(made).toMatchObject({
      path: 'Gateway',
      choice: {
        path: 'Gateway',
        revision: 'aaa',
        basis: 'p99 ≤ 94ms; up to 16 replicas',
        serviceTime: '20ms',
        time: '2026-01-01T12:00:00Z',
      },
    });
    expect(made.choice?.message).toBe(made.why);
    expect(way(tight, measured(0.02)).choice?.path).toBe('Direct');
  });

  test.each<[Known<number> | undefined, boolean]>([
    [undefined, false],
    ['unknown', false],
    [99, false],
    [100, true],
  ])('with %s requests measured can be made: %s', (serviceSamples, is) => {
    expect(isMeasured({ inputs: serviceSamples === undefined ? {} : { serviceSamples } })).toBe(is);
  });

  test('is not made while a rollout runs', () => {
    expect(way(tight, measured(20), { ...first, isRollingOut: true }).choice).toBeUndefined();
    expect(way(tight, measured(20), { ...first, stable: undefined }).choice).toBeUndefined();
  });

  test('is kept for its revision, whatever is measured later', () => {
    const direct = chosen('Direct');
    for (const ms of [0.01, 1, 20, 60]) {
      expect(way(tight, measured(ms), first, direct)).toEqual({
        path: 'Direct',
        why: 'as it was then',
        choice: direct,
      });
      expect(way(tight, measured(ms), first, chosen('Gateway')).path).toBe('Gateway');
    }
    expect(way(tight, 'unknown', first, direct).choice).toEqual(direct);
  });

  test('is made anew for the next revision, once all that is measured is its own', () => {
    const before = chosen('Gateway');
    const at = (ms: number) =>
      way(tight, measured(0.02), { ...second, finishedAtMs: startMs }, before, startMs + ms);
    expect(at(299_000).choice).toEqual(before);
    expect(at(300_000).choice).toMatchObject({ path: 'Direct', revision: 'bbb' });
    expect(way(tight, measured(0.02, 99), { ...second, finishedAtMs: 0 }, before).choice).toEqual(before);
  });

  describe('is made for a revision by its own service times', () => {
    const before = chosen('Gateway');
    const services = (samples: number, meanSeconds: number) => [
      { revision: 'aaa', samples: 90_000, meanSeconds: 0.02, scv: 0.25 },
      { revision: 'bbb', samples, meanSeconds, scv: 0.25 },
    ];
    const at = (
      samples: number,
      meanSeconds: number,
      part: Partial<AutoFacts> = {},
      hopCpuSeconds?: number,
    ) =>
      way(
        tight,
        { ...measured(20), way: { services: services(samples, meanSeconds), hopCpuSeconds } },
        { ...second, finishedAtMs: startMs, ...part },
        before,
        startMs + 1_000,
      );

    test('as soon as its rollout has ended, though all together are those of the one before', () => {
      expect(at(100, 20e-6).choice).toMatchObject({
        path: 'Direct',
        revision: 'bbb',
        serviceTime: '20µs',
      });
      expect(at(100, 0.02).choice).toMatchObject({ path: 'Gateway', revision: 'bbb', serviceTime: '20ms' });
    });

    test('not before a hundred of them, and not while the rollout runs', () => {
      expect(at(99, 20e-6).choice).toEqual(before);
      expect(at(100, 20e-6, { isRollingOut: true }).choice).toEqual(before);
    });

    test('and by what the hop has cost, where gateways have measured it', () => {
      // 64 ms of CPU for a request that takes a replica 20 ms.
      expect(at(100, 0.02, {}, 0.064).choice).toMatchObject({ path: 'Direct', revision: 'bbb' });
      expect(at(100, 0.02, {}, 64e-6).choice).toMatchObject({ path: 'Gateway', revision: 'bbb' });
    });

    test('and the fleet loop wakes it when the hundred are there', () => {
      const turn = (samples: number) =>
        measuredTurn(measured(20).why, { services: services(samples, 0.02), hopCpuSeconds: undefined });
      expect(turn(100)).toBe(turn(5_000));
      expect(turn(99)).not.toBe(turn(100));
    });
  });

  test('weighs as many gateway pods as the operator makes', () => {
    const { gatewayCpus } = cpusWeighed(undefined, {});
    expect(gatewayCpus).toBeCloseTo(0.2);
    expect(cpusWeighed(undefined, { gatewayPods: 5 }).gatewayCpus).toBeCloseTo(0.5);
  });

  test('is made anew when a person changes what it was made for', () => {
    const other = chosen('Direct', { basis: 'p99 ≤ 1s; up to 16 replicas' });
    expect(way(tight, measured(20), first, other).choice).toMatchObject({ path: 'Gateway' });
    expect(way(tight, 'unknown', first, other).choice).toEqual(other);
  });

  test('stands while the spec is invalid', () => {
    const spec = { sla: { latency: { p99: 'soon' } } } as SpecPart;
    expect(way(spec, measured(20), { ...first, isValid: false }, chosen('Gateway')).path).toBe('Gateway');
    expect(way(spec, measured(20), { ...first, isValid: false }).path).toBe('Direct');
  });

  test('asks for the gateway, where spec says nothing else', () => {
    const wants = (spec: SpecPart, choice?: TrafficChoice) => wantsGateway(deploymentWith(spec, choice));
    expect(wants(tight)).toBe(false);
    expect(wants(tight, chosen('Gateway'))).toBe(true);
    expect(wants(tight, chosen('Direct'))).toBe(false);
    expect(wants({ ...tight, traffic: { path: 'Direct' } }, chosen('Gateway'))).toBe(false);
    expect(wants({ ...tight, traffic: { path: 'Gateway' } }, chosen('Direct'))).toBe(true);
  });
});
