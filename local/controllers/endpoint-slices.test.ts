import { describe, expect, test } from '@jest/globals';
import { realClock } from '../../kube/clock.ts';
import type { EndpointSlice, Pod, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { ClusterCache } from './cache.ts';
import { sliceContents, startEndpointSliceController } from './endpoint-slices.ts';
import { EventLog } from './events.ts';
import { portsAnnotation } from './own-ports.ts';
import { InMemoryAccess } from './testing/in-memory-access.ts';

const service = (change: Partial<Service['spec']> = {}): Service => ({
  metadata: { name: 'web', namespace: 'ns', uid: 'svc' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...change },
});
const pod = (
  name: string,
  change: { ready?: boolean; deleted?: boolean; ports?: object; phase?: string; ip?: string } = {},
): Pod =>
  ({
    metadata: {
      name,
      namespace: 'ns',
      uid: name,
      labels: { app: 'web' },
      ...(change.deleted === true ? { deletionTimestamp: 'now' } : {}),
      ...(change.ports === undefined
        ? {}
        : { annotations: { [portsAnnotation]: JSON.stringify(change.ports) } }),
    },
    spec: {
      nodeName: 'local',
      containers: [
        { name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 8080 }, { containerPort: 9000 }] },
      ],
    },
    status: {
      phase: change.phase ?? 'Running',
      podIP: change.ip ?? `127.16.0.${name.length}`,
      conditions: [{ type: 'Ready', status: change.ready === false ? 'False' : 'True' }],
    },
  }) as Pod;

describe('conditions of an endpoint', () => {
  test.each([
    ['ready', {}, false, { ready: true, serving: true, terminating: false }],
    ['not ready', { ready: false }, false, { ready: false, serving: false, terminating: false }],
    ['ready and leaving', { deleted: true }, false, { ready: false, serving: true, terminating: true }],
    [
      'not ready and leaving',
      { deleted: true, ready: false },
      false,
      { ready: false, serving: false, terminating: true },
    ],
    ['not ready but published', { ready: false }, true, { ready: true, serving: false, terminating: false }],
  ] as const)('%s', (_name, change, publishNotReadyAddresses, want) => {
    const [slice] = sliceContents(service({ publishNotReadyAddresses }), [pod('a', change)]);
    expect(slice?.endpoints[0]?.conditions).toEqual(want);
  });
});

test('finished pods and those without an address are left out; an empty Service has one empty slice', () => {
  expect(sliceContents(service(), [pod('a', { phase: 'Failed' }), pod('b', { ip: '' })])).toEqual([
    { ports: [], endpoints: [] },
  ]);
});

test('target ports: by name, by number, none given', () => {
  const ports = (targetPort?: number | string) =>
    sliceContents(
      service({ ports: [{ name: 'p', port: 80, ...(targetPort === undefined ? {} : { targetPort }) }] }),
      [pod('a')],
    )[0]?.ports.map(({ port }) => port);
  expect(ports('http')).toEqual([8080]);
  expect(ports(9000)).toEqual([9000]);
  expect(ports()).toEqual([80]);
  expect(ports('nobody')).toEqual([]);
});

test('pods with ports of their own have a slice each; numbers without a name follow too', () => {
  const both = service({
    ports: [
      { name: 'http', port: 80, targetPort: 'http' },
      { name: 'raw', port: 90, targetPort: 9000 },
    ],
  });
  const contents = sliceContents(both, [
    pod('a', { ports: { http: 40001, 9000: 40002 } }),
    pod('b', { ports: { http: 40003, 9000: 40004 } }),
    pod('c'),
    pod('d'),
  ]);
  expect(contents.map(({ ports, endpoints }) => [ports.map(({ port }) => port), endpoints.length])).toEqual([
    [[40001, 40002], 1],
    [[40003, 40004], 1],
    [[8080, 9000], 2],
  ]);
});

test('more than 100 endpoints are shared out over slices', () => {
  const pods = Array.from({ length: 230 }, (_, index) => pod(`p${index}`));
  expect(sliceContents(service(), pods).map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 30]);
});

test('slices follow the pods in place, are put back when somebody edits them, and say what they belong to', async () => {
  const access = new InMemoryAccess();
  const log = () => undefined;
  const cache = new ClusterCache(access, [resources.pods, resources.services, resources.endpointSlices]);
  const loop = startEndpointSliceController({
    cache,
    clock: realClock,
    log,
    events: new EventLog(access, realClock, log),
  });
  const settle = async () => {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      await loop.idle();
    }
  };
  const slices = () => cache.list<EndpointSlice>(resources.endpointSlices);
  const { uid: _uid, ...metadata } = service().metadata;
  await access.create(resources.services, { ...service({ clusterIP: 'None' }), metadata });
  await access.create(resources.pods, pod('a'));
  await settle();
  const [first] = slices();
  expect(first?.metadata.labels).toMatchObject({
    'kubernetes.io/service-name': 'web',
    'service.kubernetes.io/headless': '',
  });
  expect(first?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Service', name: 'web' });
  await access.create(resources.pods, pod('bb'));
  await settle();
  expect(slices().map(({ metadata: { name }, endpoints }) => [name, endpoints.length])).toEqual([
    [first?.metadata.name, 2],
  ]);
  await access.patch(
    resources.endpointSlices,
    { namespace: 'ns', name: first?.metadata.name ?? '' },
    { endpoints: [] },
  );
  await settle();
  expect(slices()[0]?.endpoints.length).toBe(2);
  await access.delete(resources.pods, { namespace: 'ns', name: 'a' }, { gracePeriodSeconds: 0 });
  await settle();
  expect(slices()[0]?.endpoints.map(({ targetRef }) => targetRef?.name)).toEqual(['bb']);
  await loop.stop();
});
