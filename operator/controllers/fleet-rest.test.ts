import { expect, test } from '@jest/globals';
import type { ModelDeployment } from '../../crds/types.ts';
import { type PodLoad, pod } from '../model/scaling/testing/build.ts';
import { gateway } from '../model/scaling/testing/gateway.ts';
import type { GatewayReadings } from '../probe/gateway-probe.ts';
import { isAtRest, type Seen } from './fleet-rest.ts';

const deployment = {} as ModelDeployment;
const facts = {
  replicas: 2,
  startingReplicas: 0,
  crashingReplicas: 0,
  blockedReplicas: 0,
  rolloutInProgress: false,
};
const load = (arrivals: number, queueLength = 0, instance = 'a', expected = 1): GatewayReadings => ({
  gateways: [gateway('gw', 0, { rate: 0, arrivals, queueLength, instance })],
  expected,
});
const seen = (gateways?: GatewayReadings, atMs = 0): Seen => ({
  atMs,
  deployment,
  facts,
  pods: [],
  gateways,
});
const decision = { replicas: 2, measured: { requestRate: 0 } };

test.each<[string, GatewayReadings | undefined, GatewayReadings | undefined, boolean]>([
  ['no gateway', undefined, undefined, true],
  ['another answer that says nothing new', load(7), load(7), true],
  ['a request came', load(7), load(8), false],
  ['something waits', load(7), load(7, 1), false],
  ['another process', load(7), load(7, 0, 'b'), false],
  ['one gateway more', load(7), load(7, 0, 'a', 2), false],
  ['the first answer', undefined, load(7), false],
])('%s: at rest %s', (_, before, now, expected) => {
  expect(isAtRest(seen(before), seen(now, 1_000), decision)).toBe(expected);
});

test.each<[string, PodLoad, PodLoad, boolean]>([
  ['another answer that says nothing new', { rate: 0 }, { rate: 0, uptimeSeconds: 102 }, true],
  ['a request came', { rate: 0 }, { rate: 0, counters: { arrivals: 1 } }, false],
  ['another process', { rate: 0 }, { rate: 0, instance: 'b' }, false],
  ['something waits', { rate: 0 }, { rate: 0, queueLength: 1 }, false],
])('%s, by a pod: at rest %s', (_, before, now, expected) => {
  const of = (one: PodLoad, atMs: number): Seen => ({
    ...seen(undefined, atMs),
    pods: [pod('a', atMs, one)],
  });
  expect(isAtRest(of(before, 0), of(now, 1_000), decision)).toBe(expected);
});

test('not while requests come, not before the count is reached, not for longer than 4.5 s', () => {
  const [before, now] = [seen(), seen(undefined, 1_000)];
  expect(isAtRest(before, now, { ...decision, measured: { requestRate: 1 } })).toBe(false);
  expect(isAtRest(before, now, { ...decision, replicas: 3 })).toBe(false);
  expect(isAtRest(before, { ...now, atMs: 4_500 }, decision)).toBe(false);
  expect(isAtRest(undefined, now, decision)).toBe(false);
});
