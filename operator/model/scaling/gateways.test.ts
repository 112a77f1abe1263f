import { describe, expect, test } from '@jest/globals';
import { decide, initialState } from './decide.ts';
import { input, observation, pods, silentPod } from './testing/build.ts';
import { gateway } from './testing/gateway.ts';
import type { GatewayObservation, Observation, PodObservation, ScalingState } from './types.ts';

const at = 1_000_000;
const spec = input({ balancing: 'least-outstanding', maxReplicas: 100 });

interface Step {
  readonly gateways: readonly GatewayObservation[];
  readonly expectedGateways?: number;
  readonly pods: readonly PodObservation[];
}

/** Decides each second; what is asked for runs at once. */
function run(seconds: number, each: (nowMs: number, second: number, replicas: number) => Step, replicas = 6) {
  let state: ScalingState = initialState;
  let asked = replicas;
  const counts: number[] = [];
  let last: ReturnType<typeof decide> | undefined;
  for (let second = 0; second < seconds; second += 1) {
    const nowMs = at + second * 1_000;
    const { gateways, expectedGateways, pods: seen } = each(nowMs, second, asked);
    const observed: Observation = {
      ...observation(seen, { replicas: asked }),
      gateways,
      ...(expectedGateways === undefined ? {} : { expectedGateways }),
    };
    last = decide(state, observed, spec, nowMs);
    state = last.next;
    asked = last.replicas;
    counts.push(asked);
  }
  if (last === undefined) throw new Error('nothing was decided');
  return { counts, last, state };
}

const uptime = (second: number) => ({ uptimeSeconds: 100 + second });

describe('the offered load', () => {
  test('is what gateways were asked, not the part of it that reached the pods', () => {
    const { last } = run(20, (nowMs, second, replicas) => ({
      gateways: [gateway('g', nowMs, { rate: 400, ...uptime(second) })],
      pods: pods(replicas, nowMs, 60, uptime(second)),
    }));
    expect(last.why.inputs.arrivalRate10s).toBeCloseTo(400, 6);
    expect(last.why.inputs.serviceMs).toBeCloseTo(12, 6);
    expect(last.replicas).toBeGreaterThanOrEqual(6);
  });

  test('is the sum over all gateways', () => {
    const { last } = run(5, (nowMs, second, replicas) => ({
      gateways: ['a', 'b'].map((name) => gateway(name, nowMs, { rate: 100, ...uptime(second) })),
      pods: pods(replicas, nowMs, 200, uptime(second)),
    }));
    expect(last.why.inputs.arrivalRate60s).toBeCloseTo(200, 6);
  });

  test('what waits at the gateway asks for pods to work it off', () => {
    const { last } = run(1, (nowMs, second, replicas) => ({
      gateways: [gateway('g', nowMs, { rate: 100, queueLength: 2_000, ...uptime(second) })],
      pods: pods(replicas, nowMs, 100, uptime(second)),
    }));
    expect(last.why.reason).toBe('Backlog');
    expect(last.why.sentence).toMatch(/2000 requests wait/);
  });
});

describe('a burst', () => {
  const burst = (from: number, until: number) =>
    run(400, (nowMs, second, replicas) => {
      const rate = (end: number) => (end - 100 >= from && end - 100 < until ? 900 : 150);
      return {
        gateways: [gateway('g', nowMs, { rate, arrivals: 1_000 * (second + 1), ...uptime(second) })],
        pods: pods(replicas, nowMs, rate(100 + second), uptime(second)),
      };
    });

  test('is answered within three seconds, and with more than it needs, which is given back', () => {
    const { counts } = burst(30, 1_000);
    const settled = counts.at(-1) ?? 0;
    const peak = Math.max(...counts);
    expect(counts[29]).toBeLessThan(8);
    expect(counts[33]).toBeGreaterThan(1.2 * settled);
    expect(peak).toBeGreaterThan(settled);
    expect(peak).toBeLessThan(2.5 * settled);
  });

  test('that ends is followed by the way down, once', () => {
    const { counts } = burst(30, 40);
    expect(counts.at(-1)).toBeLessThan(Math.max(...counts) / 2);
    const lowered = counts.findIndex((count, second) => second > 40 && count < (counts[second - 1] ?? 0));
    expect(counts.slice(lowered).every((count, index, all) => count <= (all[index - 1] ?? count))).toBe(true);
  });
});

describe('gateways that do not tell', () => {
  const steady = 30;
  /** 240 requests a second until the fault, a tenth of it after: only a believed fall lowers the count. */
  const fault = (what: (nowMs: number, second: number) => readonly GatewayObservation[], heard = true) =>
    run(
      200,
      (nowMs, second, replicas) => ({
        gateways:
          second < steady
            ? ['a', 'b'].map((name) => gateway(name, nowMs, { rate: 120, ...uptime(second) }))
            : what(nowMs, second),
        expectedGateways: 2,
        pods: heard
          ? pods(replicas, nowMs, second < steady ? 240 : 24, {
              ...uptime(second),
              counters: { arrivals: 1_000 * (second + 1) },
            })
          : Array.from({ length: replicas }, (_, index) => silentPod(`pod-${index}`)),
      }),
      4,
    );
  const old = (nowMs: number, second: number) =>
    ['a', 'b'].map((name) =>
      gateway(name, nowMs, {
        rate: 120,
        uptimeSeconds: 99 + steady,
        ageMs: (second - steady + 1) * 1_000,
      }),
    );
  const least = ({ counts }: { counts: number[] }) => Math.min(...counts.slice(steady));

  test('one of two silent: no decrease, and no rise for what it told before', () => {
    const outcome = fault((nowMs, second) => [
      gateway('a', nowMs, { rate: 12, arrivals: 1e6, ...uptime(second) }),
    ]);
    expect(least(outcome)).toBeGreaterThanOrEqual(outcome.counts[steady - 1] ?? 0);
    expect(Math.max(...outcome.counts)).toBeLessThanOrEqual((outcome.counts[steady - 1] ?? 0) + 1);
    expect(outcome.last.why.freshness).toBe('partial');
  });

  test('all stale and pods silent too: what ran is kept', () => {
    const outcome = fault(old, false);
    expect(least(outcome)).toBeGreaterThanOrEqual(outcome.counts[steady - 1] ?? 0);
    expect(outcome.last.why.reason).toBe('HoldUnknown');
  });

  test('a counter that went back, or is no number, is refused', () => {
    for (const arrivals of [3, Number.NaN]) {
      const outcome = fault(
        (nowMs, second) =>
          ['a', 'b'].map((name) => gateway(name, nowMs, { rate: 1, arrivals, ...uptime(second) })),
        false,
      );
      expect(outcome.state.rejectedReadings).toBeGreaterThan(0);
      expect(least(outcome)).toBeGreaterThanOrEqual(outcome.counts[steady - 1] ?? 0);
    }
  });

  test('a restarted gateway is another process: its first seconds say nothing of less load', () => {
    const outcome = fault((nowMs, second) =>
      ['a', 'b'].map((name) =>
        gateway(name, nowMs, { rate: 120, instance: `${name}2`, uptimeSeconds: second - steady + 0.5 }),
      ),
    );
    expect(least(outcome)).toBeGreaterThanOrEqual((outcome.counts[steady - 1] ?? 0) - 1);
  });

  test('all fresh and the load really gone: then it falls', () => {
    const outcome = fault((nowMs, second) =>
      ['a', 'b'].map((name) =>
        gateway(name, nowMs, {
          rate: (end) => (end <= 100 + steady ? 120 : 12),
          arrivals: 1e6,
          ...uptime(second),
        }),
      ),
    );
    expect(outcome.last.replicas).toBeLessThan(outcome.counts[steady - 1] ?? 0);
  });
});
