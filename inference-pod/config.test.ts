import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from './config.ts';
import { readCgroupLimits } from './limits/cgroup.ts';

const withFiles = <T>(files: Readonly<Record<string, string>>, use: (root: string) => T): T => {
  const root = mkdtempSync(join(tmpdir(), 'ballast-cgroup-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
};

describe('cgroup limits', () => {
  const cases: Record<string, { files: Record<string, string>; cpus?: number; memoryBytes?: number }> = {
    'v2 with both limits': {
      files: { 'cpu.max': '150000 100000\n', 'memory.max': '1073741824\n' },
      cpus: 1.5,
      memoryBytes: 1_073_741_824,
    },
    'v2 without limits': { files: { 'cpu.max': 'max 100000\n', 'memory.max': 'max\n' } },
    'v1 with both limits': {
      files: {
        'cpu/cpu.cfs_quota_us': '200000\n',
        'cpu/cpu.cfs_period_us': '100000\n',
        'memory/memory.limit_in_bytes': '536870912\n',
      },
      cpus: 2,
      memoryBytes: 536_870_912,
    },
    'v1 without limits': {
      files: {
        'cpu/cpu.cfs_quota_us': '-1\n',
        'cpu/cpu.cfs_period_us': '100000\n',
        'memory/memory.limit_in_bytes': '9223372036854771712\n',
      },
    },
    'no cgroups': { files: {} },
    'files that make no sense': { files: { 'cpu.max': 'x y', 'memory.max': '-5' } },
  };
  test.each(Object.entries(cases))('%s', (_name, { files, cpus, memoryBytes }) => {
    expect(withFiles(files, readCgroupLimits)).toEqual({ cpus, memoryBytes });
  });
});

describe('threads', () => {
  const threadsOf = (env: Record<string, string>, files: Record<string, string> = {}) =>
    withFiles(files, (root) => readConfig(env, root).threads);
  test.each([
    ['as asked', { BALLAST_THREADS: '3', BALLAST_CPU_LIMIT_MILLICORES: '1000' }, {}, 3],
    ['whole CPUs of the limit', { BALLAST_CPU_LIMIT_MILLICORES: '2900' }, {}, 2],
    ['at least one', { BALLAST_CPU_LIMIT_MILLICORES: '250' }, {}, 1],
    ['from the cgroup', {}, { 'cpu.max': '300000 100000' }, 3],
    ['the node’s without a limit', {}, { 'cpu.max': 'max 100000' }, availableParallelism()],
  ] as const)('%s', (_name, env, files, want) => {
    expect(threadsOf({ ...env }, { ...files })).toBe(want);
  });
});

test('defaults are those of an image', () => {
  const config = readConfig({ PATH: '/bin' }, '/nowhere');
  expect(config).toMatchObject({
    listenHost: '0.0.0.0',
    httpPort: 8080,
    opsPort: 8081,
    modelDir: '/ballast/model',
    configDir: '/ballast/config',
    maxBodyBytes: 16_777_216,
    fileRoots: [],
    memoryLimitBytes: undefined,
    modelVersion: undefined,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('a revision’s hash is the version when none is given', () => {
  expect(readConfig({ BALLAST_REVISION: 'abc' }, '/nowhere').modelVersion).toBe('abc');
  expect(readConfig({ BALLAST_REVISION: 'abc', BALLAST_MODEL_VERSION: '2' }, '/nowhere').modelVersion).toBe(
    '2',
  );
});

test('an empty value means not given', () => {
  expect(
    readConfig({ BALLAST_THREADS: '', BALLAST_MODEL_VERSION: '' }, '/nowhere').modelVersion,
  ).toBeUndefined();
});

test('what Kubernetes adds for a Service called ballast-operator is no mistake', () => {
  const env = {
    BALLAST_OPERATOR_SERVICE_HOST: '10.0.0.1',
    BALLAST_OPERATOR_SERVICE_PORT: '443',
    BALLAST_OPERATOR_SERVICE_PORT_HTTPS: '443',
    BALLAST_OPERATOR_PORT: 'tcp://10.0.0.1:443',
    BALLAST_OPERATOR_PORT_443_TCP_ADDR: '10.0.0.1',
  };
  expect(() => readConfig(env, '/nowhere')).not.toThrow();
});

test.each([
  ['BALLAST_HTPP_PORT', '8080', 'BALLAST_HTPP_PORT is not a variable of the inference pod'],
  ['BALLAST_HTTP_PORTS', '8080', 'BALLAST_HTTP_PORTS is not a variable of the inference pod'],
  ['BALLAST_GRCP_PORT', '9000', 'BALLAST_GRCP_PORT is not a variable of the inference pod'],
  ['BALLAST_HTTP_PORT', '80800', 'BALLAST_HTTP_PORT: '],
  ['BALLAST_THREADS', '0', 'BALLAST_THREADS: '],
  ['BALLAST_THREADS', '1.5', 'BALLAST_THREADS: must be a whole number'],
  ['BALLAST_MODEL_SHA256', 'ABC', 'BALLAST_MODEL_SHA256: must be 64 lower-case hex digits'],
  ['BALLAST_ALLOW_MODEL_CIDR', '10.0.0.0', 'BALLAST_ALLOW_MODEL_CIDR: must be CIDRs such as 10.0.0.0/8'],
])('%s=%s is refused by name', (name, value, message) => {
  expect(() => readConfig({ [name]: value }, '/nowhere')).toThrow(message);
});
