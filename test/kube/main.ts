/** `npm run kube:build`, `kube:up` and `test:kube`: a real control plane from Go modules, and the suite against it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildBinary, cacheDir } from './build.ts';
import { startControlPlane } from './control-plane.ts';

const root = join(import.meta.dirname, '..', '..');
const say = (line: string) => console.log(line);
const [command = '', ...rest] = process.argv.slice(2);

/** Runs until Ctrl-C, a part's end, or `work` is done. */
async function withControlPlane(
  kubeconfigPath: string | undefined,
  work: (kubeconfigPath: string, interrupted: Promise<string>) => Promise<number>,
): Promise<number> {
  const binary = buildBinary(say);
  const startMs = Date.now();
  const interrupted = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
  const plane = await startControlPlane({
    binary,
    runsDir: join(cacheDir, 'run'),
    ...(kubeconfigPath === undefined ? {} : { kubeconfigPath }),
  });
  say(
    `a real Kubernetes control plane answers at ${plane.url} after ${((Date.now() - startMs) / 1000).toFixed(1)} s`,
  );
  const broken = plane.broken.then((text) => ({ text }));
  try {
    const outcome = await Promise.race([work(plane.kubeconfigPath, interrupted), broken]);
    if (typeof outcome === 'number') return outcome;
    console.error(outcome.text);
    return 1;
  } finally {
    await plane.stop();
  }
}

async function main(): Promise<number> {
  switch (command) {
    case 'build':
      say(buildBinary(say));
      return 0;
    case 'up':
      return withControlPlane(join(cacheDir, 'kubeconfig'), async (path, interrupted) => {
        say(`export KUBECONFIG=${path}`);
        say('no nodes: pods stay Pending. Ctrl-C ends it.');
        await interrupted;
        return 0;
      });
    case 'test':
      return withControlPlane(
        undefined,
        (path, interrupted) =>
          new Promise((resolve) => {
            const child = spawn(
              process.execPath,
              [
                join(root, 'scripts/test.ts'),
                ...(rest.some((argument) => !argument.startsWith('-'))
                  ? rest
                  : ['test/conformance', 'test/kube', ...rest]),
                '--testTimeout=60000',
                // jest.config.js leaves test/kube out of `npm test`; last, since it takes all words that follow.
                '--testPathIgnorePatterns',
                '/node_modules/',
              ],
              { cwd: root, stdio: 'inherit', env: { ...process.env, CONFORMANCE_KUBECONFIG: path } },
            );
            void interrupted.then(() => child.kill('SIGTERM'));
            child.once('exit', (code) => resolve(code ?? 1));
          }),
      );
    default:
      console.error('usage: test/kube/main.ts build | up | test [jest arguments]');
      return 2;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
