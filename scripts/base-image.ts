/** Bases for images on a machine that has no registry: node with its libraries, taken from this machine, on nothing. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Buildah } from './buildah.ts';

const root = join(import.meta.dirname, '..');
const nobody = 65_532;
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** Shared libraries of programs, the loader among them. */
function librariesOf(programs: readonly string[]): string[] {
  const listing = execFileSync('ldd', programs, { encoding: 'utf8' });
  const paths = [...listing.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map((match) => match[1] ?? '');
  // What the name service of libc loads by itself.
  const libc = paths.find((path) => path.endsWith('/libc.so.6'));
  const byName = libc === undefined ? [] : ['libresolv.so.2', 'libnss_dns.so.2', 'libnss_files.so.2'];
  const more = byName.map((name) => join(dirname(libc ?? ''), name)).filter((path) => existsSync(path));
  return [...new Set([...paths, ...more])].filter((path) => !path.startsWith(root));
}

const copy = (from: string, to: string) => {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, dereference: true });
};

/** What every base holds: node at `nodePath`, libraries, users, certificates. */
function fill(folder: string, nodePath: string, programs: readonly string[]): void {
  copy(process.execPath, join(folder, nodePath));
  for (const path of librariesOf([process.execPath, ...programs])) copy(path, join(folder, path));
  for (const path of ['etc', 'home/nonroot', 'root', 'tmp', 'proc', 'sys', 'dev'])
    mkdirSync(join(folder, path), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  const home = `nonroot:x:${nobody}:${nobody}:nonroot:/home/nonroot:/sbin/nologin`;
  writeFileSync(join(folder, 'etc/passwd'), `root:x:0:0:root:/root:/sbin/nologin\n${home}\n`);
  writeFileSync(join(folder, 'etc/group'), `root:x:0:\nnonroot:x:${nobody}:\n`);
  writeFileSync(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  if (existsSync(certificates)) copy(certificates, join(folder, certificates));
}

/** Stands in for gcr.io/distroless/nodejs24-debian12: no shell, no package manager. */
function fillRuntime(folder: string): void {
  const addon = `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`;
  fill(folder, 'nodejs/bin/node', [join(root, addon)]);
}

/** The npm that runs us, or the first on the PATH. */
function npmFolder(): string {
  const cli = process.env.npm_execpath ?? execFileSync('which', ['npm'], { encoding: 'utf8' }).trim();
  return dirname(dirname(realpathSync(cli)));
}

/** Stands in for node:24-bookworm-slim: node, npm and a shell. */
function fillBuild(folder: string): void {
  const programs = ['/bin/sh', '/usr/bin/env'];
  fill(folder, 'usr/local/bin/node', programs);
  for (const program of programs) copy(program, join(folder, program));
  copy(npmFolder(), join(folder, 'usr/local/lib/node_modules/npm'));
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/local/bin/npm'));
  // A closed network's own certificate, which Node is told about by this variable.
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  if (extra !== undefined && existsSync(extra)) {
    mkdirSync(dirname(join(folder, certificates)), { recursive: true });
    appendFileSync(join(folder, certificates), `\n${readFileSync(extra, 'utf8')}`);
  }
}

const bases = { runtime: fillRuntime, build: fillBuild } as const;

/** Changes when a base would come out different: this file, node, and the system that the libraries are from. */
function contentKey(): string {
  const hash = createHash('sha256').update(readFileSync(import.meta.filename));
  for (const path of ['/etc/os-release', '/var/lib/dpkg/status', join(npmFolder(), 'package.json')])
    if (existsSync(path))
      hash.update(path === '/var/lib/dpkg/status' ? libcVersion(path) : readFileSync(path));
  return hash.update(process.version).update(process.arch).digest('hex').slice(0, 12);
}

const libcVersion = (status: string) =>
  /^Package: libc6$[\s\S]*?^Version: (.*)$/m.exec(readFileSync(status, 'utf8'))?.[1] ?? '';

/** Names in buildah's storage of the base to run on and the base to build in; makes those that are missing. */
export function provideBases(
  buildah: Buildah,
  folder: string,
  say: (line: string) => void,
): Record<keyof typeof bases, string> {
  const key = contentKey();
  const make = (kind: keyof typeof bases): string => {
    const name = `localhost/ballast-base-${kind}:${key}`;
    if (buildah.has(name)) return name;
    const startMs = Date.now();
    const files = join(folder, `base-${kind}`);
    rmSync(files, { recursive: true, force: true });
    mkdirSync(files, { recursive: true });
    bases[kind](files);
    const archive = `${files}.tar`;
    const fixed = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
    execFileSync('tar', [...fixed, '-C', files, '-cf', archive, '.']);
    rmSync(files, { recursive: true });
    buildah.commitArchive(archive, name);
    rmSync(archive);
    say(
      `${name} made from this machine's node ${process.version} in ${((Date.now() - startMs) / 1000).toFixed(1)} s`,
    );
    return name;
  };
  const names = { runtime: make('runtime'), build: make('build') };
  buildah.keepOnly('localhost/ballast-base-', Object.values(names));
  return names;
}
