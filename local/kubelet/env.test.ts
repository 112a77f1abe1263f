import { describe, expect, test } from '@jest/globals';
import type { Container, Pod } from '../../kube/objects.ts';
import { fieldValue, resourceValue } from './downward.ts';
import { containerEnv, type EnvSources, expand } from './env.ts';
import { findImage, repositoryOf } from './image-map.ts';
import { mountTable, rewritePaths } from './paths.ts';
import { serviceLinks } from './service-links.ts';

const container: Container = {
  name: 'c',
  image: 'i',
  resources: { requests: { cpu: '250m' }, limits: { memory: '1Gi', cpu: '1100m' } },
};
const sources: EnvSources = {
  pod: {
    metadata: {
      name: 'p',
      namespace: 'ns',
      uid: 'u',
      labels: { 'a/b': 'x', z: '"q"' },
      annotations: { k: 'v' },
    },
    spec: { containers: [container], nodeName: 'local' },
  } as Pod,
  podIP: '127.16.0.1',
  hostIP: '127.0.0.1',
  allocatable: { cpu: '2', memory: '8Gi' },
  configMap: (name) => (name === 'cm' ? { metadata: { name }, data: { a: '1', b: '2' } } : undefined),
  secret: (name) =>
    name === 's' ? { metadata: { name }, data: { k: Buffer.from('pass').toString('base64') } } : undefined,
};

describe('$(VAR) as Kubernetes expands it', () => {
  const values = new Map([
    ['A', '1'],
    ['B', '$(A)'],
  ]);
  test.each([
    ['$(A)', '1'],
    ['x$(A)y$(A)', 'x1y1'],
    ['$(NONE)', '$(NONE)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$$$$(A)', '$$(A)'],
    ['$A {A} $', '$A {A} $'],
    ['$(A', '$(A'],
    ['$(B)', '$(A)'],
    ['', ''],
  ])('%s → %s', (text, want) => {
    expect(expand(text, values)).toBe(want);
  });
});

test('variables see only those before them, and envFrom gives way to env', () => {
  const env = containerEnv(
    {
      ...container,
      envFrom: [{ configMapRef: { name: 'cm' }, prefix: 'P_' }, { secretRef: { name: 's' } }],
      env: [
        { name: 'FIRST', value: '$(LATER)' },
        { name: 'LATER', value: 'l' },
        { name: 'P_a', value: 'own' },
        { name: 'SUM', value: '$(P_a)$(P_b)$(k)' },
      ],
    } as Container,
    sources,
  );
  expect(Object.fromEntries(env)).toEqual({
    P_a: 'own',
    P_b: '2',
    k: 'pass',
    FIRST: '$(LATER)',
    LATER: 'l',
    SUM: 'own2pass',
  });
});

test.each([
  [{ configMapKeyRef: { name: 'none', key: 'x' } }, 'configmap "none" not found'],
  [{ configMapKeyRef: { name: 'cm', key: 'x' } }, "couldn't find key x in ConfigMap ns/cm"],
  [{ secretKeyRef: { name: 'none', key: 'x' } }, 'secret "none" not found'],
  [{ secretKeyRef: { name: 's', key: 'x' } }, "couldn't find key x in Secret ns/s"],
  [{ fieldRef: { fieldPath: 'spec.nothing' } }, 'unsupported fieldPath: spec.nothing'],
  [{ resourceFieldRef: { resource: 'limits.gpu' } }, 'unsupported container resource: limits.gpu'],
])('a source that is not there is named: %j', (valueFrom, message) => {
  expect(() => containerEnv({ ...container, env: [{ name: 'X', valueFrom }] }, sources)).toThrow(message);
});

test.each([
  ['metadata.name', 'p'],
  ['metadata.uid', 'u'],
  ["metadata.labels['a/b']", 'x'],
  ["metadata.annotations['none']", ''],
  ['metadata.labels', 'a/b="x"\nz="\\"q\\""'],
  ['spec.nodeName', 'local'],
  ['spec.serviceAccountName', 'default'],
  ['status.podIP', '127.16.0.1'],
  ['status.hostIP', '127.0.0.1'],
])('field %s is %j', (path, want) => {
  expect(fieldValue(path, sources)).toBe(want);
});

test.each([
  ['limits.cpu', '1m', '1100'],
  ['limits.cpu', undefined, '2'],
  ['limits.cpu', '0', '2'],
  ['requests.cpu', '1m', '250'],
  ['limits.memory', '1Mi', '1024'],
  ['limits.memory', undefined, '1073741824'],
  ['requests.memory', undefined, '1073741824'],
])('resource %s by %s is %s', (resource, divisor, want) => {
  expect(resourceValue({ resource, ...(divisor === undefined ? {} : { divisor }) }, container, sources)).toBe(
    want,
  );
});

test('a limit that is not set is the node’s', () => {
  expect(resourceValue({ resource: 'limits.cpu' }, { name: 'x', image: 'i' }, sources)).toBe('2');
});

describe('paths of the container become paths of the machine', () => {
  const table = mountTable([
    { from: '/ballast', to: '/real/b' },
    { from: '/ballast/model/', to: '/real/m' },
    { from: '/samples', to: '/repo/samples' },
  ]);
  test.each([
    ['/ballast/model', '/real/m'],
    ['/ballast/model/x.onnx', '/real/m/x.onnx'],
    ['/ballast/config', '/real/b/config'],
    ['/ballastic', '/ballastic'],
    ['file:///samples/wine/model.onnx', 'file:///repo/samples/wine/model.onnx'],
    ['https://host/samples/wine', 'https://host/samples/wine'],
    ['/samples:/opt:/ballast/model', '/repo/samples:/opt:/real/m'],
    ['--model=/ballast/model/x', '--model=/real/m/x'],
    ['--uri=file:///samples/a', '--uri=file:///repo/samples/a'],
    ['samples/wine', 'samples/wine'],
    ['{"uri":"file:///samples/a"}', '{"uri":"file:///repo/samples/a"}'],
    ['', ''],
  ])('%s → %s', (value, want) => {
    expect(rewritePaths(value, table)).toBe(want);
  });
});

describe('images', () => {
  const map = {
    'example.com/x/pod': { command: ['a'] },
    'web:2': { command: ['b'] },
    'localhost:5000/y': { command: ['c'] },
  };
  test.each([
    ['example.com/x/pod', 'a'],
    ['example.com/x/pod:v1', 'a'],
    ['example.com/x/pod:v1@sha256:abc', 'a'],
    ['example.com/x/pod@sha256:abc', 'a'],
    ['web:2', 'b'],
    ['web:3', undefined],
    ['localhost:5000/y', 'c'],
    ['localhost:5000/y:1', 'c'],
    ['constructor', undefined],
  ])('%s is %s', (image, want) => {
    expect(findImage(map, image)?.command[0]).toBe(want);
  });
  test('a port is no tag', () => expect(repositoryOf('localhost:5000/y')).toBe('localhost:5000/y'));
});

test('Services of the namespace are named in variables', () => {
  const service = (name: string, clusterIP: string) => ({
    metadata: { name },
    spec: { clusterIP, ports: [{ name: 'http', port: 8080 }] },
  });
  expect(
    Object.fromEntries(serviceLinks([service('my-wine', '127.96.0.1'), service('headless', 'None')])),
  ).toEqual({
    MY_WINE_SERVICE_HOST: '127.96.0.1',
    MY_WINE_SERVICE_PORT: '8080',
    MY_WINE_SERVICE_PORT_HTTP: '8080',
  });
});
