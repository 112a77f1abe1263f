import { describe, expect, test } from '@jest/globals';
import { labels } from '../../crds/constants.ts';
import { type StartedPod, Startups, startupOfPod } from './startups.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();
const pod = (readyAfter: number | undefined, restartCount = 0, uid = 'u1'): StartedPod => ({
  metadata: { namespace: 'team', uid, creationTimestamp: at(0), labels: { [labels.deployment]: 'wine' } },
  status: {
    conditions: [
      readyAfter === undefined
        ? { type: 'Ready', status: 'False' }
        : { type: 'Ready', status: 'True', lastTransitionTime: at(readyAfter) },
    ],
    containerStatuses: [{ restartCount }],
  },
});
const starting = pod(undefined);

describe('startupOfPod', () => {
  test.each<[string, StartedPod | undefined, StartedPod, number | undefined]>([
    ['it gets ready', starting, pod(12), 12],
    ['ready when first seen', undefined, pod(12), 12],
    ['ready when first seen, after hours', undefined, pod(9_000), undefined],
    ['slow, but seen while it started', starting, pod(900), 900],
    ['was ready before', pod(12), pod(12), undefined],
    ['not ready', undefined, starting, undefined],
    ['its container began anew', starting, pod(60, 1), undefined],
    ['clocks that disagree', starting, pod(-1), undefined],
  ])('%s', (_, before, after, expected) => {
    expect(startupOfPod(before, after)).toBe(expected);
  });
});

describe('a pod that has a node', () => {
  const placedAfter = (second: number): StartedPod => {
    const { metadata, status } = pod(45);
    const placed = { type: 'PodScheduled', status: 'True', lastTransitionTime: at(second) };
    return { metadata, status: { ...status, conditions: [placed, ...(status?.conditions ?? [])] } };
  };
  test('tells how long it waited for it', () => {
    expect(startupOfPod(starting, placedAfter(40))).toEqual({ podSeconds: 5, nodeSeconds: 40 });
    expect(startupOfPod(starting, placedAfter(0))).toEqual({ podSeconds: 45, nodeSeconds: 0 });
  });
  test('tells nothing where the clocks disagree', () => {
    expect(startupOfPod(starting, placedAfter(-2))).toBe(45);
    expect(startupOfPod(starting, placedAfter(50))).toBe(45);
  });
});

test('the last fifty starts of each ModelDeployment, each pod once, until it is gone', () => {
  const startups = new Startups();
  for (let index = 0; index < 60; index += 1) startups.see(starting, pod(index, 0, `u${index}`));
  startups.see(starting, pod(500, 0, 'u59'));
  expect(startups.of('team/wine')).toEqual(Array.from({ length: 50 }, (_, index) => index + 10));
  expect(startups.of('team/beer')).toEqual([]);
  startups.forget('team/wine');
  expect(startups.of('team/wine')).toEqual([]);
});
