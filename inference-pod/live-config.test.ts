import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { LiveConfig } from '../crds/wire.ts';
import { defaultLiveConfig, type LiveConfigWatch, readLiveConfig, watchLiveConfig } from './live-config.ts';
import { until } from './testing/pod.ts';

let dir: string;
let watching: LiveConfigWatch | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ballast-live-'));
});
afterEach(() => {
  watching?.close();
  rmSync(dir, { recursive: true, force: true });
});

const config = (timeoutMs: number): LiveConfig => ({
  version: 1,
  timeoutMs,
  slaLatencyMs: [50],
  digests: { r: 'd' },
});

/** Writes as a kubelet does: a new directory, then the link `..data` is swapped to it in one step. */
const project = (generation: number, text: string) => {
  const data = `..${generation}`;
  mkdirSync(join(dir, data));
  writeFileSync(join(dir, data, 'config.json'), text);
  symlinkSync(data, join(dir, '..data_tmp'));
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  if (generation === 1) symlinkSync('..data/config.json', join(dir, 'config.json'));
};

test('a swap of the mounted directory is seen, and only real changes are told', async () => {
  const told: number[] = [];
  const broken: string[] = [];
  project(1, JSON.stringify(config(100)));
  watching = watchLiveConfig(
    dir,
    ({ timeoutMs }) => told.push(timeoutMs),
    (error) => broken.push(error.message),
    5,
  );
  expect(watching.current).toEqual(config(100));
  project(2, JSON.stringify(config(200)));
  await until(() => told.length === 2);
  project(3, '{"version":1,"timeoutMs":-1}');
  await until(() => broken.length === 1);
  expect(watching.current).toEqual(config(200));
  project(4, JSON.stringify({ ...config(300), unknownToThisPod: true }));
  await until(() => told.length === 3);
  expect(told).toEqual([100, 200, 300]);
});

test('without a file the defaults hold, and one that appears is read', async () => {
  const told: number[] = [];
  watching = watchLiveConfig(
    dir,
    ({ timeoutMs }) => told.push(timeoutMs),
    () => undefined,
    5,
  );
  expect(watching.current).toEqual(defaultLiveConfig);
  project(1, JSON.stringify(config(70)));
  await until(() => told.length === 1);
  unlinkSync(join(dir, 'config.json'));
  expect(watching.current.timeoutMs).toBe(70);
});

test('reading once tells apart absent, broken and good', () => {
  expect(readLiveConfig(dir)).toBeUndefined();
  writeFileSync(join(dir, 'config.json'), '{');
  expect(readLiveConfig(dir)).toBeInstanceOf(Error);
  writeFileSync(join(dir, 'config.json'), JSON.stringify({ ...config(9), version: 2 }));
  expect(readLiveConfig(dir)).toBeInstanceOf(Error);
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config(9)));
  expect(readLiveConfig(dir)).toEqual(config(9));
});
