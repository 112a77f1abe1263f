/** Copies a model from a mounted directory without ever leaving it. */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { messageOf } from '../../protocol/errors.ts';
import { ModelError } from '../inspect/model-error.ts';
import type { PartFile } from './part-file.ts';

export interface CopyOptions {
  readonly maxBytes: number;
  reserve(bytes: number): Promise<void>;
  progress(bytes: number, totalBytes: number): void;
}

/** The real path of a file below one of the roots; symlinks may point inside the root, never out of it. */
export const containedPath = async (path: string, roots: readonly string[]): Promise<string> => {
  for (const root of roots) {
    let realRoot: string;
    try {
      realRoot = await realpath(root);
    } catch {
      continue;
    }
    const wanted = isAbsolute(path) ? resolve(path) : join(resolve(root), path);
    if (wanted !== resolve(root) && !wanted.startsWith(resolve(root) + sep)) continue;
    let real: string;
    try {
      real = await realpath(wanted);
    } catch (error) {
      throw accessError(wanted, error);
    }
    if (!real.startsWith(realRoot + sep))
      throw new ModelError('ModelForbidden', `${path} leads out of ${root}, which is refused`);
    return real;
  }
  throw new ModelError(
    'ModelForbidden',
    roots.length === 0
      ? `${path} cannot be read: this image brings no directory for file:// URIs`
      : `${path} is not below ${roots.join(' or ')}`,
  );
};

/** Copies the file into the part file. */
export const copyLocal = async (path: string, part: PartFile, options: CopyOptions): Promise<void> => {
  await part.restart();
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw accessError(path, error);
  }
  try {
    const stat = await handle.stat();
    if (stat.isDirectory())
      throw new ModelError('ModelUnsupported', `${path} is a directory: name the .onnx file in it`);
    if (!stat.isFile()) throw new ModelError('ModelUnsupported', `${path} is no regular file`);
    if (stat.size > options.maxBytes)
      throw new ModelError(
        'ModelTooLarge',
        `the model has ${stat.size} bytes, the limit is ${options.maxBytes}`,
      );
    await options.reserve(stat.size);
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 })) {
      if (part.bytes + (chunk as Buffer).length > options.maxBytes)
        throw new ModelError(
          'ModelTooLarge',
          `the model grows beyond the limit of ${options.maxBytes} bytes`,
        );
      await part.append(chunk as Buffer);
      options.progress(part.bytes, stat.size);
    }
  } finally {
    await handle.close();
  }
};

const accessError = (path: string, error: unknown): ModelError => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new ModelError('ModelNotFound', `there is no file ${path}`);
  if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP')
    return new ModelError('ModelForbidden', `${path} cannot be read (${code})`);
  return new ModelError('FetchFailed', `${path}: ${messageOf(error)}`);
};
