/** Writes the files of a volume so that a reader sees all of the old ones or all of the new ones, as the kubelet does. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export interface VolumeFile {
  readonly data: Buffer;
  readonly mode: number;
}

/** Relative path → file. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

/** True when a path stays below its folder: no `..`, not absolute. */
export function isSafePath(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..') && !path.startsWith('..');
}

/** True when both hold the same files. */
export function sameFiles(a: VolumeFiles | undefined, b: VolumeFiles): boolean {
  if (a === undefined || a.size !== b.size) return false;
  for (const [path, file] of b) {
    const other = a.get(path);
    if (other === undefined || other.mode !== file.mode || !other.data.equals(file.data)) return false;
  }
  return true;
}

/** Puts the files into the folder: a new subfolder, one rename of `..data`, links from the visible names. */
export function writeAtomically(folder: string, files: VolumeFiles): void {
  mkdirSync(folder, { recursive: true });
  const fresh = mkdtempSync(join(folder, '..'.concat(new Date().toISOString().replaceAll(/[^0-9]/g, '_'))));
  chmodSync(fresh, 0o755);
  for (const [path, { data, mode }] of files) {
    const target = join(fresh, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, data);
    chmodSync(target, mode);
  }
  const data = join(folder, '..data');
  const old = existsSync(data) ? readlinkSync(data) : undefined;
  const next = join(folder, '..data_tmp');
  rmSync(next, { force: true });
  symlinkSync(fresh.slice(folder.length + 1), next);
  renameSync(next, data);
  const visible = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));
  const present = new Set(readdirSync(folder).filter((name) => !name.startsWith('..')));
  for (const name of visible) if (!present.has(name)) symlinkSync(join('..data', name), join(folder, name));
  for (const name of present) if (!visible.has(name)) rmSync(join(folder, name), { force: true });
  if (old !== undefined) rmSync(join(folder, old), { recursive: true, force: true });
}
