import { describe, expect, test } from '@jest/globals';
import { decide } from './decide.ts';
import { correctionsOf, nothingLearned } from './learned.ts';
import { answersAt, boundsMs, model } from './testing/answers.ts';
import { input, observation, pods } from './testing/build.ts';
import { behindGateway, tell } from './testing/tell.ts';
import { factorSeen, waitFactorOf } from './waits.ts';

describe('the factor that answers show', () => {
  test.each([0.6, 1, 1.7, 2.8])('%d is found again', (factor) => {
    const seen = factorSeen(model, 300, 5, boundsMs, answersAt(factor, 9_000, 300, 5), 1);
    expect(seen?.factor).toBeGreaterThan(0.9 * factor);
    expect(seen?.factor).toBeLessThan(1.1 * factor);
  });

  test('is none where requests hardly wait: the service alone makes the tail', () => {
    expect(factorSeen(model, 300, 30, boundsMs, answersAt(3, 9_000, 300, 30), 1)).toBeUndefined();
  });

  test('is none where more is late than waits explain', () => {
    const late = boundsMs.map((bound) => (bound === boundsMs.at(-10) ? 9_000 : 0));
    expect(factorSeen(model, 300, 5, boundsMs, [...late, 0], 1)).toBeUndefined();
  });
});

test('a factor near 1, or one of few stretches, corrects nothing; a large one corrects by what is beyond', () => {
  const of = (factor: number, stretches = 20) => waitFactorOf({ factor, stretches, stretch: undefined });
  expect([of(1), of(1.2), of(0.85), of(2.5, 4)]).toEqual([1, 1, 1, 1]);
  expect(of(2.5)).toBeCloseTo(2);
  expect(of(0.5)).toBeCloseTo(0.625);
  expect(correctionsOf(nothingLearned)).toEqual({});
});

describe('decide', () => {
  const spec = input({
    balancing: 'least-outstanding',
    latency: [{ percentile: 'p95', targetMs: 25 }],
    minReplicas: 5,
  });
  /** 300 requests a second, one like the other, whose waits are `factor` times the model's. */
  function learning(factor: number, ageMs = 0, seconds = 800) {
    const counts = new Array<number>(boundsMs.length + 1).fill(0);
    const each = new Map<number, number[]>();
    return tell(
      seconds,
      (second, ready, nowMs) => {
        const answers = each.get(ready) ?? answersAt(factor, 300, 300, ready);
        each.set(ready, answers);
        for (const [at, count] of answers.entries()) counts[at] = (counts[at] ?? 0) + count;
        return behindGateway(
          () => 300,
          () => ({ latency: { boundsMs, counts: [...counts] }, ageMs }),
        )(second, ready, nowMs);
      },
      spec,
      5,
    );
  }

  test('learns longer waits slowly, asks for more, says so, and starts anew with another revision', () => {
    const { decisions, last, counts } = learning(2.5);
    expect(decisions[120]?.why.inputs.waitFactor).toBeLessThan(1.5);
    expect(last.why.inputs.waitFactor).toBeGreaterThan(1.6);
    expect(last.why.inputs.waitFactor).toBeLessThan(2.7);
    expect(last.replicas).toBeGreaterThan(counts[60] ?? 0);
    expect(last.why.sentence).toMatch(/with waits [\d.]+ times the model’s, as measured\)/);
    expect(correctionsOf(last.next.learned).waitFactor).toBeGreaterThan(1.3);

    const nowMs = 1_000_000 + 800_000;
    const counters = { arrivals: 1e9 };
    const other = observation(pods(5, nowMs, 300, { revision: 'r2', uptimeSeconds: 5_000, counters }));
    expect(decide(last.next, other, spec, nowMs).next.learned).toMatchObject({
      revision: 'r2',
      waits: { factor: 1, stretches: 0 },
    });
  });

  test('is as it was where waits are as predicted', () => {
    const { last, counts } = learning(1);
    expect(last.why.inputs.waitFactor).toBeGreaterThan(0.85);
    expect(last.why.inputs.waitFactor).toBeLessThan(1.2);
    expect(new Set(counts.slice(60)).size).toBe(1);
    expect(last.why.sentence).not.toContain('as measured');
  });

  test('learns nothing from stale answers', () => {
    expect(learning(2.5, 9_000, 200).last.why.inputs.waitFactor).toBeUndefined();
  });
});
