/** Python environments of the bench: one for each peer, from pinned requirements, made when they are missing. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const requirements = (name: string) => join(import.meta.dirname, 'peers/requirements', `${name}.txt`);

/** The folder of an environment with the requirements of this name, which list every package; `say` hears of a download, which takes minutes. */
export function venvOf(name: string, stateDir: string, say: (line: string) => void): string {
  const file = requirements(name);
  const key = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 10);
  const venv = join(stateDir, 'venv', `bench-${name}-${key}`);
  if (existsSync(join(venv, 'complete'))) return venv;
  say(`installing ${name} for Python, once`);
  rmSync(venv, { recursive: true, force: true });
  must('python3', ['-m', 'venv', venv]);
  must(join(venv, 'bin/pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--no-deps',
    '--requirement',
    file,
  ]);
  writeFileSync(join(venv, 'complete'), '');
  return venv;
}

/** Where the packages of an environment lie. */
export function sitePackages(venv: string): string {
  const version = readdirSync(join(venv, 'lib')).find((name) => name.startsWith('python'));
  if (version === undefined) throw new Error(`${venv} is no Python environment`);
  return join(venv, 'lib', version, 'site-packages');
}

/** Runs a command to its end; throws with what it said when it fails. */
export function must(command: string, args: readonly string[]): string {
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (run.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${run.error?.message ?? (run.stderr || run.stdout)}`);
  return run.stdout;
}
