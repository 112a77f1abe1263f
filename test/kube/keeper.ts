/** The process that holds the cluster of `kube:up` until it is told to end; in the background it reports to its starter. */

import { forget, kubeconfigIn, remember } from './background.ts';
import { type RealClusterOptions, startRealCluster } from './cluster.ts';

/** What the starter is told. */
export type Report =
  | { readonly say: string }
  | { readonly ready: { readonly url: string; readonly nodes: readonly { name: string; zone: string }[] } }
  | { readonly failed: string };

/** Starts the cluster and holds it until a signal comes or a part of it ends; returns the exit code. */
export async function hold(
  home: string,
  options: RealClusterOptions,
  report: (what: Report) => void,
): Promise<number> {
  let interrupt: () => void = () => {};
  const interrupted = new Promise<undefined>((resolve) => {
    interrupt = () => resolve(undefined);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  const say = (line: string) => report({ say: line });
  let cluster: Awaited<ReturnType<typeof startRealCluster>>;
  try {
    cluster = await startRealCluster({ ...options, kubeconfigPath: kubeconfigIn(home), say });
  } catch (error) {
    report({ failed: (error as Error).message });
    return 1;
  }
  const { kubeconfigPath: kubeconfig, dir, name } = cluster;
  remember(home, { kubeconfig, dir, ...(name === undefined ? {} : { name }) });
  report({
    ready: { url: cluster.url, nodes: cluster.nodes.map((node) => ({ name: node.name, zone: node.zone })) },
  });
  const broken = await Promise.race([interrupted, cluster.broken]);
  if (broken !== undefined) report({ failed: broken });
  await cluster.stop();
  forget(home);
  return broken === undefined ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) {
  const [home = '', options = '{}'] = process.argv.slice(2);
  const report = (what: Report) => {
    console.log('say' in what ? what.say : JSON.stringify(what));
    if (process.connected) process.send?.(what, () => {});
  };
  let isReady = false;
  // A starter that goes away before the end of the start has changed its mind.
  process.on('disconnect', () => {
    if (!isReady) process.kill(process.pid, 'SIGTERM');
  });
  process.exitCode = await hold(home, JSON.parse(options) as RealClusterOptions, (what) => {
    if ('ready' in what) isReady = true;
    report(what);
    if ('failed' in what && process.connected) process.disconnect();
  });
}
