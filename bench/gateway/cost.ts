/** What one request costs a hop: CPU time from the kernel, the same load on each hop in turn, round after round. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closedLoop } from '../pod/closed-loop.ts';
import { cores, flagsOfOurs, freePorts, type Running, start } from './processes.ts';

export interface HopCost {
  readonly hop: string;
  readonly bodyBytes: number;
  /** CPU of the hop's own process per request, microseconds: median, lowest and highest of the rounds. Direct has none. */
  readonly cpuMicros: readonly [median: number, lowest: number, highest: number];
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
}

export const hops = ['direct', 'relay', 'bare proxy', 'ballast'] as const;
export type Hop = (typeof hops)[number];

export interface CostOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly bodyBytes: readonly number[];
  readonly say: (line: string) => void;
}

/** Measures all hops in front of one pod that answers a constant. */
export async function measureCost(options: CostOptions): Promise<HopCost[]> {
  const { rounds, seconds, connections, say } = options;
  const directory = mkdtempSync(join(tmpdir(), 'ballast-bench-gateway-'));
  const [pod = 0, relay = 0, bare = 0, ours = 0] = await freePorts(4);
  const running: Running[] = [];
  try {
    running.push(await start('../pod/constant.ts', cores.others, [String(pod)], [pod]));
    const launched: Record<Hop, { port: number; process: Running | undefined }> = {
      direct: { port: pod, process: undefined },
      relay: {
        port: relay,
        process: await start('relay.ts', cores.hop, [String(relay), String(pod)], [relay]),
      },
      'bare proxy': {
        port: bare,
        process: await start('bare-proxy.ts', cores.hop, [String(bare), String(pod)], [bare]),
      },
      ballast: {
        port: ours,
        process: await start(
          'gateway-process.ts',
          cores.hop,
          // As many slots as clients: what is measured here is the way through, not the wait for a slot.
          [String(ours), String(pod), String(connections)],
          [ours],
          flagsOfOurs,
        ),
      },
    };
    for (const { process } of Object.values(launched)) if (process !== undefined) running.push(process);
    const series = new Map<string, { cpuMicros: number; requestsPerSecond: number; p50Ms: number }[]>();
    const load = async (hop: Hop, bytes: number, forSeconds: number) => {
      const { port, process } = launched[hop];
      const before = process?.cpuSeconds() ?? 0;
      const figures = await closedLoop(
        {
          url: `http://127.0.0.1:${port}/v2/models/bench/infer`,
          headers: { 'content-type': 'application/json' },
          body: Buffer.alloc(bytes, 'x'),
          numbersOf: () => [],
        },
        connections,
        forSeconds,
        directory,
      );
      // The bare proxy sends on connections that the pod may just have closed, and does not try again: one request in 20,000.
      if (figures.failed > (hop === 'ballast' ? 0 : figures.sent / 1_000))
        throw new Error(`${hop} failed ${figures.failed} of ${figures.sent} requests`);
      const used = (process?.cpuSeconds() ?? 0) - before;
      return {
        cpuMicros: (used * 1e6) / Math.max(1, figures.sent),
        requestsPerSecond: figures.requestsPerSecond,
        p50Ms: figures.p50Ms,
      };
    };
    for (const bytes of options.bodyBytes) for (const hop of hops) await load(hop, bytes, 1);
    for (let round = 0; round < rounds; round += 1) {
      say(`cost: round ${round + 1} of ${rounds}`);
      for (const bytes of options.bodyBytes)
        for (const hop of hops) {
          const key = `${bytes} ${hop}`;
          series.set(key, [...(series.get(key) ?? []), await load(hop, bytes, seconds)]);
        }
    }
    return options.bodyBytes.flatMap((bodyBytes) =>
      hops.map((hop): HopCost => {
        const all = series.get(`${bodyBytes} ${hop}`) ?? [];
        const sorted = (pick: (one: (typeof all)[number]) => number) => all.map(pick).sort((a, b) => a - b);
        const cpu = sorted((one) => one.cpuMicros);
        return {
          hop,
          bodyBytes,
          cpuMicros: [middle(cpu), cpu[0] ?? 0, cpu.at(-1) ?? 0],
          requestsPerSecond: middle(sorted((one) => one.requestsPerSecond)),
          p50Ms: middle(sorted((one) => one.p50Ms)),
        };
      }),
    );
  } finally {
    await Promise.all(running.map((process) => process.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

const middle = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? 0;
