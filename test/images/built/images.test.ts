/** What is in the images: their files, sizes, user, labels; nothing that does not run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { operatorNodeEnv, operatorNodeFlags, podNodeEnv, podNodeFlags } from '../../../local/bundles.ts';
import { compressedBytes, type Entry, type Layer, type OpenImage, unpackLayers } from './archive.ts';
import { buildLimitMs, type Fixture, openFixture, openForeignPod, root } from './fixture.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
}, buildLimitMs);
afterAll(() => fixture?.close());

const imageOf = (key: 'operator' | 'inferencePod'): OpenImage => fixture[key];
/** The layers that the Dockerfile adds: the base, made here, is one layer. */
const addedBy = (image: OpenImage): readonly Layer[] => image.layers.slice(1);
const entriesOf = (image: OpenImage): readonly Entry[] => addedBy(image).flatMap((layer) => layer.entries);
const filesOf = (image: OpenImage) => entriesOf(image).filter(({ type }) => type !== 'folder');

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;
const sum = (numbers: readonly number[]) => numbers.reduce((total, value) => total + value, 0);

const onnxruntime = (processor: string) => [
  `app/node_modules/onnxruntime-node/bin/napi-v6/linux/${processor}/libonnxruntime.so.1`,
  `app/node_modules/onnxruntime-node/bin/napi-v6/linux/${processor}/onnxruntime_binding.node`,
];

describe.each([
  { key: 'operator', name: 'operator', most: 15, flags: operatorNodeFlags, file: 'operator.mjs' },
  { key: 'inferencePod', name: 'inference-pod', most: 60, flags: podNodeFlags, file: 'inference-pod.mjs' },
] as const)('the image of $name', ({ key, name, most, flags, file }) => {
  test('is called as the chart calls it', () => {
    expect(imageOf(key).tags).toEqual([`docker.io/ballast/${name}:${version}`]);
    expect(imageOf(key).config).toMatchObject({
      os: 'linux',
      architecture: { x64: 'amd64' }[process.arch as 'x64'] ?? process.arch,
    });
  });

  test('runs node on its program as user 65532', () => {
    const { config } = imageOf(key).config;
    expect(config.User).toBe('65532:65532');
    expect(config.Entrypoint).toEqual(['/nodejs/bin/node', ...flags, `/app/${file}`]);
    const labels = Object.entries(config.Labels).filter(([label]) =>
      label.startsWith('org.opencontainers.image.'),
    );
    expect(labels).toHaveLength(8);
    for (const [label, value] of labels) expect([label, value]).toEqual([label, expect.stringMatching(/\S/)]);
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/),
      'org.opencontainers.image.created': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/),
    });
  });

  test(`adds at most ${most} MB to its base`, () => {
    const image = imageOf(key);
    const added = sum(addedBy(image).map(({ bytes }) => bytes));
    const sent = sum(addedBy(image).map(compressedBytes));
    const base = image.layers[0];
    process.stderr.write(
      `${name}: adds ${megabytes(added)} MB to its base (${megabytes(sent)} MB compressed), at most ${most}; ` +
        `the local base is ${megabytes(base?.bytes ?? 0)} MB; ${filesOf(image).length} files\n`,
    );
    expect(megabytes(added)).toBeLessThanOrEqual(most);
    expect(added).toBeGreaterThan(1e6);
  });

  test('holds files that root owns and nobody may write', () => {
    for (const { path, type, mode, owner } of entriesOf(imageOf(key)))
      expect([path, type, mode, owner]).toEqual([
        path,
        expect.stringMatching(/^(file|folder)$/),
        type === 'folder' ? 'rwxr-xr-x' : 'r--r--r--',
        '0/0',
      ]);
  });

  test('holds no npm, shell, source, test, map or manifest of a package that is bundled', () => {
    const paths = filesOf(imageOf(key)).map(({ path }) => path);
    const unwanted =
      /(\.(ts|map|md|sh|py|lock|npmrc|yaml|log)$)|(^|\/)(npm|npx|sh|bash|busybox|test|tests|testing|coverage)(\/|$)/;
    expect(paths.filter((path) => unwanted.test(path))).toEqual(['licenses/THIRD-PARTY.md']);
    expect(paths.filter((path) => /cuda|tensorrt|rocm|\.dll$|\.dylib$|darwin|win32/i.test(path))).toEqual([]);
  });

  test('brings the licences of what it holds', () => {
    unpackLayers(imageOf(key), join(fixture.folder, `${name}-licences`));
    const text = readFileSync(join(fixture.folder, `${name}-licences`, 'licenses/THIRD-PARTY.md'), 'utf8');
    const packages = text.match(/^## \S+ \d+\.\d+\.\d+/gm) ?? [];
    expect(packages.length).toBeGreaterThan(30);
    expect(text).toMatch(/^## zod 4/m);
    expect(text.match(/Permission is hereby granted/g)?.length ?? 0).toBeGreaterThan(packages.length / 2);
  });
});

test('the operator is its bundle and nothing else', () => {
  const paths = filesOf(fixture.operator).map(({ path }) => path);
  expect(paths).toContain('app/operator.mjs');
  expect(paths.filter((path) => !/^app\/[\w-]+\.mjs$|^licenses\//.test(path))).toEqual([]);
  const { config } = fixture.operator.config;
  expect(config.Env).toEqual([
    expect.stringMatching(/^PATH=/),
    'NODE_ENV=production',
    `MALLOC_ARENA_MAX=${operatorNodeEnv.MALLOC_ARENA_MAX}`,
  ]);
  expect(config.WorkingDir).toBe('/app');
});

test('the inference pod is its bundle, one onnxruntime and the samples', () => {
  const paths = filesOf(fixture.inferencePod).map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['app/inference-pod.mjs', 'app/runner-worker.mjs']));
  const others = paths.filter(
    (path) => !/^app\/[\w-]+\.mjs$|^licenses\/|\/package\.json$|\/dist\/.*\.js$/.test(path),
  );
  const samples = readdirSync(join(root, 'samples')).filter((name) => !/\./.test(name));
  expect(samples).toHaveLength(4);
  expect(others.sort()).toEqual(
    [...onnxruntime(process.arch), ...samples.map((name) => `samples/${name}/model.onnx`)].sort(),
  );
  const { config } = fixture.inferencePod.config;
  expect(config.Env).toEqual([
    expect.stringMatching(/^PATH=/),
    'NODE_ENV=production',
    'ORT_DISABLE_TELEMETRY=1',
    'BALLAST_FILE_ROOTS=/samples',
    `GLIBC_TUNABLES=${podNodeEnv.GLIBC_TUNABLES}`,
    `MALLOC_ARENA_MAX=${podNodeEnv.MALLOC_ARENA_MAX}`,
  ]);
  expect(config.WorkingDir).toBe('/empty');
  expect(entriesOf(fixture.inferencePod).filter(({ path }) => path.startsWith('empty/'))).toEqual([]);
});

test(
  'the other architecture gets its own onnxruntime',
  async () => {
    const [architecture, processor, machine] =
      process.arch === 'x64' ? (['arm64', 'arm64', 0xb7] as const) : (['amd64', 'x64', 0x3e] as const);
    const pod = await openForeignPod(architecture, join(fixture.folder, architecture));
    expect(pod.config.architecture).toBe(architecture);
    const native = filesOf(pod).filter(({ path }) => /\.(node|so\.1)$/.test(path));
    expect(native.map(({ path }) => path).sort()).toEqual(onnxruntime(processor));
    unpackLayers(pod, join(fixture.folder, `${architecture}-files`));
    // The processor that an ELF file is for stands at byte 18.
    for (const { path } of native)
      expect(readFileSync(join(fixture.folder, `${architecture}-files`, path)).readUInt16LE(18)).toBe(
        machine,
      );
  },
  buildLimitMs,
);
