import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Pod, Volume } from '../../kube/objects.ts';
import { isSafePath, writeAtomically } from './atomic-folder.ts';
import { type FileSources, volumeFiles } from './volume-files.ts';
import { folderBytes, overfullVolume } from './volume-usage.ts';
import { PodVolumes } from './volumes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ballast-volumes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (text: string, mode = 0o644) => ({ data: Buffer.from(text), mode });
const sources = (data: Record<string, string>): FileSources => ({
  pod: { metadata: { name: 'p', labels: { a: 'b' } }, spec: { containers: [] } } as Pod,
  podIP: '',
  hostIP: '',
  allocatable: {},
  token: 'tok',
  configMap: (name) =>
    name === 'cm' ? { metadata: { name }, data, binaryData: { bin: 'AAE=' } } : undefined,
  secret: () => undefined,
});

describe('an API volume', () => {
  test('changes all its files in one step and drops what is gone', () => {
    writeAtomically(
      folder,
      new Map([
        ['a', file('1')],
        ['deep/b', file('2', 0o600)],
      ]),
    );
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('1');
    expect(statSync(join(folder, 'deep/b')).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(folder, '..data')).isSymbolicLink()).toBe(true);
    writeAtomically(
      folder,
      new Map([
        ['a', file('3')],
        ['c', file('4')],
      ]),
    );
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith('..'))
        .sort(),
    ).toEqual(['a', 'c']);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('3');
    expect(readdirSync(folder).filter((name) => name.startsWith('..2')).length).toBe(1);
  });

  test('a reader never meets a mixture', () => {
    for (let version = 0; version < 50; version++) {
      writeAtomically(
        folder,
        new Map([
          ['a', file(String(version))],
          ['b', file(String(version))],
        ]),
      );
      const data = readFileSync(join(folder, '..data/a'), 'utf8');
      expect(readFileSync(join(folder, '..data/b'), 'utf8')).toBe(data);
    }
  });

  test.each([
    ['x', true],
    ['x/y', true],
    ['../x', false],
    ['x/../../y', false],
    ['/etc', false],
    ['..data', false],
    ['', false],
  ])('path %j is safe: %s', (path, want) => {
    expect(isSafePath(path)).toBe(want);
  });

  test.each([
    [{ configMap: { name: 'none' } }, 'configmap "none" not found'],
    [{ configMap: { name: 'cm', items: [{ key: 'k', path: '../up' }] } }, 'invalid path "../up"'],
    [
      { configMap: { name: 'cm', items: [{ key: 'none', path: 'x' }] } },
      'references non-existent config key: none',
    ],
    [{ secret: { secretName: 's' } }, 'secret "s" not found'],
    [{ downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'spec.y' } }] } }, 'unsupported spec.y'],
    [{ projected: { sources: [{ clusterTrustBundle: {} }] } }, 'clusterTrustBundle is not supported'],
  ])('what cannot be had is named: %j', (volume, message) => {
    expect(() => volumeFiles({ name: 'v', ...volume } as Volume, sources({ k: '1' }))).toThrow(message);
  });

  test('optional sources may be missing; binary data and tokens are files', () => {
    expect(volumeFiles({ name: 'v', configMap: { name: 'none', optional: true } }, sources({}))?.size).toBe(
      0,
    );
    const files = volumeFiles({ name: 'v', configMap: { name: 'cm' } }, sources({ k: '1' }));
    expect([...(files ?? [])].map(([name, { data }]) => [name, [...data]])).toEqual([
      ['k', [49]],
      ['bin', [0, 1]],
    ]);
    const token = volumeFiles(
      { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      sources({}),
    );
    expect(token?.get('t')?.data.toString()).toBe('tok');
  });
});

test('a kind of volume that nobody can make is refused by name', () => {
  const volumes = new PodVolumes(folder, () => folder);
  const pod = {
    metadata: {},
    spec: { containers: [], volumes: [{ name: 'v', nfs: { server: 's' } } as never] },
  } as unknown as Pod;
  expect(() => volumes.prepare(pod, sources({}))).toThrow(
    'volume "v": nfs is not supported by the embedded cluster',
  );
});

test('an emptyDir that outgrew its limit is found', async () => {
  writeAtomically(join(folder, 'work'), new Map([['a', file('x'.repeat(3_000))]]));
  expect(await folderBytes(folder)).toBe(3_000);
  const pod = (sizeLimit: string) =>
    ({ spec: { volumes: [{ name: 'work', emptyDir: { sizeLimit } }] } }) as unknown as Pod;
  expect(await overfullVolume(pod('4k'), (name) => join(folder, name))).toBeUndefined();
  expect(await overfullVolume(pod('2k'), (name) => join(folder, name))).toBe(
    'Usage of EmptyDir volume "work" exceeds the limit "2k". ',
  );
});
