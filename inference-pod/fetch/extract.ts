/** Unpacks a tar archive into a new, empty directory and nowhere else. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ModelError } from '../inspect/model-error.ts';
import { type TarEntry, tarEntries } from './tar.ts';

/** A file that belongs to a model. */
export interface ModelFile {
  /** Relative to the directory of all files. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ExtractOptions {
  /** Most bytes that all files together may have. */
  readonly maxBytes: number;
  /** Throws when so many bytes do not fit on the disk. */
  reserve(bytes: number): Promise<void>;
}

const copyBytes = 1024 * 1024;

/** Unpacks `archive` into `directory`, which must not exist; returns its files. What is there after an error is removed. */
export const extractTar = async (
  archive: string,
  directory: string,
  options: ExtractOptions,
): Promise<ModelFile[]> => {
  const handle = await open(archive, 'r');
  try {
    // Judged whole before anything is written.
    const entries = await judge(handle, options.maxBytes);
    await options.reserve(entries.reduce((sum, { bytes }) => sum + bytes, 0));
    await mkdir(directory);
    try {
      return await write(handle, entries, directory);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await handle.close();
  }
};

const judge = async (handle: FileHandle, maxBytes: number): Promise<TarEntry[]> => {
  const entries: TarEntry[] = [];
  const kinds = new Map<string, TarEntry['kind']>();
  let total = 0;
  for await (const entry of tarEntries(handle)) {
    if (entry.path === '') continue;
    total += entry.bytes;
    if (total > maxBytes)
      throw new ModelError('ModelTooLarge', `the archive holds more than the limit of ${maxBytes} bytes`);
    const twice = () =>
      new ModelError('ModelForbidden', `the archive holds ${JSON.stringify(entry.path)} twice`);
    for (let parent = dirname(entry.path); parent !== '.'; parent = dirname(parent)) {
      if (kinds.get(parent) === 'file') throw twice();
      kinds.set(parent, 'directory');
    }
    const before = kinds.get(entry.path);
    if (before !== undefined && (before === 'file' || entry.kind === 'file')) throw twice();
    kinds.set(entry.path, entry.kind);
    entries.push(entry);
  }
  return entries;
};

const write = async (
  handle: FileHandle,
  entries: readonly TarEntry[],
  directory: string,
): Promise<ModelFile[]> => {
  const files: ModelFile[] = [];
  for (const { kind, path, bytes, start } of entries) {
    const target = join(directory, path);
    if (kind === 'directory') {
      await mkdir(target, { recursive: true, mode: 0o755 });
      continue;
    }
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    files.push({ path, bytes, sha256: await copyOut(handle, start, bytes, target) });
  }
  return files;
};

/** Copies a stretch of the archive into a new file that is read-only, whatever mode the archive asks for. */
const copyOut = async (from: FileHandle, start: number, bytes: number, target: string): Promise<string> => {
  const hash = createHash('sha256');
  const file = await open(
    target,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o444,
  );
  try {
    const buffer = Buffer.allocUnsafe(Math.min(copyBytes, Math.max(1, bytes)));
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, bytes - done), start + done);
      if (bytesRead === 0) throw new ModelError('ModelInvalid', 'the archive is damaged: it is cut off');
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      for (let out = 0; out < bytesRead; ) out += (await file.write(piece, out)).bytesWritten;
      done += bytesRead;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
};
