/** Probe and fleet loop together, with far more pods than may be asked often: what is not read must not look like less load. */
import { describe, expect, test } from '@jest/globals';
import type { LoadReport } from '../../crds/wire.ts';
import { HeldClock } from '../../kube/clock.ts';
import { report } from '../model/scaling/testing/build.ts';
import { createProbe } from '../probe/probe.ts';
import { createFleetLoop } from './fleet-loop.ts';

const podsEach = 10;
const owners = 5;
/** About what ten pods of 12 ms carry within 50 ms. */
const usual = 36;

/** A world of 50 pods that may be asked 10 times a second; `answer` gives a pod's rate by second, or `silent`. */
function world(answer: (owner: number, index: number, second: number) => number | 'silent') {
  const clock = new HeldClock();
  const deployments = Array.from({ length: owners }, (_, owner) => ({
    apiVersion: 'ballast.dev/v1alpha1' as const,
    kind: 'ModelDeployment' as const,
    metadata: { name: `m${owner}`, namespace: 'team', uid: `${owner}`, resourceVersion: '1', generation: 1 },
    spec: {
      model: { uri: 'file:///samples/wine/model.onnx' },
      sla: { latency: { p95: '50ms' as const }, window: '1m' },
      scaling: { mode: 'SLA' as const, replicas: 1, minReplicas: 1, maxReplicas: 100 },
    },
  }));
  const told = (name: string): LoadReport | undefined => {
    const [owner = 0, index = 0] = name.split('-').map(Number);
    const now = Math.floor(clock.monotonicMs() / 1_000);
    if (answer(owner, index, now) === 'silent') return undefined;
    const lived: number[] = [];
    for (let second = Math.max(0, now - 130); second < now; second += 1) {
      const rate = answer(owner, index, second);
      lived[second] = rate === 'silent' ? usual : rate;
    }
    const made = report({ rate: usual, uptimeSeconds: 200 + now, instance: name });
    const seconds = made.seconds.map((second) => ({
      ...second,
      arrivals: lived[second.endMs / 1_000 - 201] ?? usual,
    }));
    return { ...made, seconds };
  };
  const probe = createProbe({
    clock,
    random: Math.random,
    pullsPerSecond: 10,
    maxPullsPerSecond: 12,
    pull: async (origin) => {
      const answered = told(origin);
      return answered === undefined ? { failure: 'timeout', detail: 'none' } : { report: answered };
    },
  });
  const decided: number[][] = [];
  const loop = createFleetLoop({
    clock,
    deployments: () => deployments,
    facts: ({ metadata }) => ({
      replicas: loop.known(metadata.uid)?.replicas ?? podsEach,
      startingReplicas: 0,
      crashingReplicas: 0,
      blockedReplicas: 0,
      rolloutInProgress: false,
    }),
    readings: probe.readingsOf,
    hurry: probe.setHurried,
    enqueue: () => undefined,
  });
  probe.setTargets(
    deployments.flatMap(({ metadata: { name } }, owner) =>
      Array.from({ length: podsEach }, (_, index) => ({
        owner: `team/${name}`,
        pod: `${name}-${index}`,
        revision: 'r1',
        ready: true,
        origin: `${owner}-${index}`,
      })),
    ),
  );
  probe.start();
  loop.start();
  return {
    decided,
    async pass(seconds: number) {
      for (let passed = 0; passed < seconds * 10; passed += 1) {
        clock.advance(100);
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
        if (passed % 10 === 9)
          decided.push(deployments.map(({ metadata }) => loop.known(metadata.uid)?.replicas ?? 0));
      }
    },
    async end() {
      loop.stop();
      await probe.stop();
    },
  };
}

/** Deployments whose count fell at any time after `from`. */
const lowered = (decided: readonly (readonly number[])[], from: number): number[] =>
  Array.from({ length: owners }, (_, owner) => owner).filter((owner) =>
    decided.some((counts, at) => at > from && (counts[owner] ?? 0) < (decided[at - 1]?.[owner] ?? 0)),
  );

const from = 120;
describe('pods that are seldom asked', () => {
  test.each<[string, Parameters<typeof world>[0]]>([
    ['all fall silent', (owner, _, second) => (owner < 3 && second >= from ? 'silent' : usual)],
    [
      'a third of them falls silent',
      (owner, index, second) => (owner < 3 && index % 3 === 0 && second >= from ? 'silent' : usual),
    ],
  ])('%s: no count is lowered', async (_, answer) => {
    const { pass, decided, end } = world(answer);
    await pass(from);
    const before = decided.at(-1);
    await pass(60);
    await end();
    expect(lowered(decided, from)).toEqual([]);
    expect(
      decided
        .at(-1)
        ?.slice(0, 3)
        .every((count, owner) => count >= (before?.[owner] ?? 0)),
    ).toBe(true);
  });

  test('load that is really gone lowers the count, load that trebles raises it within three seconds, the first of which must have ended', async () => {
    const { pass, decided, end } = world((owner, _, second) => {
      if (second < from) return usual;
      return owner === 0 ? 3 * usual : owner === 1 ? 2 : usual;
    });
    await pass(from);
    const before = decided.at(-1) ?? [];
    await pass(3);
    expect(decided.at(-1)?.[0]).toBeGreaterThan(before[0] ?? 0);
    await pass(170);
    await end();
    expect(decided.at(-1)?.[1]).toBeLessThan(before[1] ?? 0);
    expect(decided.at(-1)?.[2]).toBeGreaterThanOrEqual((before[2] ?? 0) - 1);
  });
});
