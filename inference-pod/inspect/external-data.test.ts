/** security.md S9: weights in other files, where a model may say that they are. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { externalConstant, externalTable, type Place } from '../testing/external.ts';
import { dataFilesOf, inspectModel } from './inspect-model.ts';
import { ModelError } from './model-error.ts';

let root: string;
const weights = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ballast-external-'));
  mkdirSync(join(root, 'm/sub'), { recursive: true });
  writeFileSync(join(root, 'secret'), weights);
  writeFileSync(join(root, 'm/w.bin'), weights);
  writeFileSync(join(root, 'm/sub/w.bin'), Buffer.concat([Buffer.alloc(64), weights]));
  symlinkSync('../secret', join(root, 'm/link'));
  symlinkSync('w.bin', join(root, 'm/inner'));
  symlinkSync('..', join(root, 'm/up'));
  linkSync(join(root, 'secret'), join(root, 'm/hard'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const inspect = (bytes: Uint8Array) => {
  writeFileSync(join(root, 'm/model.onnx'), bytes);
  return inspectModel(join(root, 'm/model.onnx'), true);
};

const evil: Record<string, [Place, RegExp]> = {
  upwards: [{ location: '../secret' }, /leads upwards/],
  'upwards from inside': [{ location: 'sub/../../secret' }, /leads upwards/],
  absolute: [{ location: '/etc/passwd' }, /is absolute/],
  'a drive': [{ location: 'C:\\secret' }, /backslash/],
  'NUL after a good name': [{ location: 'w.bin\0/../../secret' }, /control characters/],
  'no place': [{ offset: '0' }, /does not say in which/],
  'an empty place': [{ location: '' }, /is empty/],
  'a symbolic link out': [{ location: 'link' }, /behind a link/],
  'a symbolic link inside': [{ location: 'inner' }, /behind a link/],
  'through a linked directory': [{ location: 'up/secret' }, /behind a link/],
  'a hard link': [{ location: 'hard' }, /2 names \(hard links\)/],
  'a directory': [{ location: 'sub' }, /no regular file/],
  'a file that is not there': [{ location: 'none' }, /no such file came/],
  'memory of the process (onnxruntime’s own tag)': [
    { location: '*/_ORT_MEM_ADDR_/*', offset: '4096' },
    /no such file came/,
  ],
  'an unknown property': [{ location: 'w.bin', basepath: '/etc' }, /unknown property 'basepath'/],
  'a negative offset': [{ location: 'w.bin', offset: '-1' }, /no whole number/],
  'an offset in hex': [{ location: 'w.bin', offset: '0x10' }, /no whole number/],
  'an offset that overflows': [{ location: 'w.bin', offset: '18446744073709551615' }, /no whole number/],
  'an offset near 2^53': [{ location: 'w.bin', offset: '9007199254740991' }, /which has 24/],
  'an offset past the end': [{ location: 'w.bin', offset: '4' }, /bytes 4 to 28 of 'w.bin', which has 24/],
  'a shorter length': [{ location: 'w.bin', length: '8' }, /8 bytes in 'w.bin', where their shape wants 24/],
  'a longer length': [{ location: 'w.bin', length: '1000000' }, /wants 24/],
};

describe('refused', () => {
  test.each(Object.entries(evil))('%s', (_name, [place, message]) => {
    const refusal = (bytes: Uint8Array) => {
      try {
        inspect(bytes);
      } catch (error) {
        return error;
      }
    };
    const error = refusal(externalTable(place));
    expect(error).toBeInstanceOf(ModelError);
    expect((error as Error).message).toMatch(message);
    // The same place in a node's attribute; of its 8 bytes some places hold enough.
    if (place.offset !== '4' && place.length !== '8')
      expect(refusal(externalConstant(place))).toBeInstanceOf(ModelError);
  });
  test('a tensor that claims more than the file has', () => {
    expect(() => inspect(externalTable({ location: 'w.bin' }, 1_000_000_000, 1_000_000))).toThrow(
      /which has 24/,
    );
  });
  test('strings', () => {
    expect(() => inspect(externalTable({ location: 'w.bin' }, 3, 2, 8))).toThrow(/of type string/);
  });
  test('the same property twice', () => {
    const twice = externalTable({ location: 'w.bin', LOCATION: '../secret' });
    // The second key becomes the first one again.
    const at = Buffer.from(twice).indexOf('LOCATION');
    Buffer.from(twice.buffer, twice.byteOffset).write('location', at);
    expect(() => inspect(twice)).toThrow(/names the location of a tensor's data twice/);
  });
});

describe('taken', () => {
  test.each<[string, Place, string[]]>([
    ['the whole file', { location: 'w.bin' }, ['w.bin']],
    [
      'with all that ONNX writes',
      { location: 'w.bin', offset: '0', length: '24', checksum: 'ab' },
      ['w.bin'],
    ],
    ['in a directory, at an offset', { location: './sub/w.bin', offset: '64', length: '24' }, ['sub/w.bin']],
  ])('%s', (_name, place, files) => {
    expect(inspect(externalTable(place)).dataFiles).toEqual(files);
    expect(dataFilesOf(join(root, 'm/model.onnx'))).toEqual(files);
  });
  test('more than 4 GB, of which nothing is read', () => {
    const rows = 600_000_000;
    writeFileSync(join(root, 'm/big'), '');
    truncateSync(join(root, 'm/big'), rows * 8);
    const before = process.memoryUsage.rss();
    expect(inspect(externalTable({ location: 'big' }, rows)).dataFiles).toEqual(['big']);
    expect(process.memoryUsage.rss() - before).toBeLessThan(50_000_000);
    truncateSync(join(root, 'm/big'), rows * 8 - 1);
    expect(() => inspect(externalTable({ location: 'big' }, rows))).toThrow(/which has 4799999999/);
  });
});
