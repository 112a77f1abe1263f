/** `npm run images:build`: both images as archives for `ctr images import`, built from the Dockerfiles on local bases, cached by content. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { provideBases } from './base-image.ts';
import { Buildah, BuildahMissing, requireBuildah } from './buildah.ts';
import type { ImageName } from './image-contents.ts';
import { contentKey, dockerfiles, machineArchitecture } from './image-key.ts';
import { takeLock } from './lock.ts';
import { npmrcOfThisMachine } from './npmrc.ts';

const root = join(import.meta.dirname, '..');

/** An image as the cluster names it, and the docker-archive that holds it. */
export interface ImageArchive {
  readonly name: string;
  readonly archive: string;
}

export interface Images {
  readonly operator: ImageArchive;
  readonly inferencePod: ImageArchive;
}

export interface BuildOptions {
  /** Folder of this checkout for what can be made again, `.ballast`. */
  readonly stateDir: string;
  readonly say: (line: string) => void;
  /** `amd64` or `arm64`; this machine's by default. The local runtime base is always this machine's. */
  readonly architecture?: string;
}

/** Keeps the two newest archives of an image: another run may still read the one before. */
function prune(folder: string, prefix: string): void {
  const old = readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.tar'))
    .map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at)
    .slice(2);
  for (const { path } of old) rmSync(path, { force: true });
}

/** Gives the newest archive of an image a name that does not change. */
function nameForGood(folder: string, image: ImageName, archive: string): void {
  const unfinished = join(folder, `.${image}-${process.pid}.tar`);
  rmSync(unfinished, { force: true });
  symlinkSync(basename(archive), unfinished);
  renameSync(unfinished, join(folder, `${image}.tar`));
}

const git = (...args: string[]): string => {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
};

/** What a build that was killed left behind. Called with the lock held, so nothing of it is in use. */
function sweep(folder: string, buildah: Buildah): void {
  buildah.run('rm', '--all');
  for (const name of readdirSync(folder))
    if (/^npmrc-|\.new$|^base-/.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

async function build(
  image: ImageName,
  archive: string,
  name: string,
  folder: string,
  options: BuildOptions,
): Promise<void> {
  const architecture = options.architecture ?? machineArchitecture;
  const buildah = new Buildah(folder);
  sweep(folder, buildah);
  const bases = provideBases(buildah, folder, options.say);
  const npmrc = join(folder, `npmrc-${process.pid}`);
  const createdAt = git('log', '-1', '--format=%cI') || '1970-01-01T00:00:00Z';
  const args: Record<string, string> = {
    BUILDPLATFORM: `linux/${machineArchitecture}`,
    BUILD_IMAGE: bases.build,
    BASE_IMAGE: bases.runtime,
    VERSION: name.replace(/.*:/, ''),
    REVISION: git('rev-parse', 'HEAD') || 'unknown',
    CREATED: createdAt,
  };
  const unfinished = `${archive}.new`;
  try {
    writeFileSync(npmrc, npmrcOfThisMachine(), { mode: 0o600 });
    await buildah.follow(
      [
        ...['bud', '--pull-never', '--platform', `linux/${architecture}`],
        // The same sources give the same image, to the last byte.
        ...['--timestamp', String(Math.floor(Date.parse(createdAt) / 1000))],
        ...['--secret', `id=npmrc,src=${npmrc}`, '--file', join(root, dockerfiles[image]), '--tag', name],
        ...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
        root,
      ],
      (line) => {
        if (/STEP \S+ (FROM|RUN)/.test(line)) options.say(`  ${line.slice(0, 100)}`);
      },
    );
    rmSync(unfinished, { force: true });
    buildah.run('push', '--quiet', name, `docker-archive:${unfinished}:${name}`);
    buildah.run('rmi', name);
    renameSync(unfinished, archive);
  } finally {
    rmSync(npmrc, { force: true });
    rmSync(unfinished, { force: true });
  }
}

/** Archive of one image for these sources. */
export async function buildImage(image: ImageName, options: BuildOptions): Promise<ImageArchive> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const architecture = options.architecture ?? machineArchitecture;
  const folder = join(options.stateDir, 'images');
  const name = `docker.io/ballast/${image}:${version}`;
  const prefix = `${image}-${architecture}-`;
  const archive = join(folder, `${prefix}${contentKey(image, architecture)}.tar`);
  const startMs = Date.now();
  if (!existsSync(archive)) {
    requireBuildah(options.say);
    mkdirSync(folder, { recursive: true });
    const release = await takeLock(join(folder, 'lock'));
    try {
      // Another process may have built it while we waited.
      if (!existsSync(archive)) {
        options.say(`building ${name} from ${dockerfiles[image]} for ${architecture}`);
        await build(image, archive, name, folder, options);
        const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
        options.say(`built ${name}: ${(statSync(archive).size / 1e6).toFixed(0)} MB in ${seconds} s`);
      }
    } finally {
      release();
    }
    prune(folder, prefix);
  } else {
    // The newest two are kept: what is in use is new.
    utimesSync(archive, new Date(), new Date());
    options.say(`${name} was built before: ${(statSync(archive).size / 1e6).toFixed(0)} MB`);
  }
  if (architecture === machineArchitecture) nameForGood(folder, image, archive);
  return { name, archive };
}

/** Archives of both images for these sources, built unless they are there; rejects with BuildahMissing where they cannot be built. */
export async function buildImages(options: BuildOptions): Promise<Images> {
  return {
    operator: await buildImage('operator', options),
    inferencePod: await buildImage('inference-pod', options),
  };
}

if (import.meta.main) {
  const startMs = Date.now();
  try {
    await buildImages({ stateDir: join(root, '.ballast'), say: (line) => console.log(line) });
    for (const image of Object.keys(dockerfiles)) console.log(`.ballast/images/${image}.tar`);
    console.log(`done in ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(error instanceof BuildahMissing ? error.message : String(error));
    process.exitCode = 1;
  }
}
