/** Opens a docker-archive: its configuration, its layers with all that is in them, its file system. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface Entry {
  readonly path: string;
  readonly type: 'file' | 'folder' | 'link' | 'other';
  /** As `ls` shows it, such as `r--r--r--`. */
  readonly mode: string;
  readonly owner: string;
  readonly size: number;
}

export interface Layer {
  readonly archive: string;
  readonly bytes: number;
  readonly entries: readonly Entry[];
}

export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly Cmd?: readonly string[];
    readonly WorkingDir: string;
    readonly Labels: Readonly<Record<string, string>>;
    readonly ExposedPorts?: Readonly<Record<string, unknown>>;
  };
}

export interface OpenImage {
  readonly tags: readonly string[];
  readonly config: ImageConfig;
  /** The base's layers first. */
  readonly layers: readonly Layer[];
}

const types: Readonly<Record<string, Entry['type']>> = { '-': 'file', d: 'folder', l: 'link', h: 'link' };

/** All entries of a tar archive. */
function entriesOf(archive: string): Entry[] {
  const listing = execFileSync('tar', ['--numeric-owner', '-tvf', archive], {
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  return listing
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, mode = '', owner = '', size = '', path = ''] =
        /^(\S+) (\S+)\s+(\d+) \S+ \S+ (.*)$/.exec(line) ?? [];
      return {
        path: path
          .replace(/ (->|link to) .*$/, '')
          .replace(/^\.?\//, '')
          .replace(/\/$/, ''),
        type: types[mode[0] ?? ''] ?? 'other',
        mode: mode.slice(1),
        owner,
        size: Number(size),
      };
    });
}

/** Unpacks an archive into `folder` and reads it. */
export function openImage(archive: string, folder: string): OpenImage {
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  const json = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const [manifest] = json('manifest.json') as { Config: string; RepoTags: string[]; Layers: string[] }[];
  if (manifest === undefined) throw new Error(`${archive} holds no image`);
  return {
    tags: manifest.RepoTags,
    config: json(manifest.Config),
    layers: manifest.Layers.map((name) => {
      const path = join(folder, name);
      return { archive: path, bytes: statSync(path).size, entries: entriesOf(path) };
    }),
  };
}

/** Size of a layer as a registry sends it. */
export const compressedBytes = (layer: Layer): number => gzipSync(readFileSync(layer.archive)).length;

/** Puts an image's layers over each other: the file system that a container sees. */
export function unpackLayers(image: OpenImage, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { archive } of image.layers) execFileSync('tar', ['-xpf', archive, '-C', folder]);
}
