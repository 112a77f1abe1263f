/** Open-loop load: requests at random moments (Poisson), whatever comes back. Runs on the clients' core as a process of its own. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

export interface OpenLoopOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyPath: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** An answer counts when it comes within this time after its request was due. */
  readonly withinMs: number;
  readonly seed: number;
}

export interface OpenLoopFigures {
  readonly offeredPerSecond: number;
  /** Answered 200 in time, per second. */
  readonly goodPerSecond: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Of the requests answered 200. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A stretch at the start in which queues fill is not counted. */
const warmUpSeconds = 1;

async function run(options: OpenLoopOptions): Promise<OpenLoopFigures> {
  const { url, headers, perSecond, seconds, withinMs } = options;
  const body = readFileSync(options.bodyPath);
  const agent = new Agent({ connections: 512, pipelining: 1, headersTimeout: 15_000 });
  let state = options.seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (state + 1) / 2_147_483_649;
  };
  const latencies: number[] = [];
  const byStatus: Record<string, number> = {};
  let offered = 0;
  let good = 0;
  const send = async (dueMs: number, counts: boolean) => {
    let status: string;
    try {
      const answer = await request(url, { method: 'POST', dispatcher: agent, headers, body });
      await answer.body.dump();
      status = String(answer.statusCode);
    } catch (error) {
      status = (error as { code?: string }).code ?? String(error);
    }
    if (!counts) return;
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    if (status !== '200') return;
    const tookMs = performance.now() - dueMs;
    latencies.push(tookMs);
    if (tookMs <= withinMs) good += 1;
  };
  const startMs = performance.now();
  const endMs = startMs + (seconds + warmUpSeconds) * 1_000;
  const pending = new Set<Promise<void>>();
  for (let dueMs = startMs; dueMs < endMs; dueMs += (-Math.log(random()) / perSecond) * 1_000) {
    // A client that is late sends what is due at once: the delay counts, since the clock starts when it was due.
    while (performance.now() < dueMs) await new Promise((resolve) => setImmediate(resolve));
    const counts = dueMs - startMs >= warmUpSeconds * 1_000;
    if (counts) offered += 1;
    const one = send(dueMs, counts).finally(() => pending.delete(one));
    pending.add(one);
  }
  await Promise.all(pending);
  await agent.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.max(0, Math.ceil(share * latencies.length) - 1)] ?? Number.NaN;
  return {
    offeredPerSecond: offered / seconds,
    goodPerSecond: good / seconds,
    byStatus,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

if (process.argv[1] === import.meta.filename)
  console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as OpenLoopOptions)));
