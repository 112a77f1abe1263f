/** A rollout to a slower or a faster revision, second by second: what it needs is told by its own service time. */
import { describe, expect, test } from '@jest/globals';
import { decide, initialState } from './decide.ts';
import { input, observation, pod } from './testing/build.ts';
import { gateway, routedTo } from './testing/gateway.ts';
import type { Decision, GatewayObservation, Observation, ScalingState } from './types.ts';

const startMs = 1_000_000;
const rate = 400;
/** The new revision's first pod serves, and the old one's last pod is gone. */
const [begins, ends, lasts] = [120, 180, 480];

interface Rollout {
  readonly oldMs: number;
  readonly newMs: number;
  readonly balancing: 'random' | 'least-outstanding';
  /** Share of the new revision from its first second to the old one's last, where it does not grow evenly. */
  readonly share?: number;
}

/** What the gateway tells: all of the load, and how much of it the route gives to each. */
function gatewayOf(second: number, nowMs: number, newShare: number, serviceMs: number): GatewayObservation {
  const told = gateway('a', nowMs, {
    rate,
    uptimeSeconds: 100 + second,
    arrivals: rate * (100 + second),
    serviceMs,
  });
  return routedTo(told, newShare);
}

/** Decides each second; what is asked for runs in the next. `ofOne`: the new revision has been there all along. */
function follow({ oldMs, newMs, balancing, share }: Rollout, ofOne = false): readonly Decision[] {
  const spec = input({ balancing, maxReplicas: 200, latency: [{ percentile: 'p95', targetMs: 150 }] });
  const born = new Map<string, number>();
  let state: ScalingState = initialState;
  let asked = 10;
  const decisions: Decision[] = [];
  for (let second = 0; second < lasts; second += 1) {
    const nowMs = startMs + 1_000 * second;
    const grown = Math.min(1, Math.max(0, (second - begins + 1) / (ends - begins)));
    const newShare = ofOne || second >= ends ? 1 : grown === 0 ? 0 : (share ?? grown);
    const young =
      newShare === 1
        ? asked
        : newShare === 0
          ? 0
          : Math.min(asked - 1, Math.max(1, Math.round(newShare * asked)));
    const one = (revision: 'old' | 'new', index: number) => {
      const name = `${revision}-${index}`;
      const from = born.get(name) ?? (second === 0 ? -100 : second - 1);
      born.set(name, from);
      const uptimeSeconds = second - from;
      return pod(name, nowMs, {
        rate: rate / asked,
        serviceMs: revision === 'old' ? oldMs : newMs,
        revision,
        uptimeSeconds,
        counters: { arrivals: 1_000 * uptimeSeconds },
      });
    };
    // A candidate's pods may stand first or last in the list.
    const pods = [
      ...Array.from({ length: young }, (_, index) => one('new', index)),
      ...Array.from({ length: asked - young }, (_, index) => one('old', index)),
    ];
    const seen: Observation = {
      ...observation(pods, { rolloutInProgress: young > 0 && young < asked }),
      ...(balancing === 'random'
        ? {}
        : {
            gateways: [gatewayOf(second, nowMs, newShare, newShare * newMs + (1 - newShare) * oldMs)],
            expectedGateways: 1,
          }),
    };
    const decision = decide(state, seen, spec, nowMs);
    decisions.push(decision);
    state = decision.next;
    asked = decision.replicas;
  }
  return decisions;
}

const neededIn = (decisions: readonly Decision[], from: number) =>
  decisions.slice(from).map(({ why }) => Number(why.needed));

describe.each(['random', 'least-outstanding'] as const)('a rollout behind %s balancing', (balancing) => {
  test.each([
    { name: 'twice as slow', oldMs: 12, newMs: 24 },
    { name: 'twice as fast', oldMs: 24, newMs: 12 },
    { name: 'half as slow again, after a canary of a tenth', oldMs: 20, newMs: 30, share: 0.1 },
  ])('to a revision $name needs what that one alone needs, as soon as the last old pod is gone', (turn) => {
    const rolled = neededIn(follow({ ...turn, balancing }), ends);
    const alone = neededIn(follow({ ...turn, balancing }, true), ends);
    expect(Math.max(...rolled.map((needed, at) => Math.abs(needed - (alone[at] ?? 0))))).toBeLessThanOrEqual(
      1,
    );
  });

  test('to a slower revision is never followed by fewer replicas than that one needs', () => {
    const turn = { oldMs: 12, newMs: 24, balancing };
    const alone = Number(follow(turn, true).at(-1)?.why.needed);
    const least = Math.min(
      ...follow(turn)
        .slice(ends)
        .map(({ replicas }) => replicas),
    );
    expect(alone).toBeGreaterThan(10);
    expect(least).toBeGreaterThanOrEqual(alone);
  });

  test('to a faster revision ends in as many replicas as that one needs', () => {
    const turn = { oldMs: 24, newMs: 12, balancing };
    const rolled = follow(turn);
    const alone = follow(turn, true).at(-1)?.replicas ?? 0;
    expect(rolled[ends - 1]?.replicas).toBeGreaterThan(alone + 3);
    expect(rolled.at(-1)?.replicas).toBeLessThanOrEqual(alone + 1);
  });
});
