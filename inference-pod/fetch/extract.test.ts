/** security.md S8: archives that want to write elsewhere, more than they say, or without end. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ModelError } from '../inspect/model-error.ts';
import { pax, type TarPart, tar, tarPart } from '../testing/tar.ts';
import { extractTar } from './extract.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ballast-tar-'));
  writeFileSync(join(root, 'secret'), 'secret');
  mkdirSync(join(root, 'work'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const maxBytes = 1_000_000;
const extract = async (archive: Uint8Array) => {
  const path = join(root, 'work/archive.tar');
  writeFileSync(path, archive);
  return extractTar(path, join(root, 'work/out'), { maxBytes, reserve: async () => undefined });
};
/** Every path below the root, so that anything new outside of the archive's directory is seen. */
const everything = (directory = root): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? [path, ...everything(path)] : [path];
  });

const file: TarPart = { name: 'model.onnx', content: 'model' };
const named = (name: string): Buffer => tar(file, { name, content: 'x' });
const long = (name: string): Buffer =>
  tar(tarPart({ name: '././@LongLink', type: 'L', content: `${name}\0` }), { name: 'short', content: 'x' });
const many = (count: number) =>
  Buffer.concat([...Array.from({ length: count }, (_, i) => tarPart({ name: `f${i}` })), Buffer.alloc(1024)]);

const evil: Record<string, [Uint8Array, RegExp]> = {
  'a symbolic link to a file outside': [
    tar(file, { name: 'w', type: '2', link: '/etc/passwd' }),
    /a symbolic link/,
  ],
  'a symbolic link upwards': [tar({ name: 'w', type: '2', link: '../secret' }), /a symbolic link/],
  'a symbolic link inside': [tar(file, { name: 'w', type: '2', link: 'model.onnx' }), /a symbolic link/],
  'a link, then a file through it': [
    tar({ name: 'd', type: '2', link: '..' }, { name: 'd/secret', content: 'x' }),
    /a symbolic link/,
  ],
  'a hard link to a file outside': [tar(file, { name: 'w', type: '1', link: '/etc/passwd' }), /a hard link/],
  'a hard link upwards': [tar({ name: 'w', type: '1', link: '../../secret' }), /a hard link/],
  'a hard link inside': [tar(file, { name: 'w', type: '1', link: 'model.onnx' }), /a hard link/],
  'a character device': [tar({ name: 'w', type: '3' }), /a device/],
  'a block device': [tar({ name: 'w', type: '4' }), /a device/],
  'a pipe': [tar({ name: 'w', type: '6' }), /a pipe/],
  'a contiguous file': [tar({ name: 'w', type: '7' }), /type "7"/],
  'a sparse file of old GNU': [tar({ name: 'w', type: 'S', content: 'x' }), /a sparse file/],
  'a sparse file of new GNU': [
    tar(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '1000000000000' }), file),
    /a sparse file/,
  ],
  'a dump of a directory': [tar({ name: 'w', type: 'D', content: 'x' }), /incremental backup/],
  'a file in volumes': [tar({ name: 'w', type: 'M', content: 'x' }), /several volumes/],
  'a volume label': [tar({ name: 'w', type: 'V' }), /a volume label/],
  'a long link': [tar({ name: 'w', type: 'K', content: '/etc/passwd' }), /long target/],
  'an unknown type': [tar({ name: 'w', type: 'Z' }), /type "Z"/],
  'an absolute name': [named('/etc/cron.d/x'), /is absolute/],
  'two slashes first': [named('//etc/x'), /is absolute/],
  'upwards at the start': [named('../secret'), /leads upwards/],
  'upwards in the middle': [named('a/../../secret'), /leads upwards/],
  'upwards at the end': [named('a/..'), /leads upwards/],
  'upwards that stays inside': [named('a/../b'), /leads upwards/],
  'upwards after a dot': [named('./../secret'), /leads upwards/],
  backslashes: [named('..\\secret'), /a backslash/],
  'a drive': [named('C:/x'), /is absolute/],
  'a drive without a slash': [named('c:x'), /is absolute/],
  'a newline in a name': [named('a\nb'), /control characters/],
  'an escape in a name': [named('a\u001b[2Jb'), /control characters/],
  'a name that is not UTF-8': [
    tar({ name: 'x', patch: (header) => header.fill(0xff, 0, 4) }),
    /no valid UTF-8/,
  ],
  'an empty name': [tar({ name: '', content: 'x' }), /is empty/],
  'a file called .': [tar({ name: '.', content: 'x' }), /a file without a name/],
  'only slashes and dots': [tar({ name: './/./', content: 'x' }), /names no file|without a name/],
  'upwards by the prefix': [tar({ name: 'secret', prefix: '..', content: 'x' }), /leads upwards/],
  'absolute by the prefix': [tar({ name: 'x', prefix: '/etc', content: 'x' }), /is absolute/],
  'upwards by a GNU long name': [long('../secret'), /leads upwards/],
  'absolute by a GNU long name': [long(`/${'a/'.repeat(60)}x`), /is absolute/],
  'a name of 2000 characters': [long('a/'.repeat(1000)), /longer than 1024/],
  'a part of 300 bytes': [long('a'.repeat(300)), /more than 255 bytes/],
  'upwards by pax': [tar(pax({ path: '../secret' }), file), /leads upwards/],
  'NUL by pax': [tar(pax({ path: 'a\0b' }), file), /control characters/],
  'a name for all by pax': [tar(pax({ path: 'x' }, 'g'), file), /to all entries/],
  'a pax record of the wrong length': [
    tar(tarPart({ type: 'x', content: '99 path=x\n' }), file),
    /record of the wrong length/,
  ],
  'a pax record of length 0': [tar(tarPart({ type: 'x', content: '0 path=x\n' }), file), /wrong length/],
  'a pax header of a megabyte': [
    tar(tarPart({ type: 'x', content: Buffer.alloc(1_000_000) }), file),
    /a header of 1000000/,
  ],
  'a pax size that is no number': [tar(pax({ size: '-5' }), file), /size that is no number/],
  'a pax size beyond the archive': [tar(pax({ size: '9007199254740991' }), file), /cut off/],
  'nested too deeply': [named(`${'d/'.repeat(20)}x`), /deeper than 16/],
  'the same file twice': [tar(file, file), /"model.onnx" twice/],
  'the same file by another spelling': [tar(file, { ...file, name: './model.onnx' }), /twice/],
  'a file where a directory is': [
    tar({ name: 'a/b', content: 'x' }, { name: 'a', content: 'x' }),
    /"a" twice/,
  ],
  'a directory where a file is': [tar({ name: 'a', content: 'x' }, { name: 'a/b/c', content: 'x' }), /twice/],
  'a size beyond the archive': [tar({ ...file, size: 1_000_000 }), /cut off/],
  'a size of 8 EiB': [tar({ ...file, size: `\x80${'\x7f'.repeat(11)}` }), /size is too large/],
  'a negative size': [tar({ ...file, size: '\xff'.repeat(12) }), /size is negative/],
  'a size that is no number': [tar({ ...file, size: 'many bytes ' }), /no octal number/],
  'a wrong checksum': [tar({ ...file, checksum: false }), /wrong checksum/],
  'cut off in a file': [tar({ name: 'w', content: Buffer.alloc(2000) }).subarray(0, 1500), /cut off/],
  'cut off in a header': [tar(file).subarray(0, 1200), /cut off/],
  'no end': [tarPart(file), /cut off/],
  'rubbish between': [
    Buffer.concat([tarPart(file), Buffer.alloc(512, 0x41), Buffer.alloc(1024)]),
    /no header at byte 1024/,
  ],
  'a directory with a content': [tar({ name: 'd/', type: '5', content: 'x' }), /directory has a content/],
  'more bytes than the limit': [
    tar({ name: 'w', content: Buffer.alloc(maxBytes + 1) }),
    /more than the limit/,
  ],
  'more bytes than the limit together': [
    tar({ name: 'a', content: Buffer.alloc(600_000) }, { name: 'b', content: Buffer.alloc(600_000) }),
    /more than the limit/,
  ],
  'ten thousand and one entries': [many(10_001), /more than 10000 entries/],
};

test('the corpus is as large as it should be', () => {
  expect(Object.keys(evil).length).toBeGreaterThanOrEqual(40);
});

describe('refused, and nothing is written', () => {
  test.each(Object.entries(evil))('%s', async (_name, [archive, message]) => {
    const before = everything();
    const error: unknown = await extract(archive).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ModelError);
    expect((error as Error).message).toMatch(message);
    expect(['ModelForbidden', 'ModelInvalid', 'ModelTooLarge']).toContain((error as ModelError).reason);
    expect(everything().filter((path) => !before.includes(path))).toEqual([join(root, 'work/archive.tar')]);
    expect(readFileSync(join(root, 'secret'), 'utf8')).toBe('secret');
  });
});

describe('taken', () => {
  const deep = `${'folder/'.repeat(14)}${'n'.repeat(90)}.onnx`;
  test.each<[string, Buffer, Record<string, string>]>([
    [
      'files and directories',
      tar({ name: './', type: '5' }, { name: './d/', type: '5' }, { ...file, name: './d/model.onnx' }),
      { 'd/model.onnx': 'model' },
    ],
    [
      'a file without its directory before it',
      tar({ ...file, name: 'a/b/model.onnx' }),
      { 'a/b/model.onnx': 'model' },
    ],
    ['old files, whose type is NUL', tar({ ...file, type: '\0' }), { 'model.onnx': 'model' }],
    [
      'a GNU long name',
      tar(tarPart({ name: '././@LongLink', type: 'L', content: `${deep}\0` }), { name: 'cut', content: 'x' }),
      { [deep]: 'x' },
    ],
    [
      'a pax name in UTF-8 and a time',
      tar(pax({ path: 'größe/模型.onnx', mtime: '1.5' }), { name: 'x', content: 'y' }),
      { 'größe/模型.onnx': 'y' },
    ],
    ['a comment for all', tar(pax({ comment: 'git archive' }, 'g'), file), { 'model.onnx': 'model' }],
    ['the prefix of POSIX', tar({ ...file, prefix: 'a/b' }), { 'a/b/model.onnx': 'model' }],
    ['bytes after the end', Buffer.concat([tar(file), Buffer.from('rubbish')]), { 'model.onnx': 'model' }],
    ['an empty file', tar({ name: 'e' }), { e: '' }],
    ['modes that nobody may set', tar({ ...file, mode: 0o6777 }), { 'model.onnx': 'model' }],
  ])('%s', async (_name, archive, want) => {
    const files = await extract(archive);
    const got = Object.fromEntries(
      files.map(({ path }) => [path, readFileSync(join(root, 'work/out', path), 'utf8')]),
    );
    expect(got).toEqual(want);
    for (const { path } of files) expect(lstatSync(join(root, 'work/out', path)).mode & 0o7777).toBe(0o444);
  });
  test('into a new directory only', async () => {
    await extract(tar(file));
    await expect(extract(tar(file))).rejects.toThrow('EEXIST');
    expect(existsSync(join(root, 'work/out/model.onnx'))).toBe(true);
  });
});
