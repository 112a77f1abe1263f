/** What fidelity runs rest on: files of measurements, equal arrivals, and the words of the comparison. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import {
  type MeasuredService,
  type MeasuredStartup,
  machineFacts,
  quantiles,
} from '../../bench/autoscaling/measured.ts';
import { readOptions as readAutoscaling } from '../../bench/autoscaling/options.ts';
import type { LiveOutcome } from '../../bench/fidelity/live-run.ts';
import { difference } from '../../bench/fidelity/report.ts';
import { simulate } from '../../bench/fidelity/simulated.ts';
import { arrivalsMs, minutesOf } from '../../bench/fidelity/traffic.ts';
import { chance } from '../../simulator/chance.ts';
import { parseService, parseStartup } from '../../simulator/distributions.ts';
import type { Outcome } from '../../simulator/replay.ts';

const folder = mkdtempSync(join(tmpdir(), 'ballast-fidelity-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('quantiles stand for all values, and few values are kept as they are', () => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => 999 - index);
  const some = quantiles(thousand);
  expect(some).toHaveLength(64);
  expect(some).toEqual([...some].sort((one, other) => one - other));
  expect(some.reduce((sum, one) => sum + one, 0) / 64).toBeCloseTo(499.5, -1);
  expect(quantiles([3, 1, 2])).toEqual([1, 2, 3]);
});

test('the simulator takes the files that are written', () => {
  const write = (name: string, content: MeasuredService | MeasuredStartup) => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const common = { version: 1, model: 'wine', machine: machineFacts() } as const;
  const service = parseService(write('s.json', { ...common, rows: { 1: [0.1, 0.3], 2: [9] } }));
  expect(service?.seconds.mean).toBeCloseTo(0.2);
  expect([0.1, 0.3]).toContain(service?.seconds.sample(chance(1)));
  const startup = parseStartup(write('u.json', { ...common, createToReady: [2, 4], processToReady: [1] }));
  expect(startup?.mean).toBe(3);
});

test('the simulator takes each file that is kept, and says of one that is not there that it is none', () => {
  const kept = join(import.meta.dirname, '../../bench/autoscaling/measured');
  for (const name of existsSync(kept) ? readdirSync(kept) : []) {
    const read = name.includes('.service.')
      ? parseService(join(kept, name))?.seconds
      : parseStartup(join(kept, name));
    expect({ name, mean: read?.mean }).toEqual({ name, mean: expect.any(Number) });
  }
  expect(parseService(join(folder, 'none.service.json'))).toBeUndefined();
  expect(() => readAutoscaling(['--service', join(folder, 'none.service.json')])).toThrow(
    'none.service.json',
  );
});

test('real runs get the arrivals of the first seed, scaled to the asked load at the peak', () => {
  const path = join(folder, 'trace.txt');
  writeFileSync(path, Array.from({ length: 180 }, (_, second) => `${second < 60 ? 100 : 50}\n`).join(''));
  const trace = minutesOf(path, 30, 2, 0.5, 0.01);
  expect(trace.counts[0]).toBeCloseTo(50);
  expect(trace.counts[119]).toBeCloseTo(25);
  const times = arrivalsMs(trace, 1);
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect(times.at(-1)).toBeLessThan(120_000);
  const [outcome] = simulate({
    policy: 'static:4',
    trace,
    service: [0.01],
    startup: [1],
    sloMs: 50,
    shedAt: 'SLA',
    balancing: 'gateway',
    maxReplicas: 4,
    seeds: 1,
  });
  expect(outcome?.requests).toBe(times.length);
  expect(() => minutesOf(path, 150, 2, 0.5, 0.01)).toThrow('has no 2 minutes');
});

test('the difference is told in percentage points and percent', () => {
  const live = { violations: 0.02, replicaSeconds: 200 } as LiveOutcome;
  const simulated = [
    { violations: 0.03, replicaSeconds: 180 },
    { violations: 0.02, replicaSeconds: 200 },
  ] as Outcome[];
  expect(difference(live, simulated)).toBe(
    'simulated less real: violations +0.50 percentage points, replica-seconds -5.0 %',
  );
});
