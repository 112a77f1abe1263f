/** Images that hold one static program of ours and nothing else, as archives. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTool, cacheDir } from './build.ts';

export interface ImageArchive {
  readonly name: string;
  readonly archive: string;
}

/** The process that holds a pod's namespaces, the tests' web server, or metrics-server; built unless it is there. */
export function staticImage(
  tool: 'pause' | 'probe' | 'metrics-server',
  say: (line: string) => void,
): ImageArchive {
  const binary = buildTool(tool, say);
  const name = `docker.io/ballast/${tool}:1`;
  const archive = join(cacheDir, `${binary.split('/').at(-1)}.tar`);
  if (existsSync(archive)) return { name, archive };
  const dir = mkdtempSync(join(tmpdir(), 'blt-image-'));
  const tar = (file: string, from: string, ...names: string[]) => {
    const run = spawnSync('tar', ['-C', from, '--owner=0', '--group=0', '--mtime=@0', '-cf', file, ...names]);
    if (run.status !== 0) throw new Error(`tar: ${run.stderr}`);
  };
  try {
    mkdirSync(join(dir, 'root'));
    copyFileSync(binary, join(dir, 'root', tool));
    tar(join(dir, 'layer.tar'), join(dir, 'root'), tool);
    const digest = createHash('sha256')
      .update(readFileSync(join(dir, 'layer.tar')))
      .digest('hex');
    const config = {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Entrypoint: [`/${tool}`] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    };
    writeFileSync(join(dir, 'config.json'), JSON.stringify(config));
    const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
    tar(`${archive}.new-${process.pid}`, dir, 'manifest.json', 'config.json', 'layer.tar');
    renameSync(`${archive}.new-${process.pid}`, archive);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  return { name, archive };
}
