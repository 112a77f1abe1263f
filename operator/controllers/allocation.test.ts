/** A cluster without room, as the fleet loop meets it: who gives, how much, and when it is given back. */
import { describe, expect, test } from '@jest/globals';
import type { ModelDeployment } from '../../crds/types.ts';
import { HeldClock } from '../../kube/clock.ts';
import { pod } from '../model/scaling/testing/build.ts';
import { standingOf } from './allocation.ts';
import { createFleetLoop } from './fleet-loop.ts';

const deployment = (name: string, scaling = {}, runtime = {}): ModelDeployment => ({
  apiVersion: 'ballast.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name, namespace: 'team', uid: `uid-${name}`, resourceVersion: '1', generation: 1 },
  spec: {
    model: { uri: 'file:///samples/wine/model.onnx' },
    scaling: { mode: 'SLA', replicas: 1, minReplicas: 1, maxReplicas: 9, ...scaling },
    sla: { latency: { p95: '50ms' }, window: '5m' },
    runtime,
  },
});

/** A cluster with 8 places. Each has traffic for some 5 replicas; `first` came first and holds its places. */
function fullCluster(
  first: ModelDeployment,
  second: ModelDeployment,
  /** Factor of the traffic of a deployment in a second. */
  noise: (() => number) | undefined = undefined,
) {
  const clock = new HeldClock();
  const startMs = 1_000_000;
  clock.advance(startMs);
  let places = 8;
  const placed = new Map([
    [first.metadata.name, 5],
    [second.metadata.name, 3],
  ]);
  const asked = new Map(placed);
  const rate = 250;
  /** What each pod has answered, second by second, where traffic is noisy. */
  const histories = new Map<string, number[]>();
  const loop = createFleetLoop({
    clock,
    deployments: () => [first, second],
    facts: ({ metadata: { name } }) => ({
      replicas: asked.get(name) ?? 0,
      startingReplicas: 0,
      crashingReplicas: 0,
      blockedReplicas: (asked.get(name) ?? 0) - (placed.get(name) ?? 0),
      rolloutInProgress: false,
    }),
    readings(key) {
      const name = key.slice(5);
      const nowMs = clock.monotonicMs();
      const count = placed.get(name) ?? 0;
      if (noise !== undefined)
        return Array.from({ length: count }, (_, index) => noisy(`${name}-${index}`, nowMs));
      return Array.from({ length: count }, (_, index) =>
        pod(`${name}-${index}`, nowMs, {
          rate: rate / count,
          uptimeSeconds: 100 + (nowMs - startMs) / 1_000,
        }),
      );
    },
    enqueue: () => undefined,
  });
  const decided = (one: ModelDeployment) => loop.decisionFor(one);
  const noisy = (name: string, nowMs: number) => {
    const history = histories.get(name) ?? [];
    const arrivals = history.reduce((sum, one) => sum + one, 0);
    const made = pod(name, nowMs, { rate: 1, uptimeSeconds: history.length, counters: { arrivals } });
    if (made.reading === 'unknown') return made;
    const kept = history.slice(-120);
    const seconds = kept.map((count, index) => {
      const mean = 0.012;
      return {
        endMs: (history.length - kept.length + index + 1) * 1_000,
        arrivals: count,
        completions: count,
        busySeconds: Math.min(1, count * mean),
        serviceCount: count,
        serviceSumSeconds: count * mean,
        serviceSumSquares: count * mean * mean * 1.1,
      };
    });
    return { ...made, reading: { ...made.reading, report: { ...made.reading.report, seconds } } };
  };
  /** A second's traffic, shared evenly by the pods that have a place. */
  const answer = () => {
    for (const [name, count] of placed) {
      const total = rate * (noise?.() ?? 1);
      for (let index = 0; index < count; index += 1) {
        const key = `${name}-${index}`;
        histories.set(key, [...(histories.get(key) ?? []), Math.round(total / count)]);
      }
      for (const key of histories.keys())
        if (key.startsWith(`${name}-`) && Number(key.slice(name.length + 1)) >= count) histories.delete(key);
    }
  };
  /** Seconds pass: what was decided is asked for, who asks for less goes, who waits gets what is free. */
  const run = (seconds: number, each?: () => void) => {
    for (let passed = 0; passed < seconds; passed += 1) {
      if (noise !== undefined) answer();
      clock.advance(1_000);
      loop.round();
      for (const one of [first, second]) asked.set(one.metadata.name, decided(one)?.replicas ?? 1);
      for (const [name, count] of asked) placed.set(name, Math.min(count, placed.get(name) ?? 0));
      for (const [name, count] of asked) {
        const free = places - [...placed.values()].reduce((sum, one) => sum + one, 0);
        placed.set(name, Math.min(count, (placed.get(name) ?? 0) + Math.max(0, free)));
      }
      each?.();
    }
  };
  return {
    run,
    asked,
    placed,
    decided,
    grow: (by: number) => {
      places += by;
    },
  };
}

describe('a full cluster', () => {
  test('the deployment with the priority takes replicas of the other, not below its minimum, and says why', () => {
    const low = deployment('low', { minReplicas: 2 });
    const high = deployment('high', { priority: 20 });
    const { run, placed, decided } = fullCluster(low, high);
    const least: number[] = [];
    const words = new Set<string>();
    run(160, () => {
      least.push(placed.get('low') ?? 0);
      const why = decided(low)?.why;
      if (why?.reason === 'Yielded') words.add(why.sentence);
    });
    expect(Math.min(...least)).toBeGreaterThanOrEqual(2);
    expect(placed.get('high')).toBeGreaterThanOrEqual(5);
    expect((placed.get('high') ?? 0) + (placed.get('low') ?? 0)).toBe(8);
    expect([...words][0]).toMatch(
      /^\d are needed, but the cluster is full, and \d replicas? keeps? more promises in high \(scaling.priority 20, here 1\): \d stays?\. /,
    );
  });

  test.each([3, 20])(
    'with noisy traffic and priority %i no replica goes to and fro in ten minutes',
    (priority) => {
      let state = priority;
      const random = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      // Twelve uniform numbers make a nearly normal one: a fifth of the traffic, more than Poisson's sixteenth.
      const noise = () =>
        Math.max(0, 1 + 0.2 * (Array.from({ length: 12 }, random).reduce((a, b) => a + b) - 6));
      const low = deployment('low');
      const { run, placed } = fullCluster(low, deployment('high', { priority }), noise);
      const counts: number[] = [];
      run(600, () => void counts.push(placed.get('low') ?? 0));
      const moves = counts.flatMap((count, index) => {
        const by = count - (counts[index - 1] ?? count);
        return by === 0 ? [] : [Math.sign(by)];
      });
      const turns = moves.filter((sign, index) => index > 0 && sign !== moves[index - 1]).length;
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
      expect(turns).toBeLessThanOrEqual(1);
      // The other way round nothing is left lying: all places are used.
      expect((placed.get('low') ?? 0) + (placed.get('high') ?? 0)).toBe(8);
    },
  );

  test('equals leave each other alone', () => {
    const one = deployment('one');
    const { run, placed } = fullCluster(one, deployment('two'));
    run(140);
    expect(placed.get('one')).toBeGreaterThanOrEqual(4);
  });

  test('with new nodes both get what they need', () => {
    const low = deployment('low');
    const { run, asked, placed, grow, decided } = fullCluster(low, deployment('high', { priority: 20 }));
    run(140);
    grow(20);
    run(140);
    expect(Object.fromEntries(placed)).toEqual(Object.fromEntries(asked));
    expect(decided(low)?.why.reason).not.toBe('Yielded');
    expect(placed.get('low')).toBeGreaterThanOrEqual(5);
  });
});

test('deployments on other nodes are no rivals; the larger pod is told by what it asks for', () => {
  const plain = standingOf(deployment('a', {}, { resources: { requests: { cpu: '500m', memory: '1Gi' } } }));
  const apart = standingOf(deployment('b', { priority: 3 }, { pod: { nodeSelector: { disk: 'ssd' } } }));
  expect(plain).toMatchObject({ key: 'team/a', weight: 1, cost: 0.5, asks: { cpu: 0.5, memory: 2 ** 30 } });
  expect(apart).toMatchObject({ weight: 3, cost: 1, asks: {} });
  expect(apart.pool).not.toBe(plain.pool);
});
