import { describe, expect, test } from '@jest/globals';
import type { PodMetric } from './hpa.ts';
import { Behavior, replicasByPods, replicasByTotal } from './hpa.ts';
import { KpaScaler } from './knative.ts';
import { RayScaler, rayDefaults } from './ray.ts';

const limits = { minReplicas: 1, maxReplicas: 1_000 };
const ready = (value: number | undefined, age = 1_000): PodMetric => ({
  ready: true,
  age,
  value,
  sampleBeforeReady: false,
});
const unready = (value: number | undefined): PodMetric => ({
  ready: false,
  age: 20,
  value,
  sampleBeforeReady: true,
});
const times = <T>(count: number, one: T) => Array.from({ length: count }, () => one);

describe('HPA: the replica calculator', () => {
  test.each([
    ['⌈ratio × ready⌉', times(4, ready(0.9)), 0.6, 4, 6],
    ['inside the tolerance of 0.1 nothing changes', times(4, ready(0.65)), 0.6, 4, 4],
    ['down', times(10, ready(0.3)), 0.6, 10, 5],
    ['no sample at all: the look ends', times(3, ready(undefined)), 0.6, 3, undefined],
    ['66 % is inside the tolerance of 60 %', times(3, ready(0.666)), 0.6, 3, 3],
    [
      'unready pods count 0 on the way up',
      [...times(3, ready(0.9)), ...times(3, unready(undefined))],
      0.6,
      6,
      6,
    ],
    [
      'unready pods are left out on the way down',
      [...times(4, ready(0.3)), ...times(2, unready(0.9))],
      0.6,
      6,
      2,
    ],
    [
      'a pod without a sample counts its whole request on the way down',
      [...times(4, ready(0.2)), ready(undefined)],
      0.6,
      5,
      3,
    ],
    ['a pod without a sample counts 0 on the way up', [...times(4, ready(1)), ready(undefined)], 0.6, 5, 7],
    ['a second look that turns the direction keeps the count', [ready(0.7), ready(undefined)], 0.6, 2, 2],
    [
      'a sample from before readiness is ignored',
      [...times(4, ready(0.9)), { ...ready(1, 60), sampleBeforeReady: true }],
      0.6,
      5,
      6,
    ],
  ])('%s', (_, pods, target, replicas, wanted) => {
    expect(replicasByPods(pods, target, replicas, true)).toBe(wanted);
  });

  test('a pod without a sample is taken to use whole milli-cores, cut off: 499 of 499.5', () => {
    // Seed 298237814 of test/kube/hpa: 1,016 + 2 × 499 of 5 × 333 are 120 %, which need 4; with 499.5 it would be 121 % and 5.
    const pods = [...[359, 339, 318].map((milli) => ready(milli / 333)), ready(undefined), ready(undefined)];
    expect(replicasByPods(pods, 1.5, 6, true, 333)).toBe(4);
  });

  test('an external total is divided by the average value, with the same tolerance', () => {
    expect(replicasByTotal(100, 10, 5)).toBe(10);
    expect(replicasByTotal(52, 10, 5)).toBe(5);
    expect(replicasByTotal(3, 10, 0)).toBe(1);
  });
});

describe('HPA: behavior with its defaults', () => {
  test('up at once, by 4 pods or 100 % in 15 s, whichever is more', () => {
    expect(new Behavior().shape(0, 2, 50, limits)).toBe(6);
    expect(new Behavior().shape(0, 10, 50, limits)).toBe(20);
  });

  test('what was added in the last 15 s counts against the rate', () => {
    const behavior = new Behavior();
    expect(behavior.shape(0, 10, 50, limits)).toBe(20);
    expect(behavior.shape(5, 20, 50, limits)).toBe(20);
    expect(behavior.shape(15, 20, 50, limits)).toBe(40);
  });

  test('down to the largest recommendation of the last 300 s', () => {
    const behavior = new Behavior();
    behavior.shape(0, 10, 10, limits);
    expect(behavior.shape(150, 10, 3, limits)).toBe(10);
    expect(behavior.shape(299, 10, 2, limits)).toBe(10);
    expect(behavior.shape(301, 10, 2, limits)).toBe(3);
    expect(behavior.shape(601, 3, 2, limits)).toBe(2);
  });
});

describe('Knative KPA', () => {
  test('the stable window decides outside panic, and a fall is at most by half', () => {
    const scaler = new KpaScaler(7, 1);
    expect(scaler.scale(0, 10, 100, 100)).toBe(15);
    expect(scaler.scale(2, 10, 7, 7)).toBe(5);
  });

  test('twice as many as are ready by the panic window is panic; in it the count never falls', () => {
    const scaler = new KpaScaler(7, 1);
    expect(scaler.scale(0, 10, 70, 140)).toBe(20);
    expect(scaler.panics).toBe(true);
    expect(scaler.scale(2, 20, 70, 70)).toBe(20);
    expect(scaler.scale(60, 20, 70, 70)).toBe(20);
    expect(scaler.scale(61, 20, 70, 70)).toBe(10);
    expect(scaler.panics).toBe(false);
  });

  test('a scaler that finds more than one ready pod starts in panic', () => {
    const scaler = new KpaScaler(7, 5);
    expect(scaler.scale(2, 5, 7, 7)).toBe(5);
  });

  test('no ready pod counts as one', () => {
    expect(new KpaScaler(7, 0).scale(0, 0, 14, 14)).toBe(2);
  });
});

describe('Ray Serve', () => {
  test('up only after 30 s of agreement, and a disagreement starts anew', () => {
    const scaler = new RayScaler(rayDefaults, limits);
    for (let second = 0; second < 30; second += 1) expect(scaler.scale(40, 10)).toBe(10);
    expect(scaler.scale(40, 10)).toBe(20);
    for (let second = 0; second < 30; second += 1) scaler.scale(60, 20);
    expect(scaler.scale(40, 20)).toBe(20);
    expect(scaler.scale(60, 20)).toBe(20);
  });

  test('down only after 600 s', () => {
    const scaler = new RayScaler(rayDefaults, limits);
    for (let second = 0; second < 600; second += 1) expect(scaler.scale(2, 10)).toBe(10);
    expect(scaler.scale(2, 10)).toBe(1);
  });

  test('from 0 at once', () => {
    expect(new RayScaler(rayDefaults, { ...limits, minReplicas: 0 }).scale(5, 0)).toBe(3);
  });
});
