import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Deadlines, type Expiring } from './deadlines.ts';

test('every entry expires once, when its time has come, whatever the order; those taken off never', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ inMs: fc.integer({ min: 0, max: 6000 }), removed: fc.boolean() }), {
        maxLength: 40,
      }),
      fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 30 }),
      (wanted, advances) => {
        const clock = { ms: 1_000_003 };
        const wheel = new Deadlines(() => clock.ms);
        const expired = new Map<number, number>();
        const entries = wanted.map(({ inMs }, id): Expiring => {
          const entry: Expiring = {
            expiresMs: clock.ms + inMs,
            spoke: undefined,
            expire: () => {
              expect(expired.has(id)).toBe(false);
              expired.set(id, clock.ms);
            },
          };
          wheel.add(entry);
          return entry;
        });
        for (const [id, { removed }] of wanted.entries()) {
          const entry = entries[id];
          if (removed && entry !== undefined) wheel.remove(entry);
        }
        for (const step of [...advances, 7000]) {
          clock.ms += step;
          wheel.advance();
          for (const [id, { removed }] of wanted.entries())
            expect(expired.has(id)).toBe(!removed && (entries[id]?.expiresMs ?? 0) <= clock.ms);
        }
        expect(wheel.size).toBe(0);
      },
    ),
  );
});

test('the timer runs by itself while something is on the wheel', async () => {
  const wheel = new Deadlines(() => performance.now());
  // The wheel itself keeps no process alive: its calls do.
  const alive = setInterval(() => undefined, 1000);
  await new Promise<void>((resolve) => {
    wheel.add({ expiresMs: performance.now() + 10, spoke: undefined, expire: resolve });
  });
  clearInterval(alive);
  expect(wheel.size).toBe(0);
});

test('the timer sleeps until the first deadline, whatever was put on and taken off before', async () => {
  const fromMs = performance.now();
  let readings = 0;
  const wheel = new Deadlines(() => {
    readings += 1;
    return performance.now();
  });
  const alive = setInterval(() => undefined, 1000);
  const order: string[] = [];
  const expired = (name: string, inMs: number, done: () => void = () => undefined): Expiring => ({
    expiresMs: fromMs + inMs,
    spoke: undefined,
    expire: () => {
      expect(performance.now() - fromMs).toBeGreaterThanOrEqual(inMs);
      order.push(name);
      done();
    },
  });
  const gone = expired('gone', 60);
  await new Promise<void>((resolve) => {
    wheel.add(expired('last', 150, resolve));
    wheel.add(gone);
    wheel.add(expired('middle', 100));
    wheel.remove(gone);
    readings = 0;
  });
  clearInterval(alive);
  expect(order).toEqual(['middle', 'last']);
  // One look for each of the three times, and perhaps a second one a moment later: a tick of 4 ms would be 37.
  expect(readings).toBeLessThan(20);
});
