/** The generator: an open loop of requests whose latency counts from the moment at which each was due. */

import { performance } from 'node:perf_hooks';
import { Agent, request } from 'undici';
import { messageOf } from '../../kube/log.ts';
import { poissonGaps } from './arrivals.ts';
import { requireLoopback } from './loopback.ts';
import type { LoadResult, Progress } from './tally.ts';
import { Tally } from './tally.ts';

export interface RunLoadOptions {
  /** The model's infer URL. */
  readonly url: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly rps: number;
  readonly seconds: number;
  readonly connections?: number;
  readonly timeoutMs?: number;
  readonly seed?: number;
  readonly allowRemote?: boolean;
  /** Ends the sending early; what was sent is still waited for, until its timeout. */
  readonly signal?: AbortSignal;
  readonly onSecond?: (progress: Progress) => void;
  /** When each request is due, ascending milliseconds after the start; default: a Poisson stream of `rps` from `seed`. */
  readonly arrivalsMs?: readonly number[];
  /** Told of each request how long it took from when it was due; undefined when it was not answered 2xx. */
  readonly onAnswer?: (dueMs: number, latencyMs: number | undefined) => void;
}

/** A connection is closed after about this long: a balancer of connections then finds the replicas that were added. */
const connectionLifeSeconds = 2;
/** Beyond this many unanswered requests more of them would only measure this process. */
const mostInFlight = 10_000;

function kindOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  const name = (error as { name?: unknown }).name;
  if (name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return 'timeout';
  if (code === 'ECONNREFUSED') return 'refused connection';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE') return 'broken connection';
  return typeof code === 'string' ? code : 'failed';
}

/** Sends the load and resolves when every request was answered, failed or timed out. */
export async function runLoad(options: RunLoadOptions): Promise<LoadResult> {
  const { url, body, rps, seconds, connections = 64, timeoutMs = 10_000, seed = 1, signal } = options;
  requireLoopback(url, options.allowRemote === true);
  const agent = new Agent({
    connections,
    pipelining: 1,
    connect: { timeout: Math.min(timeoutMs, 5_000) },
    maxRequestsPerClient: Math.max(1, Math.ceil((rps / connections) * connectionLifeSeconds)),
  });
  const headers = { 'content-type': 'application/json', ...options.headers };
  const tally = new Tally();
  const pending = new Set<Promise<void>>();

  const send = async (dueMs: number) => {
    const deadlineMs = Math.max(1, timeoutMs - (performance.now() - dueMs));
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers,
        body,
        signal: AbortSignal.timeout(Math.ceil(deadlineMs)),
      });
      const ok = answer.statusCode >= 200 && answer.statusCode < 300;
      if (ok) {
        await answer.body.dump({ limit: 64 * 1_024 * 1_024 });
        const latencyMs = performance.now() - dueMs;
        tally.success(latencyMs);
        options.onAnswer?.(dueMs - startMs, latencyMs);
        return;
      }
      tally.failure(`HTTP ${answer.statusCode}`, await answer.body.text());
    } catch (error) {
      tally.failure(kindOf(error), messageOf(error));
    }
    options.onAnswer?.(dueMs - startMs, undefined);
  };

  const gap = poissonGaps(rps, seed);
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  const { arrivalsMs } = options;
  let index = 0;
  const next = (lastMs: number) => {
    if (arrivalsMs === undefined) return lastMs + gap();
    const afterMs = arrivalsMs[index] ?? Number.POSITIVE_INFINITY;
    index += 1;
    return startMs + afterMs;
  };
  let dueMs = next(startMs);
  let second = 1;
  const endSecond = () => {
    options.onSecond?.(tally.endSecond(second, pending.size));
    second += 1;
  };
  const progress = setInterval(endSecond, 1_000);
  try {
    while (dueMs < endMs && signal?.aborted !== true) {
      const nowMs = performance.now();
      if (dueMs > nowMs) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(dueMs - nowMs, 100)));
        continue;
      }
      tally.send();
      if (pending.size >= mostInFlight) {
        tally.failure('not sent', `${mostInFlight} requests were unanswered`);
        options.onAnswer?.(dueMs - startMs, undefined);
      } else {
        const sent = send(dueMs).finally(() => pending.delete(sent));
        pending.add(sent);
      }
      dueMs = next(dueMs);
    }
    const sendingSeconds = Math.min(seconds, (performance.now() - startMs) / 1_000);
    await Promise.allSettled(pending);
    // The timer of the last second and the last answer race; its line is owed either way.
    if (second <= seconds && signal?.aborted !== true) endSecond();
    return tally.result(url, rps, sendingSeconds);
  } finally {
    clearInterval(progress);
    await agent.destroy();
  }
}
