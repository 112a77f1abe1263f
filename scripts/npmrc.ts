/** npm's settings of this machine as one text, for a build that must reach the same registry. It is handed over as a secret and stays in no layer. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const npm = (...args: string[]): string => {
  try {
    return execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};

/** Files of the machine and of the user, and the registry that npm would ask. `${NAME}` is filled in: the build has another environment. */
export function npmrcOfThisMachine(): string {
  const files = [npm('config', 'get', 'globalconfig'), npm('config', 'get', 'userconfig')];
  const lines = files
    .filter((path) => path !== '' && existsSync(path))
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
    .map((line) => line.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => process.env[name] ?? ''))
    // Paths of this machine mean nothing in there.
    .filter((line) => line.includes('=') && !/^\s*(prefix|cache|nodedir|cafile|userconfig)\s*=/.test(line));
  const registry = npm('config', 'get', 'registry');
  return [
    ...lines,
    ...(registry === '' ? [] : [`registry=${registry}`]),
    'cafile=/etc/ssl/certs/ca-certificates.crt',
    '',
  ].join('\n');
}
