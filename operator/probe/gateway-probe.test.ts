import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { GatewayLoadReport } from '../../crds/gateway-load.ts';
import { HeldClock } from '../../kube/clock.ts';
import { gateway } from '../model/scaling/testing/gateway.ts';
import { createGatewayProbe, type GatewayProbe } from './gateway-probe.ts';
import { gatewayTargetsOf } from './gateway-targets.ts';
import type { PullOf } from './pull.ts';

const target = (name: string, ready = true) => ({
  namespace: 'team',
  gateway: name,
  ready,
  origin: `http://${name}:8081`,
});

let clock: HeldClock;
let asked: string[];
let answers: (origin: string, query: string) => PullOf<GatewayLoadReport>;
let probe: GatewayProbe;

beforeEach(() => {
  clock = new HeldClock();
  clock.advance(1_000_000);
  asked = [];
  answers = (origin) => ({ report: gateway(origin, 0, { rate: 5, uptimeSeconds: 60 }).report });
  probe = createGatewayProbe({
    clock,
    random: () => 0.5,
    pull: async (origin, _signal, query) => {
      asked.push(`${origin}${query}`);
      return answers(origin, query);
    },
  });
});
afterEach(() => probe.stop());

/** Lets time pass in ticks, and the answers of each arrive. */
const pass = async (ms: number) => {
  for (let left = ms; left > 0; left -= 100) {
    clock.advance(100);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
};

describe('the probe of gateways', () => {
  test('asks each gateway once a second, after the first time for the newest seconds alone', async () => {
    probe.setTargets([target('a'), target('b')]);
    probe.start();
    await pass(5_000);
    expect(asked.slice(0, 2).sort()).toEqual(['http://a:8081', 'http://b:8081']);
    expect(asked.length).toBeGreaterThanOrEqual(8);
    expect(asked.length).toBeLessThanOrEqual(12);
    expect(asked.at(-1)).toMatch(/\?sinceMs=59000$/);
    const { gateways, expected } = probe.readingsOf('team', 'wine');
    expect(expected).toBe(2);
    expect(gateways.map((one) => one.gateway)).toEqual(['a', 'b']);
    expect(gateways[0]?.report.models.map(({ model }) => model)).toEqual(['wine']);
    // The same answer is the same object: whoever compares it sees that nothing is new.
    expect(probe.readingsOf('team', 'wine').gateways[0]).toBe(gateways[0]);
    expect(probe.readingsOf('team', 'beer')).toEqual({ gateways: [], expected: 2 });
    expect(probe.readingsOf('elsewhere', 'wine')).toEqual({ gateways: [], expected: 0 });
  });

  test('answers go on from those before, for fifteen seconds in all, and another process begins anew', async () => {
    let uptimeSeconds = 60;
    let instance = 'one';
    answers = (_, query) => {
      const { report } = gateway('a', 0, { rate: (second) => second, uptimeSeconds, instance });
      const sinceMs = Number(query.split('=')[1] ?? 0);
      uptimeSeconds += 1;
      return {
        report: {
          ...report,
          models: report.models.map((model) => ({
            ...model,
            seconds: model.seconds.filter(({ endMs }) => endMs > sinceMs),
          })),
        },
      };
    };
    const told = () =>
      probe
        .readingsOf('team', 'wine')
        .gateways[0]?.report.models[0]?.seconds.map(({ endMs, arrivals }) => [endMs / 1_000, arrivals]);
    probe.setTargets([target('a')]);
    probe.start();
    await pass(300);
    expect(told()).toHaveLength(60);
    await pass(20_000);
    const last = uptimeSeconds - 1;
    expect(told()).toEqual(Array.from({ length: 15 }, (_, index) => [last - 14 + index, last - 14 + index]));
    instance = 'two';
    uptimeSeconds = 5;
    await pass(1_100);
    // It is asked twice: the first answer was cut to what the one before had not told.
    expect(told()).toEqual(Array.from({ length: 6 }, (_, index) => [index + 1, index + 1]));
  });

  test('another process behind the address is asked for all that it knows', async () => {
    probe.setTargets([target('a')]);
    probe.start();
    await pass(1_000);
    answers = () => ({ report: gateway('a', 0, { rate: 5, uptimeSeconds: 90, instance: 'new' }).report });
    asked = [];
    await pass(1_200);
    expect(asked[0]).toContain('sinceMs');
    expect(asked[1]).toBe('http://a:8081');
  });

  test('one that does not answer is expected all the same, keeps its last reading, and is asked less and less', async () => {
    probe.setTargets([target('a')]);
    probe.start();
    await pass(1_000);
    answers = () => ({ failure: 'timeout', detail: 'no answer' });
    asked = [];
    await pass(30_000);
    expect(asked.length).toBeLessThan(8);
    expect(probe.readingsOf('team', 'wine')).toMatchObject({ expected: 1, gateways: [{ gateway: 'a' }] });
    expect(probe.counts().failures.timeout).toBe(asked.length);
  });

  test('a thousand gateways are asked 300 times a second at most, and their readings say how seldom', async () => {
    probe.setTargets(Array.from({ length: 1_000 }, (_, index) => target(`g${index}`)));
    probe.start();
    await pass(2_000);
    asked = [];
    await pass(10_000);
    expect(asked.length).toBeLessThanOrEqual(3_200);
    expect(asked.length).toBeGreaterThan(2_400);
    expect(probe.readingsOf('team', 'wine').gateways[0]?.periodMs).toBeCloseTo(3_333, 0);
  });
});

test('gateways are found from their slices: each pod once, none that ends, ready by what serves', () => {
  const slice = (addressType: string, addresses: string[]) => ({
    metadata: { namespace: 'team' },
    addressType,
    ports: [{ name: 'ops', port: 8081 }],
    endpoints: [
      { addresses, conditions: { ready: true, serving: false }, targetRef: { kind: 'Pod', name: 'gw-1' } },
      {
        addresses: ['10.0.0.2'],
        conditions: { terminating: true },
        targetRef: { kind: 'Pod', name: 'gw-2' },
      },
    ],
  });
  expect(gatewayTargetsOf([slice('IPv4', ['10.0.0.1']), slice('IPv6', ['fd00::1'])])).toEqual([
    { namespace: 'team', gateway: 'gw-1', ready: false, origin: 'http://10.0.0.1:8081' },
  ]);
  expect(gatewayTargetsOf([slice('IPv6', ['fd00::1'])])[0]?.origin).toBe('http://[fd00::1]:8081');
  expect(gatewayTargetsOf([{ ...slice('IPv4', ['10.0.0.1']), ports: [] }])).toEqual([]);
});
