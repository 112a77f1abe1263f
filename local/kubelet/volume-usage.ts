/** How full a folder is, for the size limits of emptyDir volumes. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../kube/objects.ts';
import { amountOf } from '../controllers/quantity.ts';

/** Bytes of all files below a folder; what vanishes meanwhile counts nothing. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) bytes += await folderBytes(path);
      else if (entry.isFile()) bytes += (await stat(path)).size;
    }
  } catch {
    // Removed while it was read.
  }
  return bytes;
}

/** The first volume that holds more than its limit, in the kubelet's words. */
export async function overfullVolume(
  pod: Pod,
  folderOf: (volume: string) => string,
): Promise<string | undefined> {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = amountOf(emptyDir?.sizeLimit);
    if (limit !== undefined && limit > 0 && (await folderBytes(folderOf(name))) > limit)
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir?.sizeLimit}". `;
  }
  return undefined;
}
