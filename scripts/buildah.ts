/** Runs buildah with a storage of its own, so that a build leaves nothing on the machine outside one folder. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Images cannot be built on this machine; the message says what is missing. */
export class BuildahMissing extends Error {}

const starts = (program: string) => spawnSync(program, ['--version']).status === 0;

/** Makes sure that a program is there: on a Debian machine root may install the package of its name. */
export function requireProgram(program: string, say: (line: string) => void): void {
  if (starts(program)) return;
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0)
    throw new BuildahMissing(
      `${program} is missing, and only root on Debian or Ubuntu can have it installed here`,
    );
  say(`${program} is missing: installing the Debian package`);
  const apt = (...args: string[]) =>
    spawnSync('/usr/bin/apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  const isInstalled =
    apt('update', '-qq') &&
    apt('install', '-y', '-qq', '--no-install-recommends', program) &&
    starts(program);
  if (!isInstalled) throw new BuildahMissing(`"apt-get install ${program}" failed: install it by hand`);
}

/** Makes sure that this machine can build images; throws with what is missing. */
export function requireBuildah(say: (line: string) => void): void {
  if (process.platform !== 'linux')
    throw new BuildahMissing('images are built on Linux: this machine is not');
  if (process.getuid?.() !== 0)
    throw new BuildahMissing('images are built as root (buildah with chroot isolation): run this as root');
  requireProgram('buildah', say);
}

export class Buildah {
  readonly #global: string[];
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string) {
    const scratch = join(folder, 'tmp');
    mkdirSync(scratch, { recursive: true });
    this.#global = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
    // chroot needs no new namespaces, so a build works inside a container too. The storage is overlayfs, or copies where
    // the file system cannot do that: buildah finds out by itself.
    this.#env = { ...process.env, BUILDAH_ISOLATION: 'chroot', TMPDIR: scratch };
  }

  /** Output of one buildah command; throws with what buildah said. */
  run(...args: string[]): string {
    const run = spawnSync('buildah', [...this.#global, ...args], { env: this.#env, encoding: 'utf8' });
    if (run.status !== 0)
      throw new Error(`buildah ${args[0]} failed: ${(run.stderr || run.stdout || '').trim()}`);
    return run.stdout.trim();
  }

  /** The same for commands that take minutes; each line of output goes to `line`. */
  async follow(args: readonly string[], line: (text: string) => void): Promise<void> {
    const child = spawn('buildah', [...this.#global, ...args], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const text of lines) line(text);
        last.push(...lines);
        last.splice(0, last.length - 40);
      });
    }
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    if (code !== 0) throw new Error(`buildah ${args[0]} failed:\n${last.join('\n')}`);
  }

  /** Whether an image of that name is stored. */
  has(name: string): boolean {
    return (
      spawnSync('buildah', [...this.#global, 'inspect', '--type', 'image', name], { env: this.#env })
        .status === 0
    );
  }

  /** Removes the stored images whose name begins with `prefix`, but for those of `names`. */
  keepOnly(prefix: string, names: readonly string[]): void {
    const stored = this.run('images', '--noheading', '--format', '{{.Name}}:{{.Tag}}').split('\n');
    const old = stored.filter((name) => name.startsWith(prefix) && !names.includes(name));
    if (old.length > 0) this.run('rmi', ...old);
  }

  /** Stores a tar archive as an image of one layer. */
  commitArchive(archive: string, name: string): void {
    const container = this.run('from', 'scratch');
    this.run('add', '--quiet', container, archive, '/');
    this.run('commit', '--quiet', '--rm', '--timestamp', '0', container, name);
  }
}
