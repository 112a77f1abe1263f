/** What `kube:up` tells of the things beside the cluster: Ballast's images, kubectl and helm. */
import { delimiter } from 'node:path';
import type { Tools } from '../../local/tools.ts';

/** What to do first where a node would start without Ballast's images; undefined where nothing is missing. */
export function imagesHint(nodes: number, images: number): string | undefined {
  if (nodes === 0 || images === 2) return undefined;
  return 'Ballast\'s images are not built: run "npm run images:build" first, since a node loads them when it starts. Going on without them; Ctrl-C ends it.';
}

/** Where kubectl and helm are, with the line to copy where a shell with this PATH does not find them. */
export function toolsHint({ binDir }: Tools, path: string): string[] {
  if (binDir === undefined)
    return ["kubectl and helm: your own; this checkout's packages hold them for Linux on x86-64 only"];
  const says = `kubectl and helm are in ${binDir}`;
  return path.split(delimiter).includes(binDir) ? [says] : [`${says}:`, `export PATH=${binDir}:$PATH`];
}
