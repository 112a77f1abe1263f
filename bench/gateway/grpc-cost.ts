/** What one unary RPC costs a hop: as cost.ts, over gRPC. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { HopCost } from './cost.ts';
import type { GrpcLoadFigures } from './grpc-load.ts';
import { cores, flagsOfOurs, freePorts, type Running, start } from './processes.ts';

export interface GrpcCostOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly streams: number;
  readonly bodyBytes: number;
  readonly say: (line: string) => void;
}

/** Measures a bare gRPC proxy and ours in front of one pod that answers a constant. */
export async function measureGrpcCost(options: GrpcCostOptions): Promise<HopCost[]> {
  const { rounds, seconds, streams, bodyBytes, say } = options;
  const [pod = 0, bare = 0, ours = 0] = await freePorts(3);
  const running: Running[] = [];
  try {
    running.push(await start('grpc-constant.ts', cores.others, [String(pod)], [pod]));
    const hops = [
      {
        hop: 'bare proxy',
        port: bare,
        process: await start('bare-grpc-proxy.ts', cores.hop, [String(bare), String(pod)], [bare]),
      },
      {
        hop: 'ballast',
        port: ours,
        process: await start(
          'gateway-process.ts',
          cores.hop,
          [String(ours), String(pod), String(streams)],
          [ours],
          flagsOfOurs,
        ),
      },
    ];
    for (const { process } of hops) running.push(process);
    const measured = hops.map(({ hop }) => ({
      hop,
      cpu: [] as number[],
      rate: [] as number[],
      p50: [] as number[],
    }));
    for (const { port } of hops) await load(port, streams, 1, bodyBytes);
    for (let round = 0; round < rounds; round += 1) {
      say(`gRPC cost: round ${round + 1} of ${rounds}`);
      for (const [i, { hop, port, process }] of hops.entries()) {
        const before = process.cpuSeconds();
        const figures = await load(port, streams, seconds, bodyBytes);
        if (figures.failed > 0) throw new Error(`${hop} failed ${figures.failed} of ${figures.sent} RPCs`);
        measured[i]?.cpu.push(((process.cpuSeconds() - before) * 1e6) / figures.sent);
        measured[i]?.rate.push(figures.sent / figures.seconds);
        measured[i]?.p50.push(figures.p50Ms);
      }
    }
    return measured.map(({ hop, cpu, rate, p50 }) => {
      const sorted = cpu.toSorted((a, b) => a - b);
      return {
        hop,
        bodyBytes,
        cpuMicros: [middle(cpu), sorted[0] ?? 0, sorted.at(-1) ?? 0],
        requestsPerSecond: middle(rate),
        p50Ms: middle(p50),
      };
    });
  } finally {
    await Promise.all(running.map((process) => process.stop()));
  }
}

const middle = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function load(port: number, streams: number, seconds: number, bytes: number): Promise<GrpcLoadFigures> {
  const child = spawn(
    'taskset',
    [
      '-c',
      cores.others,
      process.execPath,
      join(import.meta.dirname, 'grpc-load.ts'),
      ...[port, streams, 4, seconds, bytes].map(String),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output) as GrpcLoadFigures;
}
