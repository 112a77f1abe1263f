import { expect, jest, test } from '@jest/globals';
import { startWatchdog, type WatchdogOptions } from './watchdog.ts';

const watch = (changes: Partial<WatchdogOptions>) =>
  new Promise<string>((resolve) => {
    const watchdog = startWatchdog({
      busySinceMs: () => undefined,
      hangLimitMs: () => 100,
      memoryLimitBytes: 1000,
      rssBytes: () => 0,
      nowMs: () => 1000,
      collectGarbage: () => undefined,
      onHang: (busyMs) => resolve(`hang ${busyMs}`),
      onMemory: (rss, limit) => resolve(`memory ${rss} of ${limit}`),
      ...changes,
    });
    setImmediate(() => {
      watchdog.stop();
      resolve('calm');
    });
  });

test.each<[string, Partial<WatchdogOptions>, string]>([
  ['an idle pod', {}, 'calm'],
  ['a run within its limit', { busySinceMs: () => 900 }, 'calm'],
  ['a run past its limit', { busySinceMs: () => 899 }, 'hang 101'],
  ['memory at nine tenths', { rssBytes: () => 900 }, 'calm'],
  ['memory above nine tenths', { rssBytes: () => 901 }, 'memory 901 of 1000'],
  ['memory without a limit', { rssBytes: () => 1e12, memoryLimitBytes: undefined }, 'calm'],
])('%s', async (_name, options, want) => {
  expect(await watch(options)).toBe(want);
});

test('memory is looked at when asked, not only at the next round', () => {
  let rss = 0;
  let said = '';
  const watchdog = startWatchdog({
    busySinceMs: () => undefined,
    hangLimitMs: () => 100,
    memoryLimitBytes: 1000,
    rssBytes: () => rss,
    nowMs: () => 1000,
    collectGarbage: () => undefined,
    onHang: () => undefined,
    onMemory: (bytes, limit) => {
      said = `memory ${bytes} of ${limit}`;
    },
  });
  watchdog.checkMemory();
  expect(said).toBe('');
  rss = 901;
  watchdog.checkMemory();
  watchdog.stop();
  expect(said).toBe('memory 901 of 1000');
});

test('memory is short from eight tenths of the limit on, and no longer when it falls again', () => {
  let rss = 800;
  const watchdog = startWatchdog({
    busySinceMs: () => undefined,
    hangLimitMs: () => 100,
    memoryLimitBytes: 1000,
    rssBytes: () => rss,
    nowMs: () => 1000,
    collectGarbage: () => undefined,
    onHang: () => undefined,
    onMemory: () => undefined,
  });
  expect(watchdog.isMemoryShort()).toBe(false);
  rss = 801;
  watchdog.checkMemory();
  expect(watchdog.isMemoryShort()).toBe(true);
  rss = 700;
  watchdog.checkMemory();
  expect(watchdog.isMemoryShort()).toBe(false);
  watchdog.stop();
});

test('garbage is collected from half of the limit on, again only after growth, and at any cost from seven tenths on', () => {
  let rss = 400;
  let now = 0;
  const collected: [number, boolean][] = [];
  const watchdog = startWatchdog({
    busySinceMs: () => undefined,
    hangLimitMs: () => 100,
    memoryLimitBytes: 1000,
    rssBytes: () => rss,
    nowMs: () => now,
    collectGarbage: (isLast) => void collected.push([rss, isLast]),
    onHang: () => undefined,
    onMemory: () => undefined,
  });
  for (const next of [501, 501, 560, 570, 710, 780, 790]) {
    rss = next;
    watchdog.checkMemory();
  }
  now = 3000;
  rss = 860;
  watchdog.checkMemory();
  watchdog.stop();
  expect(collected).toEqual([
    [501, false],
    [570, false],
    [710, true],
    [780, false],
    [860, true],
  ]);
});

test.each([
  ['near its bound', 50e6, 10],
  ['with room for 30 ms of growth', 300e6, 3],
  ['with all the room there is', 5e9, 1],
])('the memory of a run is looked at in time %s', (_name, room, looks) => {
  jest.useFakeTimers();
  let asked = 0;
  const watchdog = startWatchdog({
    busySinceMs: () => 1000,
    hangLimitMs: () => 30_000,
    memoryLimitBytes: 12e9,
    rssBytes: () => {
      asked += 1;
      return 10.8e9 - room;
    },
    nowMs: () => 1000,
    collectGarbage: () => undefined,
    onHang: () => undefined,
    onMemory: () => undefined,
  });
  asked = 0;
  jest.advanceTimersByTime(100);
  watchdog.stop();
  jest.useRealTimers();
  expect(asked).toBe(looks);
});
