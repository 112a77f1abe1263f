import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HeldClock } from './clock.ts';
import { WorkQueue } from './queue.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the work queue', () => {
  test('hands a key out once however often it was added', async () => {
    const queue = new WorkQueue({ clock: new HeldClock() });
    for (let i = 0; i < 5; i++) queue.add('a');
    expect(await queue.get()).toBe('a');
    expect(queue.length).toBe(0);
  });

  test('runs a key once more when it was added while in work', async () => {
    const queue = new WorkQueue({ clock: new HeldClock() });
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(queue.length).toBe(1);
    expect(await queue.get()).toBe('a');
    queue.done('a');
    expect(queue.length).toBe(0);
  });

  test('serves changes before resync, lets a waiting key rise, and starves nobody', async () => {
    const queue = new WorkQueue({ clock: new HeldClock() });
    queue.add('low-1', 'low');
    queue.add('low-2', 'low');
    queue.add('high', 'high');
    queue.add('low-2', 'high');
    expect([await queue.get(), await queue.get(), await queue.get()]).toEqual(['high', 'low-2', 'low-1']);
    queue.add('patient', 'low');
    let handedOut = 0;
    for (let i = 0; ; i++) {
      queue.add(`storm-${i}`);
      queue.add(`storm-${i}b`);
      handedOut += 1;
      if ((await queue.get()) === 'patient') break;
      expect(handedOut).toBeLessThan(20);
    }
  });

  test('doubles the wait of a key that fails, up to 1,000 s, and starts anew after forget', async () => {
    const clock = new HeldClock();
    const queue = new WorkQueue({ clock, retryQps: 1e9, retryBurst: 1e9 });
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) {
      queue.addRateLimited('a');
      waits.push(clock.untilNextMs ?? -1);
      clock.advance(clock.untilNextMs ?? 0);
      queue.done((await queue.get()) ?? '');
    }
    expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(waits[19]).toBe(1_000_000);
    queue.forget('a');
    queue.addRateLimited('a');
    expect(clock.untilNextMs).toBe(5);
  });

  test('lets retries through at 10 per second after a burst of 100, and first tries at once', () => {
    const clock = new HeldClock();
    const queue = new WorkQueue({ clock });
    for (let i = 0; i < 150; i++) queue.addRateLimited(`k${i}`);
    clock.advance(5);
    expect(queue.length).toBe(100);
    clock.advance(1000);
    expect(queue.length).toBe(110);
    clock.advance(4000);
    expect(queue.length).toBe(150);
    queue.add('fresh');
    expect(queue.length).toBe(151);
  });

  test('keeps the earliest of several delayed adds', () => {
    const clock = new HeldClock();
    const queue = new WorkQueue({ clock });
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    expect(queue.delayed).toBe(1);
    clock.advance(100);
    expect(queue.length).toBe(1);
    clock.advance(10_000);
    expect(queue.length).toBe(1);
  });

  test('on shutdown hands out what waits, then undefined, and takes nothing more', async () => {
    const queue = new WorkQueue({ clock: new HeldClock() });
    const early = [queue.get(), queue.get()];
    queue.add('a');
    queue.addAfter('later', 1000);
    queue.shutdown();
    queue.add('b');
    expect(await Promise.all(early)).toEqual(['a', undefined]);
    expect(queue.delayed).toBe(0);
    expect(await queue.get()).toBeUndefined();
  });

  test('property: no key is in work twice, and every add is followed by a run that starts after it', async () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('add' as const), key: fc.integer({ min: 0, max: 4 }), low: fc.boolean() }),
      fc.record({ op: fc.constant('after' as const), key: fc.integer({ min: 0, max: 4 }), ms: fc.nat(2000) }),
      fc.record({ op: fc.constant('retry' as const), key: fc.integer({ min: 0, max: 4 }) }),
      fc.record({ op: fc.constant('take' as const) }),
      fc.record({ op: fc.constant('done' as const), pick: fc.nat(3) }),
      fc.record({ op: fc.constant('time' as const), ms: fc.nat(3000) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new HeldClock();
        const queue = new WorkQueue({ clock });
        const inWork: string[] = [];
        const owed = new Set<string>();
        let asked = 0;
        const take = () => {
          asked += 1;
          void queue.get().then((key) => {
            asked -= 1;
            if (key === undefined) return;
            expect(inWork).not.toContain(key);
            inWork.push(key);
            owed.delete(key);
          });
        };
        for (const next of steps) {
          if (next.op === 'add') {
            owed.add(String(next.key));
            queue.add(String(next.key), next.low ? 'low' : 'high');
          } else if (next.op === 'after') {
            owed.add(String(next.key));
            queue.addAfter(String(next.key), next.ms);
          } else if (next.op === 'retry') {
            owed.add(String(next.key));
            queue.addRateLimited(String(next.key));
          } else if (next.op === 'take') take();
          else if (next.op === 'time') clock.advance(next.ms);
          else {
            const key = inWork.splice(next.pick % Math.max(1, inWork.length), 1)[0];
            if (key !== undefined) queue.done(key);
          }
          await tick();
        }
        // Let everything end: nothing that was asked for may be missing.
        for (let round = 0; round < 40; round++) {
          clock.advance(2_000_000);
          for (const key of inWork.splice(0)) queue.done(key);
          if (asked === 0) take();
          await tick();
        }
        expect([...owed]).toEqual([]);
        expect(queue.length).toBe(0);
      }),
      { numRuns: 120 },
    );
  });
});
