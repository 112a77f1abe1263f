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
import {
  goSeconds,
  loggedLooks,
  milliCores,
  type PodMetrics,
  seenPod,
} from '../../bench/fidelity/recorder.ts';
import { difference } from '../../bench/fidelity/report.ts';
import { type Simulated, simulate } from '../../bench/fidelity/simulated.ts';
import { arrivalsMs, minutesOf } from '../../bench/fidelity/traffic.ts';
import type { Pod } from '../../kube/objects.ts';
import { chance } from '../../simulator/chance.ts';
import { parseService, parseStartup } from '../../simulator/distributions.ts';

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
    drainSeconds: 3,
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
  ] as Simulated[];
  expect(difference(live, simulated)).toBe(
    'simulated less real: violations +0.50 percentage points, replica-seconds -5.0 %',
  );
});

test.each([
  ['281234567n', 282],
  ['281000000n', 281],
  ['1500u', 2],
  ['250m', 250],
  ['2', 2_000],
  ['0', 0],
])('%s of CPU is %i milli-cores to the controller', (quantity, milli) => {
  expect(milliCores(quantity)).toBe(milli);
});

test('durations of Go, and no quantity', () => {
  expect([goSeconds('15.023s'), goSeconds('1m2.5s'), goSeconds('20s')]).toEqual([15.023, 62.5, 20]);
  expect(() => milliCores('3Gi')).toThrow('3Gi');
});

test("looks are read from the controller manager's log, those of other targets are not", () => {
  const log = [
    'I1125 14:07:49.500000   11 horizontal.go:903] "Proposing desired replicas" logger="hpa" desiredReplicas=3 metric="cpu" scaleTarget="ModelDeployment/models/steady"',
    'I1125 14:07:49.600000   11 horizontal.go:986] "Successfully rescaled" logger="hpa" HPA="models/steady" currentReplicas=1 desiredReplicas=2 reason="x"',
    'I1125 14:07:50.000000   11 horizontal.go:903] "Proposing desired replicas" logger="hpa" desiredReplicas=9 metric="cpu" scaleTarget="ModelDeployment/models/other"',
    'I1125 14:08:04.700000   11 horizontal.go:903] "Proposing desired replicas" logger="hpa" desiredReplicas=1 metric="cpu" scaleTarget="ModelDeployment/models/steady"',
    'E1125 14:08:19.700000   11 horizontal.go:275] "Unhandled Error" err="failed to compute desired number of replicas based on listed metrics for ModelDeployment/models/steady: no metrics"',
    'a line of something else',
  ].join('\n');
  const at = (minute: number, second: number, milli: number) =>
    new Date(2026, 10, 25, 14, minute, second, milli).getTime();
  expect(loggedLooks(log, 'ModelDeployment/models/steady', 2026)).toEqual([
    { atMs: at(7, 49, 500), proposed: 3, asked: 2 },
    { atMs: at(8, 4, 700), proposed: 1, asked: undefined },
    { atMs: at(8, 19, 700), proposed: -1, asked: undefined },
  ]);
});

test('a pod is written down as the controller found it', () => {
  const started = '2026-11-25T14:00:00Z';
  const pod = (phase: 'Pending' | 'Running', ready: string, deletionTimestamp?: string) =>
    seenPod(
      {
        metadata: { name: 'a', ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
        spec: {},
        status: {
          phase,
          startTime: started,
          conditions: [{ type: 'Ready', status: ready, lastTransitionTime: '2026-11-25T14:00:20Z' }],
        },
      } as Pod,
      undefined,
      Date.parse('2026-11-25T14:01:00.25Z'),
    );
  expect(pod('Pending', 'False')).toEqual(['P', 60.3, 40.3]);
  expect(pod('Running', 'False')).toEqual(['R', 60.3, 40.3]);
  expect(pod('Running', 'True')).toEqual(['S', 60.3, 40.3]);
  expect(pod('Running', 'True', started)).toEqual(['D', 60.3, 40.3]);
  const metrics = {
    metadata: { name: 'a' },
    timestamp: '2026-11-25T14:00:45Z',
    window: '14.9s',
    containers: [{ usage: { cpu: '100000001n' } }, { usage: { cpu: '1m' } }],
  } as PodMetrics;
  const running = {
    metadata: { name: 'a' },
    spec: {},
    status: { phase: 'Running', startTime: started },
  } as Pod;
  expect(seenPod(running, metrics, Date.parse('2026-11-25T14:01:00Z')).slice(3)).toEqual([102, 15, 14.9]);
});
