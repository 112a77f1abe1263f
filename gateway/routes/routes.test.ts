import { describe, expect, test } from '@jest/globals';
import type { EndpointSlice } from '../../kube/objects.ts';
import { routesOf } from '../testing/namespace.ts';
import { peersOf, podsOf } from './endpoints.ts';
import { gateRouteOf, refusalOfRoutes } from './gate-route.ts';

const slice = (
  endpoints: EndpointSlice['endpoints'],
  changes: Partial<EndpointSlice> = {},
): EndpointSlice => ({
  metadata: { name: 's' },
  addressType: 'IPv4',
  endpoints,
  ports: [
    { name: 'http', port: 8080 },
    { name: 'grpc', port: 9000 },
    { name: 'ops', port: 8081 },
  ],
  ...changes,
});

describe('podsOf', () => {
  test('takes addresses and ports from the slices alone', () => {
    const pods = podsOf([
      slice([{ addresses: ['10.0.0.1'], conditions: { ready: true }, targetRef: { name: 'p' } }]),
    ]);
    expect(pods).toEqual([
      {
        key: '10.0.0.1:8080',
        name: 'p',
        http: { host: '10.0.0.1', port: 8080 },
        grpc: { host: '10.0.0.1', port: 9000 },
        ops: { host: '10.0.0.1', port: 8081 },
        ready: true,
      },
    ]);
  });

  test.each([
    ['a condition that is absent means ready', {}, true],
    ['not ready', { ready: false }, false],
    ['not ready, in a Service that publishes it all the same', { ready: true, serving: false }, false],
    ['ready, in such a Service', { ready: true, serving: true }, true],
    [
      'ready, but ending: publishNotReadyAddresses says so of every pod',
      { ready: true, terminating: true },
      false,
    ],
    ['serving, but ending', { ready: false, serving: true, terminating: true }, false],
  ])('%s', (_name, conditions, ready) => {
    expect(podsOf([slice([{ addresses: ['10.0.0.1'], conditions }])])[0]?.ready).toBe(ready);
  });

  test('a pod that is in two slices counts once, ready if either says so', () => {
    const at = (ready: boolean) => slice([{ addresses: ['10.0.0.1'], conditions: { ready } }]);
    for (const slices of [
      [at(true), at(false)],
      [at(false), at(true)],
    ])
      expect(podsOf(slices).map(({ ready }) => ready)).toEqual([true]);
  });

  test('slices of names, without the port, and without endpoints hold no pods', () => {
    expect(
      podsOf([
        slice([{ addresses: ['x.example'] }], { addressType: 'FQDN' }),
        slice([{ addresses: ['10.0.0.1'] }], { ports: [{ name: 'metrics', port: 1 }] }),
        slice(null as never),
        slice([{ addresses: [] }]),
      ]),
    ).toEqual([]);
  });

  test('an address of IPv6 is one', () => {
    const [pod] = podsOf([slice([{ addresses: ['fd00::1'] }], { addressType: 'IPv6' })]);
    expect(pod?.http).toEqual({ host: 'fd00::1', port: 8080 });
  });
});

describe('peersOf', () => {
  const gateways = (...names: string[]) =>
    slice(names.map((name, i) => ({ addresses: [`10.0.1.${i}`], targetRef: { name } })));

  test('is the place of a gateway among the ready ones, the same for all of them', () => {
    const slices = [gateways('g-b', 'g-a'), gateways('g-c')];
    expect(['g-a', 'g-b', 'g-c'].map((name) => peersOf(slices, name))).toEqual(
      [0, 1, 2].map((rank) => ({ rank, count: 3 })),
    );
  });

  test('a gateway that is not listed is on its own', () => {
    expect(peersOf([gateways('g-a', 'g-b')], 'g-x')).toEqual({ rank: 0, count: 1 });
    expect(peersOf([], 'g-x')).toEqual({ rank: 0, count: 1 });
  });

  test('one that is not ready or ends does not count', () => {
    const slices = [
      slice([
        { addresses: ['1'], targetRef: { name: 'g-a' }, conditions: { ready: false } },
        { addresses: ['2'], targetRef: { name: 'g-b' }, conditions: { terminating: true } },
        { addresses: ['3'], targetRef: { name: 'g-c' } },
      ]),
    ];
    expect(peersOf(slices, 'g-c')).toEqual({ rank: 0, count: 1 });
  });
});

describe('routes as the queue needs them', () => {
  test.each([
    ['shedAt Timeout: no promise bounds the wait', { shedAt: 'Timeout' as const }, undefined],
    [
      'shedAt SLA: the highest promise does',
      {
        shedAt: 'SLA' as const,
        latency: [
          { percentile: 'p50', targetMs: 20 },
          { percentile: 'p99', targetMs: 90 },
        ],
      },
      90,
    ],
    ['shedAt SLA without a promise', { shedAt: 'SLA' as const, latency: [] }, undefined],
  ])('%s', (_name, changes, shedMs) => {
    expect(gateRouteOf(routesOf(20_000, changes)).shedMs).toBe(shedMs);
  });

  test('a mirror is refused, and a header that asks for a revision which is not there', () => {
    expect(refusalOfRoutes(routesOf(1))).toBeUndefined();
    expect(refusalOfRoutes(routesOf(1, { mirror: { revision: 'a', percent: 1 } }))).toContain('mirror');
    const header = (revision: string) => routesOf(1, { headers: [{ name: 'x', value: 'y', revision }] });
    expect(refusalOfRoutes(header('a'))).toBeUndefined();
    expect(refusalOfRoutes(header('b'))).toContain('b');
  });
});
