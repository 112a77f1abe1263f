/** Models of several files: a `.tar`, a directory of a volume, or a file of a volume with its weights beside it. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { externalTable } from '../testing/external.ts';
import { classifier } from '../testing/models.ts';
import { makePodDirectory, memoryLogger, type PodDirectory } from '../testing/pod.ts';
import { pax, type TarPart, tar } from '../testing/tar.ts';
import { type FetchOptions, fetchModel } from './fetch-model.ts';
import { digestOfList } from './model-files.ts';

const weights = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const table = Buffer.from(externalTable({ location: 'data/w.bin' }));
const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');

let directory: PodDirectory;
beforeEach(() => {
  directory = makePodDirectory();
});
afterEach(() => directory.remove());

const claim = (path: string) => join(directory.root, 'claim', path);
const fetched = (path: string) => join(directory.root, 'model', path);
const fetchUri = (uri: string, options: Partial<FetchOptions> = {}) =>
  fetchModel({
    uri,
    sha256: undefined,
    recordedSha256: undefined,
    modelDir: join(directory.root, 'model'),
    claimDir: join(directory.root, 'claim'),
    fileRoots: [join(directory.root, 'files')],
    maxBytes: 1_000_000,
    allowCidrs: [],
    attempts: 1,
    backOffMs: 1,
    stallMs: 300,
    log: memoryLogger(),
    ...options,
  });
const put = (files: Record<string, Uint8Array | string>) => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(claim(path), '..'), { recursive: true });
    writeFileSync(claim(path), content);
  }
};

describe('an archive', () => {
  const archive = tar(
    { name: './', type: '5' },
    { name: './._model.onnx', content: 'of a Mac' },
    { name: './model.onnx', content: table },
    { name: './README.md', content: 'hello' },
    { name: './data/w.bin', content: weights },
  );
  test('is unpacked, keeps only what the model needs, and is known by its own digest', async () => {
    put({ 'm.tar': archive });
    const manifest = await fetchUri('pvc://c/m.tar', { sha256: sha256(archive) });
    expect(manifest).toEqual({
      uri: 'pvc://c/m.tar',
      sha256: sha256(archive),
      bytes: table.length + weights.length,
      entry: 'files/model.onnx',
      files: [
        { path: 'files/model.onnx', bytes: table.length, sha256: sha256(table) },
        { path: 'files/data/w.bin', bytes: 24, sha256: sha256(weights) },
      ],
    });
    expect(readdirSync(fetched('')).sort()).toEqual(['files', 'manifest.json']);
    expect(readdirSync(fetched('files')).sort()).toEqual(['data', 'model.onnx']);
    expect(readFileSync(fetched('files/data/w.bin')).equals(weights)).toBe(true);
  });
  test('is not unpacked when its digest is another', async () => {
    put({ 'm.tar': archive });
    await expect(fetchUri('pvc://c/m.tar', { sha256: 'a'.repeat(64) })).rejects.toMatchObject({
      reason: 'DigestMismatch',
    });
    expect(readdirSync(fetched(''))).toEqual([]);
  });
  test('is found whole by the next run, and brought anew when one of its files was changed', async () => {
    put({ 'm.tar': archive });
    await fetchUri('pvc://c/m.tar');
    put({ 'm.tar': 'gone' });
    expect((await fetchUri('pvc://c/m.tar')).sha256).toBe(sha256(archive));
    chmodSync(fetched('files/data/w.bin'), 0o644);
    writeFileSync(fetched('files/data/w.bin'), Buffer.alloc(24));
    await expect(fetchUri('pvc://c/m.tar')).rejects.toMatchObject({ reason: 'ModelInvalid' });
    put({ 'm.tar': archive });
    await fetchUri('pvc://c/m.tar');
    expect(readFileSync(fetched('files/data/w.bin')).equals(weights)).toBe(true);
  });
  test.each<[string, readonly (TarPart | Buffer)[], string, string]>([
    [
      'with no model',
      [{ name: 'a.txt', content: 'x' }],
      'ModelInvalid',
      'the archive holds no file that ends in .onnx',
    ],
    [
      'with two models',
      [
        { name: 'a.onnx', content: table },
        { name: 'b.onnx', content: table },
      ],
      'ModelInvalid',
      'the archive holds 2 models (a.onnx, b.onnx): keep one, or call the right one model.onnx',
    ],
    [
      'without the weights',
      [{ name: 'model.onnx', content: table }],
      'ModelNotFound',
      'no such file came with the model',
    ],
    [
      'with weights behind a link',
      [
        { name: 'model.onnx', content: table },
        { name: 'data', type: '2', link: '/etc' },
      ],
      'ModelForbidden',
      'a symbolic link',
    ],
    ['with a web page as model', [{ name: 'model.onnx', content: '<html>' }], 'ModelInvalid', 'HTML page'],
    [
      'that unfolds beyond the limit',
      [pax({ comment: 'x' }), { name: 'model.onnx', content: Buffer.alloc(999_000) }],
      'ModelTooLarge',
      'the limit',
    ],
  ])('%s is refused and leaves nothing', async (_name, parts, reason, message) => {
    put({ 'm.tar': tar(...parts) });
    await expect(fetchUri('pvc://c/m.tar', { maxBytes: 998_000 })).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(message),
    });
    expect(readdirSync(fetched(''))).toEqual([]);
  });
  test('of one file is a model like any other', async () => {
    put({ 'm.tar': tar({ name: 'export/iris.onnx', content: Buffer.from(classifier()) }) });
    expect((await fetchUri('pvc://c/m.tar')).entry).toBe('files/export/iris.onnx');
  });
});

describe('a volume', () => {
  test('a directory: its model and the files that it names, by the digest of their list', async () => {
    put({
      'd/model.onnx': table,
      'd/data/w.bin': weights,
      'd/checkpoint': 'x',
      'd/.cache/old.onnx': 'x',
      'd/sub/other.onnx': 'x',
    });
    const manifest = await fetchUri('pvc://c/d');
    const list = `${sha256(weights)}  data/w.bin\n${sha256(table)}  model.onnx\n`;
    expect(manifest).toMatchObject({
      sha256: sha256(list),
      entry: 'files/model.onnx',
      bytes: table.length + 24,
    });
    expect(existsSync(fetched('files/checkpoint'))).toBe(false);
    await fetchUri('pvc://c/d', { sha256: sha256(list) });
    await expect(fetchUri('pvc://c/d', { recordedSha256: 'b'.repeat(64) })).rejects.toMatchObject({
      reason: 'DigestMoved',
    });
  });
  test('a file with its weights beside it', async () => {
    put({ 'bert.onnx': table, 'data/w.bin': weights });
    expect((await fetchUri('pvc://c/bert.onnx')).files?.map(({ path }) => path)).toEqual([
      'files/bert.onnx',
      'files/data/w.bin',
    ]);
  });
  test('a directory with a model in one file', async () => {
    put({ 'd/iris.onnx': classifier() });
    expect(await fetchUri('pvc://c/d')).toEqual({
      uri: 'pvc://c/d',
      bytes: classifier().length,
      sha256: sha256(classifier()),
    });
  });
  test('links stay inside; a hard link becomes a file of its own', async () => {
    put({ 'd/model.onnx': table, 'd/real': weights, secret: weights });
    mkdirSync(claim('d/data'));
    symlinkSync('../../secret', claim('d/data/w.bin'));
    await expect(fetchUri('pvc://c/d')).rejects.toMatchObject({ reason: 'ModelForbidden' });
    expect(readdirSync(fetched(''))).toEqual([]);
    put({ 'e/model.onnx': table, 'e/real': weights });
    mkdirSync(claim('e/data'));
    linkSync(claim('e/real'), claim('e/data/w.bin'));
    expect((await fetchUri('pvc://c/e')).bytes).toBe(table.length + 24);
  });
  test('weights that are missing, or too many', async () => {
    put({ 'd/model.onnx': table });
    await expect(fetchUri('pvc://c/d')).rejects.toMatchObject({ reason: 'ModelNotFound' });
    put({ 'd/data/w.bin': weights });
    await expect(fetchUri('pvc://c/d', { maxBytes: table.length + 23 })).rejects.toMatchObject({
      reason: 'ModelTooLarge',
    });
    expect(readdirSync(fetched(''))).toEqual([]);
  });
});

test('the digest of several files is that of the list that sha256sum writes, in the order of their names', () => {
  const files = ['b', 'a/z', 'a.onnx'].map((path) => ({ path, sha256: sha256(path) }));
  const lines = ['a.onnx', 'a/z', 'b'].map((path) => `${sha256(path)}  ${path}\n`);
  expect(digestOfList(files)).toBe(sha256(lines.join('')));
});
