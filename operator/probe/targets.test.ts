import { describe, expect, test } from '@jest/globals';
import { labels } from '../../crds/constants.ts';
import type { SliceLike } from './targets.ts';
import { targetsOf } from './targets.ts';

const slice = (changes: Partial<SliceLike> = {}, revision: string | undefined = 'abc'): SliceLike => ({
  metadata: {
    namespace: 'team',
    labels: {
      [labels.deployment]: 'wine',
      ...(revision === undefined ? {} : { [labels.revision]: revision }),
    },
  },
  addressType: 'IPv4',
  ports: [
    { name: 'http', port: 8080 },
    { name: 'ops', port: 8081 },
  ],
  endpoints: [
    {
      addresses: ['127.1.2.3'],
      conditions: { ready: true, serving: true },
      targetRef: { kind: 'Pod', name: 'wine-1' },
    },
  ],
  ...changes,
});
const wine1 = {
  owner: 'team/wine',
  pod: 'wine-1',
  revision: 'abc',
  ready: true,
  origin: 'http://127.1.2.3:8081',
};

describe('targetsOf', () => {
  test('finds pod, revision and ops address', () => {
    expect(targetsOf([slice()])).toEqual([wine1]);
  });

  test('leaves the callers’ Service out: it names no revision', () => {
    const { metadata, ...rest } = slice();
    const { [labels.revision]: _revision, ...found } = metadata.labels ?? {};
    expect(targetsOf([{ ...rest, metadata: { ...metadata, labels: found } }])).toEqual([]);
  });

  test.each([
    [{ ready: true, serving: false }, false],
    [{ ready: true, serving: true }, true],
    [{ ready: false }, false],
    [{}, true],
  ])('with conditions %j is ready: %s', (conditions, ready) => {
    const endpoints = [{ addresses: ['127.1.2.3'], conditions, targetRef: { name: 'wine-1' } }];
    expect(targetsOf([slice({ endpoints })])).toMatchObject([{ ready }]);
  });

  test('leaves out pods that end, endpoints without pod or address, slices without ops port', () => {
    const endpoints = [
      { addresses: ['127.1.2.3'], conditions: { terminating: true }, targetRef: { name: 'wine-1' } },
      { addresses: [], targetRef: { name: 'wine-2' } },
      { addresses: ['127.1.2.4'] },
    ];
    expect(targetsOf([slice({ endpoints })])).toEqual([]);
    expect(targetsOf([slice({ ports: [{ name: 'http', port: 8080 }] })])).toEqual([]);
    expect(targetsOf([slice({ ports: null, endpoints: null })])).toEqual([]);
  });

  test('each pod once, also with two IP families; IPv6 addresses in brackets', () => {
    const six = slice({
      addressType: 'IPv6',
      endpoints: [
        { addresses: ['fd00::1'], targetRef: { name: 'wine-1' } },
        { addresses: ['fd00::2'], targetRef: { name: 'wine-2' } },
      ],
    });
    expect(targetsOf([slice(), six])).toMatchObject([
      wine1,
      { pod: 'wine-2', origin: 'http://[fd00::2]:8081' },
    ]);
  });

  test('pods may have ports of their own: one slice per pod', () => {
    const own = slice({
      ports: [{ name: 'ops', port: 41_234 }],
      endpoints: [{ addresses: ['127.0.0.1'], targetRef: { name: 'wine-2' } }],
    });
    expect(targetsOf([own])[0]?.origin).toBe('http://127.0.0.1:41234');
  });
});
