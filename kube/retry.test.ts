import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Backoff, exponentialMs, jittered, reflectorBackoff, TokenBucket } from './retry.ts';

describe('back-off', () => {
  test('of the reflector: 0.8 s doubled, at most 30 s with its jitter, and anew after two healthy minutes', () => {
    const backoff = new Backoff(reflectorBackoff, () => 0);
    let nowMs = 0;
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const waitMs = backoff.nextMs(nowMs);
      waits.push(waitMs);
      nowMs += waitMs;
    }
    expect(waits).toEqual([800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000]);
    expect(backoff.nextMs(nowMs + 119_999)).toBe(15_000);
    expect(backoff.nextMs(nowMs + 119_999 + 15_000 + 120_000)).toBe(800);
    const unlucky = new Backoff(reflectorBackoff, () => 0.9999);
    for (let i = 0; i < 20; i++) expect(unlucky.nextMs(0)).toBeLessThanOrEqual(30_000);
  });

  test('of the reflector: a server that is away for 30 s is asked at most 7 times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 20, maxLength: 20 }),
        (chances) => {
          const backoff = new Backoff(reflectorBackoff, () => chances.pop() ?? 0);
          let attempts = 1;
          for (let nowMs = backoff.nextMs(0); nowMs < 30_000; nowMs += backoff.nextMs(nowMs)) attempts += 1;
          expect(attempts).toBeLessThanOrEqual(7);
        },
      ),
    );
  });

  test('never passes its bounds', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.double({ min: 0, max: 0.9999, noNaN: true }), (failures, chance) => {
        const waitMs = exponentialMs(5, failures, 1_000_000);
        expect(waitMs).toBeGreaterThanOrEqual(5);
        expect(waitMs).toBeLessThanOrEqual(1_000_000);
        const longer = jittered(waitMs, 1, () => chance);
        expect(longer).toBeGreaterThanOrEqual(waitMs);
        expect(longer).toBeLessThan(2 * waitMs);
      }),
    );
  });
});

test('property: a token bucket lets through no more than burst + rate · time in any stretch', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { minLength: 1, maxLength: 200 }), (gaps) => {
      const bucket = new TokenBucket(10, 20, 0);
      const sentAtMs: number[] = [];
      let nowMs = 0;
      for (const gap of gaps) {
        nowMs += gap;
        sentAtMs.push(nowMs + bucket.reserveMs(nowMs));
      }
      for (let from = 0; from < sentAtMs.length; from++) {
        const startMs = sentAtMs[from] ?? 0;
        const within = sentAtMs.slice(from).filter((ms) => ms <= startMs + 1000).length;
        expect(within).toBeLessThanOrEqual(20 + 10 + 1);
      }
    }),
  );
});
