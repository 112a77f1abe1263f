/** The Python environment of the client suites: made once from `requirements.txt`, below `.ballast`. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function must(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0)
    throw new Error(`${command} ${args[0] ?? ''} failed: ${error?.message ?? `exit ${status}`}`);
}

/** Path of its Python. */
export function clientsPython(stateDir: string): string {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 10);
  const venv = join(stateDir, 'venv', `clients-${key}`);
  // An environment holds its own path, so it cannot be renamed: a file in it tells that it is whole.
  if (!existsSync(join(venv, 'complete'))) {
    console.log('installing the clients for Python, once');
    rmSync(venv, { recursive: true, force: true });
    must('python3', ['-m', 'venv', venv]);
    must(join(venv, 'bin/pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--requirement',
      requirements,
    ]);
    writeFileSync(join(venv, 'complete'), '');
  }
  return join(venv, 'bin/python');
}
