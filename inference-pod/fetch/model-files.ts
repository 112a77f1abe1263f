/** Models of several files: from an archive, or from a directory of a volume. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ModelManifest } from '../../crds/wire.ts';
import { dataFilesOf, inspectModel } from '../inspect/inspect-model.ts';
import { ModelError } from '../inspect/model-error.ts';
import { type ExtractOptions, extractTar, type ModelFile } from './extract.ts';
import { type CopyOptions, containedPath, copyLocal } from './local-file.ts';
import { PartFile } from './part-file.ts';

/** Directory of a model of several files, below the model's directory. */
export const filesDir = 'files';
const deepest = 16;
const mostEntries = 10_000;

/** What a model of several files is made of. */
export type GatheredModel = Required<Pick<ModelManifest, 'entry' | 'files' | 'bytes'>>;

const isModelName = (path: string) =>
  path.toLowerCase().endsWith('.onnx') && !basename(path).startsWith('._') && !basename(path).startsWith('.');

/** The one file of many that is the model: `model.onnx` highest up, or else the only one that ends in `.onnx`. */
const entryOf = (paths: readonly string[], where: string): string => {
  const models = paths.filter(isModelName);
  const depth = (path: string) => path.split('/').length;
  const highest = Math.min(...models.map(depth));
  const top = models.filter((path) => depth(path) === highest);
  const named = top.filter((path) => basename(path) === 'model.onnx');
  const [entry, ...others] = named.length > 0 ? named : top;
  if (entry === undefined) throw new ModelError('ModelInvalid', `${where} holds no file that ends in .onnx`);
  if (others.length > 0)
    throw new ModelError(
      'ModelInvalid',
      `${where} holds ${top.length} models (${top.slice(0, 3).join(', ')}): keep one, or call the right one model.onnx`,
    );
  return entry;
};

/** The model of a directory, as a path. */
export const entryOfDirectory = async (directory: string): Promise<string> => {
  const paths: string[] = [];
  let seen = 0;
  const walk = async (below: string, depth: number): Promise<void> => {
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      seen += 1;
      if (seen > mostEntries)
        throw new ModelError(
          'ModelForbidden',
          `the directory holds more than ${mostEntries} entries: name the .onnx file in it`,
        );
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) paths.push(path);
      else if (depth < deepest && !entry.name.startsWith('.') && entry.name !== 'lost+found')
        await walk(path, depth + 1);
    }
  };
  await walk('', 1);
  return join(directory, entryOf(paths, 'the directory'));
};

/** Takes a tar archive apart; the archive is deleted. What lies in it and is no part of the model is deleted too. */
export const unpackModel = async (
  archive: string,
  modelDir: string,
  options: ExtractOptions,
): Promise<GatheredModel> => {
  const directory = join(modelDir, filesDir);
  await rm(directory, { recursive: true, force: true });
  const found = await extractTar(archive, directory, options);
  const entry = entryOf(
    found.map(({ path }) => path),
    'the archive',
  );
  const { dataFiles } = inspectModel(join(directory, entry), true);
  await rm(archive, { force: true });
  const wanted = new Set([entry, ...dataFiles.map((path) => join(dirname(entry), path))]);
  for (const { path } of found) if (!wanted.has(path)) await rm(join(directory, path), { force: true });
  return gathered(
    entry,
    found.filter(({ path }) => wanted.has(path)),
  );
};

const gathered = (entry: string, files: readonly ModelFile[]): GatheredModel => ({
  entry: join(filesDir, entry),
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  files: files.map((file) => ({ ...file, path: join(filesDir, file.path) })),
});

/** Where a model was copied from, and where to. */
export interface CopiedModel {
  /** The model's own file, copied already. */
  readonly part: PartFile;
  /** Where it was copied from. */
  readonly source: string;
  readonly modelDir: string;
}

/** Copies the files beside a model in which it keeps weights; undefined when there are none. */
export const copyDataFiles = async (
  { part, source, modelDir }: CopiedModel,
  options: CopyOptions,
): Promise<(GatheredModel & { sha256: string }) | undefined> => {
  const names = dataFilesOf(part.path);
  if (names.length === 0) return undefined;
  const directory = join(modelDir, filesDir);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  const entry = basename(source);
  const files: ModelFile[] = [{ path: entry, bytes: part.bytes, sha256: part.digest() }];
  let left = options.maxBytes - part.bytes;
  for (const name of names) {
    if (name === entry)
      throw new ModelError('ModelForbidden', 'the model names itself as the file of its weights');
    const target = join(directory, name);
    await mkdir(dirname(target), { recursive: true });
    const copy = await PartFile.open(target, '');
    try {
      await copyLocal(await containedPath(name, [dirname(source)]), copy, { ...options, maxBytes: left });
      await copy.finish();
    } catch (error) {
      await copy.leave().catch(() => undefined);
      throw error;
    }
    left -= copy.bytes;
    files.push({ path: name, bytes: copy.bytes, sha256: copy.digest() });
  }
  await rename(part.path, join(directory, entry));
  inspectModel(join(directory, entry), true);
  return { ...gathered(entry, files), sha256: digestOfList(files) };
};

/** The digest of several files: of their list as `sha256sum FILES` writes it, in the order of their names. */
export const digestOfList = (files: readonly Pick<ModelFile, 'path' | 'sha256'>[]): string => {
  const lines = files.map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  const byPath = (a: string, b: string) => (a.slice(66) < b.slice(66) ? -1 : 1);
  return createHash('sha256').update(lines.sort(byPath).join('')).digest('hex');
};

/** True for a path that is a directory. */
export const isDirectory = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};
