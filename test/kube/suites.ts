/** `npm run test:kube`: the suites against a control plane alone, then those that start clusters with nodes themselves. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildBinary, cacheDir } from './build.ts';
import { startRealCluster } from './cluster.ts';
import { missingForNodes } from './packages.ts';

const root = join(import.meta.dirname, '..', '..');

/** Folders whose suites start clusters of their own, one after the other: two nodes and a load fill a machine. */
const withNodes = ['test/kube/nodes', 'test/kube/docs', 'test/kube/e2e', 'test/kube/grow'];

/** Compares what the suites before it saw of the operator's requests with its rights: it runs last. */
const lastSuite = 'test/kube/evidence';

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** Runs the suites, all or those that are named; returns the exit code and closes with the sum of all. */
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
  const missing = all || nodes.length > 0 ? missingForNodes() : undefined;
  if (!all && missing !== undefined) {
    say(`NOT RUN: ${nodes.join(', ')}. ${missing}`);
    return 1;
  }
  // Of this run alone: two of them may run in one checkout.
  const evidence = join(cacheDir, `evidence-${process.pid}`);
  const env = { BALLAST_KUBE_EVIDENCE: evidence };
  const outcomes: Outcome[] = [];
  try {
    if (all || alone.length > 0) {
      const chosen = all ? ['test/conformance', 'test/kube'] : alone;
      outcomes.push(await onControlPlane([...chosen, ...flags], env, interrupted, say));
    }
    if (missing !== undefined)
      say(`NOT RUN: ${withNodes.join(', ')}, and what they would add to ${lastSuite}. ${missing}`);
    else if (all || nodes.length > 0) {
      const chosen = all ? withNodes : nodes;
      outcomes.push(await jest([...chosen, '--maxWorkers=1', ...flags], [], env, interrupted));
      if (all) outcomes.push(await jest([lastSuite, ...flags], [], env, interrupted));
    }
  } finally {
    rmSync(evidence, { recursive: true, force: true });
  }
  const sum = (part: keyof Outcome) => outcomes.reduce((total, outcome) => total + outcome[part], 0);
  if (outcomes.length > 1) say(`in all: ${sum('passed')} passed, ${sum('failed')} failed`);
  return sum('failed') === 0 && outcomes.every(({ passed }) => passed > 0) ? 0 : 1;
}

async function onControlPlane(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupted: Promise<void>,
  say: (line: string) => void,
): Promise<Outcome> {
  buildBinary(say);
  const cluster = await startRealCluster({ audit: true, say });
  const broken = cluster.broken.then((text) => ({ text }));
  const more = {
    ...env,
    CONFORMANCE_KUBECONFIG: cluster.kubeconfigPath,
    BALLAST_KUBE_AUDIT_LOG: cluster.auditLogPath ?? '',
  };
  try {
    const outcome = await Promise.race([jest(words, [...withNodes, lastSuite], more, interrupted), broken]);
    if (!('text' in outcome)) return outcome;
    console.error(outcome.text);
    return { passed: 0, failed: 1 };
  } finally {
    await cluster.stop();
  }
}

/** Runs jest, whose last line tells how many passed and failed. */
function jest(
  words: readonly string[],
  ignored: readonly string[],
  env: Readonly<Record<string, string>>,
  interrupted: Promise<void>,
): Promise<Outcome> {
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
      { cwd: root, stdio: ['inherit', 'pipe', 'inherit'], env: { ...process.env, ...env } },
    );
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      process.stdout.write(text);
    });
    void interrupted.then(() => child.kill('SIGTERM'));
    child.once('close', (code) => {
      const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(said) ?? [];
      const told = { passed: Number(passed ?? 0), failed: Number(failed ?? 1) };
      resolve(code === 0 ? told : { ...told, failed: Math.max(1, told.failed) });
    });
  });
}
