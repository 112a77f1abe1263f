/** Builds the control plane's binary into the cache folder: minutes the first time, seconds after. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const source = import.meta.dirname;
const root = join(source, '..', '..');
export const cacheDir = join(root, '.ballast', 'kube');

/** The version that go.mod asks for, such as `v1.36.3`. */
export function kubernetesVersion(): string {
  const match = /k8s\.io\/kubernetes (v[0-9.]+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'));
  if (match?.[1] === undefined) throw new Error('test/kube/go.mod names no version of k8s.io/kubernetes');
  return match[1];
}

/** Path of the binary for these sources; the digest in its name makes a stale one impossible. */
export function binaryPath(): string {
  const digest = createHash('sha256');
  for (const name of readdirSync(source)
    .filter((file) => /\.go$|^go\.(mod|sum)$/.test(file))
    .sort())
    digest.update(name).update(readFileSync(join(source, name)));
  return join(cacheDir, `kube-${kubernetesVersion()}-${digest.digest('hex').slice(0, 10)}`);
}

/** What is missing to build, as a sentence for the user, or undefined. */
export function missingForBuild(): string | undefined {
  const go = spawnSync('go', ['version'], { encoding: 'utf8' });
  const wanted = /^go (\d+)\.(\d+)/m.exec(readFileSync(join(source, 'go.mod'), 'utf8'));
  const found = /go(\d+)\.(\d+)/.exec(go.stdout ?? '');
  const need = `Go ${wanted?.[1]}.${wanted?.[2]} or later`;
  if (go.error !== undefined || found === null)
    return `${need} is needed to build the real kube-apiserver, and there is no "go" on the PATH: install it from https://go.dev/dl/`;
  const older =
    Number(found[1]) < Number(wanted?.[1]) ||
    (Number(found[1]) === Number(wanted?.[1]) && Number(found[2]) < Number(wanted?.[2]));
  return older ? `${need} is needed to build the real kube-apiserver; this is ${found[0]}` : undefined;
}

/** Builds the binary unless it is there; returns its path. */
export function buildBinary(say: (line: string) => void): string {
  const path = binaryPath();
  if (existsSync(path)) return path;
  const missing = missingForBuild();
  if (missing !== undefined) throw new Error(missing);
  mkdirSync(cacheDir, { recursive: true });
  const version = kubernetesVersion();
  const [major, minor] = version.slice(1).split('.');
  const set = 'k8s.io/component-base/version';
  const flags = [
    `-s -w -X ${set}.gitVersion=${version} -X ${set}.gitMajor=${major} -X ${set}.gitMinor=${minor}`,
    `-X ${set}.gitTreeState=clean`,
  ].join(' ');
  say(`building Kubernetes ${version} with Go: about 6 minutes of 2 cores the first time, seconds after`);
  const startMs = Date.now();
  const build = spawnSync('nice', ['-n', '10', 'go', 'build', '-ldflags', flags, '-o', `${path}.new`, '.'], {
    cwd: source,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (build.status !== 0) throw new Error(`go build failed with code ${build.status ?? build.signal}`);
  renameSync(`${path}.new`, path);
  for (const old of readdirSync(cacheDir))
    if (/^kube-v/.test(old) && join(cacheDir, old) !== path) rmSync(join(cacheDir, old), { force: true });
  say(`built ${path} in ${Math.round((Date.now() - startMs) / 1000)} s`);
  return path;
}
