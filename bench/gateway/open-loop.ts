/**
 * Requests at random moments (Poisson), each over a connection to a hop chosen at random, whatever comes back: how a
 * Service spreads clients over gateways. Latency counts from the moment a request was due. A process of its own.
 */
import { Agent, request } from 'undici';
import { randomOf } from './random.ts';

export interface OpenLoopOptions {
  readonly ports: readonly number[];
  readonly perSecond: number;
  readonly seconds: number;
  readonly seed: number;
}

export interface OpenLoopFigures {
  readonly sent: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const warmUpSeconds = 2;

async function run({ ports, perSecond, seconds, seed }: OpenLoopOptions): Promise<OpenLoopFigures> {
  const agent = new Agent({ connections: 2_048, pipelining: 1 });
  const random = randomOf(seed);
  const latencies: number[] = [];
  let sent = 0;
  let failed = 0;
  const send = async (dueMs: number, counts: boolean) => {
    const port = ports[Math.floor(random() * ports.length)];
    if (counts) sent += 1;
    try {
      const answer = await request(`http://127.0.0.1:${port}/v2/models/bench/infer`, {
        method: 'POST',
        dispatcher: agent,
        body: '{}',
      });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(String(answer.statusCode));
    } catch {
      if (counts) failed += 1;
      return;
    }
    if (counts) latencies.push(performance.now() - dueMs);
  };
  const startMs = performance.now();
  const endMs = startMs + (seconds + warmUpSeconds) * 1000;
  const pending = new Set<Promise<void>>();
  for (let dueMs = startMs; dueMs < endMs; dueMs += (-Math.log(random()) / perSecond) * 1000) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const one = send(dueMs, dueMs - startMs >= warmUpSeconds * 1000).finally(() => pending.delete(one));
    pending.add(one);
  }
  await Promise.all(pending);
  await agent.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.max(0, Math.ceil(share * latencies.length) - 1)] ?? Number.NaN;
  return { sent, failed, p50Ms: at(0.5), p99Ms: at(0.99) };
}

if (process.argv[1] === import.meta.filename)
  console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as OpenLoopOptions)));
