/** The record of what was fetched, and whether it is still that. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelManifest } from '../../crds/wire.ts';
import { ModelError } from '../inspect/model-error.ts';
import { sha256OfFile } from './digest.ts';

/** A model's file when it has only one. */
export const entryFile = 'model.onnx';

/** The manifest in a model's directory; undefined when nothing was fetched whole. */
export const readManifest = (dir: string): ModelManifest | undefined => {
  try {
    return JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as ModelManifest;
  } catch {
    return undefined;
  }
};

/** Where the model's own file is. */
export const modelPathOf = (dir: string, manifest: ModelManifest): string =>
  join(dir, manifest.entry ?? entryFile);

/** Reads every file of the model and compares its digest; throws a ModelError that names the first that is another. */
export const verifyFiles = async (dir: string, manifest: ModelManifest): Promise<void> => {
  const files = manifest.files ?? [{ path: entryFile, sha256: manifest.sha256 }];
  for (const { path, sha256: wanted } of files) {
    const sha256 = await sha256OfFile(join(dir, path));
    if (sha256 !== wanted)
      throw new ModelError(
        'DigestMismatch',
        `${files.length === 1 ? 'the model' : path} has the sha256 ${sha256}, wanted ${wanted}`,
      );
  }
};
