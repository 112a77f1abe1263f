/** Both images, built if need be and opened in a folder of their own that `close` removes. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { requireProgram } from '../../../scripts/buildah.ts';
import { buildImage, buildImages, type Images } from '../../../scripts/images.ts';
import { type OpenImage, openImage } from './archive.ts';

export const root = join(import.meta.dirname, '..', '..', '..');
const stateDir = join(root, '.ballast');

/** Building takes a minute, more while the machine is busy. */
export const buildLimitMs = 600_000;

export interface Fixture {
  readonly folder: string;
  readonly archives: Images;
  readonly operator: OpenImage;
  readonly inferencePod: OpenImage;
  close(): void;
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

/** Ends the containers of a folder and removes it. */
function remove(folder: string): void {
  const state = join(folder, 'state');
  if (existsSync(state))
    for (const id of readdirSync(state)) spawnSync('runc', ['--root', state, 'delete', '--force', id]);
  rmSync(folder, { recursive: true, force: true });
}

/** What a run that was killed left behind. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = /^test-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(join(base, name));
  }
}

const say = (line: string) => process.stderr.write(`${line}\n`);

/** Builds and opens the images. */
export async function openFixture(): Promise<Fixture> {
  const base = join(stateDir, 'images');
  mkdirSync(base, { recursive: true });
  sweep(base);
  const archives = await buildImages({ stateDir, say });
  const folder = mkdtempSync(join(base, `test-${process.pid}-`));
  return {
    folder,
    archives,
    operator: openImage(archives.operator.archive, join(folder, 'operator')),
    inferencePod: openImage(archives.inferencePod.archive, join(folder, 'inference-pod')),
    close: () => remove(folder),
  };
}

/** Builds the inference pod for another architecture, where it cannot be run, and opens it in `folder`. */
export async function openForeignPod(architecture: string, folder: string): Promise<OpenImage> {
  const { archive } = await buildImage('inference-pod', { stateDir, say, architecture });
  return openImage(archive, folder);
}

/** runc runs the images as a kubelet would. */
export const requireRunc = (): void => requireProgram('runc', say);
