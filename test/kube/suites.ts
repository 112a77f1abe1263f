/** `npm run test:kube`: the suites against a control plane alone, then those that start clusters with nodes themselves. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildBinary } from './build.ts';
import { startRealCluster } from './cluster.ts';
import { missingForNodes } from './packages.ts';

const root = join(import.meta.dirname, '..', '..');

/** Folders whose suites start clusters of their own, one after the other: two nodes and a load fill a machine. */
const withNodes = ['test/kube/nodes', 'test/kube/docs', 'test/kube/e2e', 'test/kube/grow'];

/** Runs the suites, all or those that are named; returns the exit code. */
export async function test(words: readonly string[], say: (line: string) => void): Promise<number> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  const flags = words.filter((word) => word.startsWith('-'));
  const patterns = words.filter((word) => !word.startsWith('-'));
  const needsNodes = (pattern: string) => withNodes.some((folder) => pattern.includes(folder));
  const alone = patterns.filter((pattern) => !needsNodes(pattern));
  const nodes = patterns.filter(needsNodes);
  const all = patterns.length === 0;
  let code = 0;
  if (all || alone.length > 0)
    code = await onControlPlane(
      [...(all ? ['test/conformance', 'test/kube'] : alone), ...flags],
      interrupted,
      say,
    );
  if (!all && nodes.length === 0) return code;
  const missing = missingForNodes();
  if (missing !== undefined) {
    say(`NOT RUN: ${(all ? withNodes : nodes).join(', ')}. ${missing}`);
    return all ? code : 1;
  }
  const last = await jest([...(all ? withNodes : nodes), '--maxWorkers=1', ...flags], [], {}, interrupted);
  return code === 0 ? last : code;
}

async function onControlPlane(
  words: readonly string[],
  interrupted: Promise<void>,
  say: (line: string) => void,
): Promise<number> {
  buildBinary(say);
  const cluster = await startRealCluster({ say });
  const broken = cluster.broken.then((text) => ({ text }));
  const env = { CONFORMANCE_KUBECONFIG: cluster.kubeconfigPath };
  try {
    const outcome = await Promise.race([jest(words, withNodes, env, interrupted), broken]);
    if (typeof outcome === 'number') return outcome;
    console.error(outcome.text);
    return 1;
  } finally {
    await cluster.stop();
  }
}

function jest(
  words: readonly string[],
  ignored: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupted: Promise<void>,
): Promise<number> {
  return new Promise((resolve) => {
    const ignore = ['/node_modules/', ...ignored.map((folder) => `/${folder}/`)];
    const child = spawn(
      process.execPath,
      [
        join(root, 'scripts/test.ts'),
        ...words,
        '--testTimeout=60000',
        // jest.config.js leaves test/kube out of `npm test`; last, since it takes all words that follow.
        '--testPathIgnorePatterns',
        ...ignore,
      ],
      { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
    );
    void interrupted.then(() => child.kill('SIGTERM'));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
