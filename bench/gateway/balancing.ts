/** p99 under load by the way of balancing, in front of the same stub pods with a known service time. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { OpenLoopFigures, OpenLoopOptions } from './open-loop.ts';
import { cores, freePorts, start } from './processes.ts';

export const ways = [
  'random',
  'round robin',
  'least outstanding',
  'ballast, 1 gateway',
  'ballast, 2 gateways',
  'ballast, 4 gateways',
] as const;
export type Way = (typeof ways)[number];

export interface BalancingOptions {
  readonly pods: number;
  readonly meanMs: number;
  readonly utilisations: readonly number[];
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface BalancingFigures extends OpenLoopFigures {
  readonly way: Way;
  readonly utilisation: number;
  /** Share of the time in which the hop was ready to run and others had its core. */
  readonly waited: number;
}

/** Hops of a way: one process, however many gateways. Two of `least outstanding` know nothing of each other, like ours. */
const hopsOf: Readonly<Record<Way, { script: string; count: number; last: string }>> = {
  random: { script: 'bare-proxy.ts', count: 1, last: 'random' },
  'round robin': { script: 'bare-proxy.ts', count: 1, last: 'turn' },
  'least outstanding': { script: 'bare-proxy.ts', count: 1, last: 'least' },
  'ballast, 1 gateway': { script: 'gateway-process.ts', count: 1, last: '1' },
  'ballast, 2 gateways': { script: 'gateway-process.ts', count: 2, last: '1' },
  'ballast, 4 gateways': { script: 'gateway-process.ts', count: 4, last: '1' },
};

/** Measures every way at every utilisation, one after the other. */
export async function measureBalancing(options: BalancingOptions): Promise<BalancingFigures[]> {
  const { pods, meanMs, utilisations, seconds, say } = options;
  const figures: BalancingFigures[] = [];
  for (const utilisation of utilisations)
    for (const way of ways) {
      say(`balancing: ${way} at ${utilisation}`);
      const { script, count, last } = hopsOf[way];
      const ports = await freePorts(pods + count);
      const podPorts = ports.slice(0, pods);
      const hopPorts = ports.slice(pods);
      // The same service times for every way: drawn in the order in which pods begin.
      const stubs = await start(
        'stub-pods.ts',
        cores.others,
        [podPorts.join(','), String(meanMs), '7'],
        podPorts,
      );
      const hop = await start(script, cores.hop, [hopPorts.join(','), podPorts.join(','), last], hopPorts);
      try {
        const perSecond = (utilisation * pods * 1000) / meanMs;
        const before = hop.waitedMs();
        const fromMs = performance.now();
        const seen = await load({ ports: hopPorts, perSecond, seconds, seed: 11 });
        const waited = (hop.waitedMs() - before) / (performance.now() - fromMs);
        figures.push({ way, utilisation, ...seen, waited });
      } finally {
        await Promise.all([hop.stop(), stubs.stop()]);
      }
    }
  return figures;
}

async function load(options: OpenLoopOptions): Promise<OpenLoopFigures> {
  const child = spawn(
    'taskset',
    ['-c', cores.hop, process.execPath, join(import.meta.dirname, 'open-loop.ts'), JSON.stringify(options)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output) as OpenLoopFigures;
}
