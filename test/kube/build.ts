/** Builds the control plane's binary into the cache folder: minutes the first time, seconds after. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './processes.ts';

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

/** Builds the control plane's binary unless it is there; returns its path. */
export function buildBinary(say: (line: string) => void): string {
  const path = binaryPath();
  if (existsSync(path)) return path;
  const version = kubernetesVersion();
  const [major, minor] = version.slice(1).split('.');
  const set = 'k8s.io/component-base/version';
  const flags = [
    `-X ${set}.gitVersion=${version} -X ${set}.gitMajor=${major} -X ${set}.gitMinor=${minor}`,
    `-X ${set}.gitTreeState=clean`,
  ].join(' ');
  say(`building Kubernetes ${version} with Go: about 6 minutes of 2 cores the first time, seconds after`);
  return build({ path, cwd: source, flags, target: '.', older: /^kube-v[\d.]+-[0-9a-f]{10}$/, say });
}

/** Programs that a cluster may be asked for beside Kubernetes itself, with what is built of their module. */
const tools = {
  // The first two run in images that hold nothing else: no C library.
  pause: { target: '.', about: 'seconds', env: { CGO_ENABLED: '0' } },
  probe: { target: '.', about: 'seconds', env: { CGO_ENABLED: '0' } },
  // For the fidelity bench: what the real HorizontalPodAutoscaler reads CPU from.
  'metrics-server': {
    target: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    env: { CGO_ENABLED: '0' },
    about: 'about 3 minutes the first time',
  },
  kstatus: { target: '.', env: { CGO_ENABLED: '0' }, about: 'about 40 seconds the first time' },
  coredns: { target: '.', env: {}, about: 'about a minute the first time' },
  kwok: { target: 'sigs.k8s.io/kwok/cmd/kwok', env: {}, about: 'about 90 seconds the first time' },
  // Without what discovers targets in clouds: that is most of it.
  promtool: {
    target: 'github.com/prometheus/prometheus/cmd/promtool',
    env: { CGO_ENABLED: '0', GOFLAGS: '-tags=remove_all_sd' },
    about: 'about 2 minutes the first time',
  },
  karpenter: { target: 'sigs.k8s.io/karpenter/kwok', env: {}, about: 'about 140 seconds the first time' },
} as const;

export type Tool = keyof typeof tools;

/** What `npm run test:kube` asks for. */
export const suiteTools: readonly Tool[] = [
  'pause',
  'probe',
  'kstatus',
  'coredns',
  'kwok',
  'promtool',
  'karpenter',
];

/** Builds one of the tools unless it is there; returns its path. */
export function buildTool(name: Tool, say: (line: string) => void): string {
  const cwd = join(source, 'tools', name);
  const digest = createHash('sha256');
  for (const file of readdirSync(cwd).sort()) digest.update(file).update(readFileSync(join(cwd, file)));
  const path = join(cacheDir, `${name}-${digest.digest('hex').slice(0, 10)}`);
  if (existsSync(path)) return path;
  const { target, about, env } = tools[name];
  say(`building ${name} with Go: ${about}`);
  return build({ path, cwd, flags: '', target, env, older: new RegExp(`^${name}-[0-9a-f]{10}$`), say });
}

/** Folder of a module in the Go module cache, for the files that a tool brings beside its program. */
export function moduleFolder(tool: Tool, module: string): string {
  const cwd = join(source, 'tools', tool);
  const run = spawnSync('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd, encoding: 'utf8' });
  const folder = run.stdout?.trim() ?? '';
  if (run.status !== 0 || folder === '')
    throw new Error(`go list -m ${module}: ${run.error?.message ?? run.stderr}`);
  return folder;
}

function build(what: {
  path: string;
  cwd: string;
  flags: string;
  target: string;
  env?: Readonly<Record<string, string>>;
  /** Names of earlier builds, which are removed. */
  older: RegExp;
  say: (line: string) => void;
}): string {
  const { path } = what;
  const missing = missingForBuild();
  if (missing !== undefined) throw new Error(missing);
  mkdirSync(cacheDir, { recursive: true });
  const startMs = Date.now();
  // A name of its own: two builds at once do not meet.
  const fresh = `${path}.new-${process.pid}`;
  const go = ['go', 'build', '-ldflags', `-s -w ${what.flags}`, '-o', fresh, what.target];
  const run = spawnSync('nice', ['-n', '10', ...go], {
    cwd: what.cwd,
    env: { ...process.env, ...what.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`go build failed with code ${run.status ?? run.signal}`);
  renameSync(fresh, path);
  for (const old of readdirSync(cacheDir))
    if (isLeft(old) || (what.older.test(old) && join(cacheDir, old) !== path))
      rmSync(join(cacheDir, old), { force: true });
  what.say(`built ${path} in ${Math.round((Date.now() - startMs) / 1000)} s`);
  return path;
}

/** Half a program of a build that was killed. */
function isLeft(name: string): boolean {
  const pid = /\.new-(\d+)$/.exec(name)?.[1];
  return pid !== undefined && !isAlive(Number(pid));
}
