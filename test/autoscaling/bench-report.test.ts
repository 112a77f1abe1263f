import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Drawing } from '../../bench/autoscaling/drawing.ts';
import { svgOf } from '../../bench/autoscaling/drawing.ts';
import { OptionError, readOptions } from '../../bench/autoscaling/options.ts';
import { pngOf } from '../../bench/autoscaling/png.ts';
import { shortOf } from '../../bench/autoscaling/report.ts';
import { meanOf, rowsOf, tableOf, writtenRow } from '../../bench/autoscaling/summary.ts';
import { verdictsOf } from '../../bench/autoscaling/targets.ts';
import type { Result } from '../../bench/autoscaling/task.ts';
import { runTask } from '../../bench/autoscaling/task.ts';
import type { Outcome } from '../../simulator/replay.ts';

const result = (policy: string, seed: number, changes: Partial<Outcome> = {}): Result => ({
  trace: 'step',
  policy,
  seed,
  shedAt: 'SLA',
  decideMs: policy === 'ballast' ? 0.2 : undefined,
  outcome: {
    policy,
    seed,
    requests: 100,
    violations: 0.002,
    late: 0,
    refused: 0.002,
    expired: 0,
    replicaSeconds: 110,
    p50Ms: 1,
    p90Ms: 2,
    p95Ms: 3,
    p99Ms: 4,
    peakReplicas: 5,
    actions: 6,
    flaps: 0,
    badMinutes: 0,
    recoverySeconds: 15,
    points: [],
    ...changes,
  },
});

const rows = (...results: Result[]) => rowsOf(results, new Set(['step']));
const kinds = (kind: 'smooth' | 'bursty' | 'step' | 'spike') => new Map([['step', kind]]);

test('a mean and its 95 % interval by Student', () => {
  expect(meanOf([1, 2, 3, 4, 5]).half).toBeCloseTo(2.776 * Math.sqrt(2.5 / 5), 6);
  expect(meanOf([7])).toEqual({ mean: 7, half: 0 });
});

test('what is not measured of the oracle is written down no more than it stands in the table', () => {
  const [oracle, ballast] = rows(result('oracle', 1), result('ballast', 1)).map(writtenRow);
  expect(oracle).toMatchObject({ violations: { mean: 0.2 }, replicaSeconds: { mean: 110 } });
  for (const name of ['p99Ms', 'refused', 'badMinutes', 'actionsPerHour', 'flaps', 'recoverySeconds']) {
    expect(oracle).not.toHaveProperty(name);
    expect(ballast).toHaveProperty(name);
  }
});

test('no more replicas run at the beginning than the cluster has room for', () => {
  const options = readOptions(['--cluster', '2']);
  const counts = new Float64Array(60).fill(40);
  const trace = { name: 'steady', bucketSeconds: 1, counts, exact: false };
  if (options === undefined) throw new Error('no options');
  const { outcome } = runTask({ trace, policy: 'static:20', seed: 1, setting: options.setting });
  expect(Math.max(...outcome.points.map(({ ready }) => ready))).toBe(2);
});

test.each([
  [59, undefined],
  [120, expect.any(Number)],
])('what a decision took at the median is told of a long enough trace: %i s', (seconds, told) => {
  const options = readOptions([]);
  if (options === undefined) throw new Error('no options');
  const counts = new Float64Array(seconds).fill(20);
  const trace = { name: 'short', bucketSeconds: 1, counts, exact: false };
  expect(runTask({ trace, policy: 'ballast', seed: 1, setting: options.setting }).decideMs).toEqual(told);
});

test('a folder for the results that cannot be made is told of before the run', () => {
  const main = join(import.meta.dirname, '../../bench/autoscaling/main.ts');
  const { status, stderr } = spawnSync(process.execPath, [main, '--quick', '--out', '/dev/null/plots'], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(stderr).toMatch(/^bench:autoscaling: --out \/dev\/null\/plots: ENOTDIR/);
  expect(status).toBe(2);
});

test('a trace for which the replicas that there may be are too few is named, with the way out', () => {
  const traces = [{ name: 'step', kind: 'step' as const, note: '' }];
  const measured = rows(result('oracle', 1, { peakReplicas: 494 }), result('ballast', 1));
  expect(shortOf(traces, measured, 120)).toBe(
    'step: the oracle itself takes up to 494 replicas and --max allows 120: give a larger --max, or a smaller --scale',
  );
  expect(shortOf(traces, measured, 494)).toBe('');
});

describe('targets', () => {
  const oracle = [1, 2].map((seed) => result('oracle', seed, { replicaSeconds: 100 }));

  test('smooth traffic: violations and cost over the oracle', () => {
    const good = rows(...oracle, result('ballast', 1), result('ballast', 2));
    expect(verdictsOf(good, kinds('smooth'), 17)[0]).toMatchObject({ met: true });
    const dear = rows(...oracle, result('ballast', 1, { replicaSeconds: 150 }));
    expect(verdictsOf(dear, kinds('smooth'), 17)[0]).toMatchObject({
      met: false,
      text: expect.stringContaining('over by 0.250×'),
    });
    const late = rows(...oracle, result('ballast', 1, { violations: 0.01 }));
    expect(verdictsOf(late, kinds('smooth'), 17)[0]).toMatchObject({ met: false });
  });

  test('bursty traffic: against KPA at 0.7', () => {
    const kpa = result('kpa70', 1, { replicaSeconds: 130, violations: 0.003 });
    expect(verdictsOf(rows(...oracle, kpa, result('ballast', 1)), kinds('bursty'), 17)[0]?.met).toBe(true);
    const cheap = result('kpa70', 1, { replicaSeconds: 115, violations: 0.003 });
    expect(verdictsOf(rows(...oracle, cheap, result('ballast', 1)), kinds('bursty'), 17)[0]?.met).toBe(false);
  });

  test('a step: recovery, and the best HPA', () => {
    const hpa = (violations: number) => result('hpa-cpu60', 1, { violations, replicaSeconds: 150 });
    const met = (...results: Result[]) =>
      verdictsOf(rows(...oracle, ...results), kinds('step'), 17).map((verdict) => verdict.met);
    expect(met(result('ballast', 1), hpa(0.02))).toEqual([true, true, true]);
    expect(met(result('ballast', 1, { recoverySeconds: 30 }), hpa(0.005))).toEqual([false, false, true]);
    expect(met(result('ballast', 1, { recoverySeconds: undefined }), hpa(0.02))[0]).toBe(false);
  });
});

test('the table has a line for each policy', () => {
  const text = tableOf(rows(result('oracle', 1), result('ballast', 1)));
  expect(text.split('\n')).toHaveLength(4);
  expect(text).toContain('| ballast | 0.20         | 1.000    | 4 ');
});

describe('the command line', () => {
  test.each([
    ['--policy magic', 'there is none'],
    ['--policy kpa0', 'there is none'],
    ['--policy static:999999', 'there is none'],
    ['--seeds 0', 'from 1 to 100'],
    ['--service soup', 'must be resnet34'],
    ['--shed never', 'must be SLA, Timeout, both'],
    ['--min 5 --max 2', '--min 5 is more'],
    ['--nonsense', 'Unknown option'],
  ])('%s is refused', (line, message) => {
    expect(() => readOptions(line.split(' '))).toThrow(OptionError);
    expect(() => readOptions(line.split(' '))).toThrow(message);
  });

  test('policies with commas, and the promise of the service', () => {
    expect(readOptions(['--policy', 'ballast,kpa70', '--service', 'fast'])).toMatchObject({
      policies: ['ballast', 'kpa70'],
      setting: { sloMs: 100 },
      seeds: 5,
    });
  });
});

test('a drawing as SVG and PNG', () => {
  const drawing: Drawing = {
    title: 'a drawing',
    width: 40,
    height: 20,
    shapes: [
      {
        kind: 'line',
        points: [
          [0, 0],
          [40, 20],
        ],
        color: '#ff0000',
        width: 1,
      },
      { kind: 'bar', x: 1, y: 1, width: 2, height: 2, color: '#00ff00' },
      { kind: 'text', x: 5, y: 15, text: 'a < b', size: 10, color: '#000000', anchor: 'start' },
    ],
  };
  expect(svgOf(drawing)).toContain('<title>a drawing</title>');
  expect(svgOf(drawing)).toContain('a &#60; b');
  const png = pngOf(drawing);
  expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([80, 40]);
});
