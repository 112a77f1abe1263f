/** An open-loop client that counts every failure: half of its requests on connections that it keeps, half on new ones, no retries. */
import { performance } from 'node:perf_hooks';
import { Agent, request } from 'undici';

export interface LoadOptions {
  readonly url: string;
  readonly body: string;
  readonly requestsPerSecond: number;
  /** A request that is not answered by then has failed. Default 10 s: a slow machine loses no request. */
  readonly timeoutMs?: number;
}

/** A request that failed. */
export interface Failure {
  /** When it was sent, milliseconds after the start of the load. */
  readonly atMs: number;
  readonly kept: boolean;
  readonly why: string;
}

/** What came of a load. */
export interface LoadFigures {
  readonly sent: number;
  readonly seconds: number;
  readonly failures: readonly Failure[];
  /** Milliseconds of the answered requests. */
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  /** Milliseconds since the start. */
  now(): number;
  readonly sent: number;
  readonly failed: number;
  /** Resolves when this many more requests were answered well. */
  succeed(count: number): Promise<void>;
  /** Sends no more and resolves when every request has ended. */
  stop(): Promise<LoadFigures>;
}

/** Connections that are kept: kube-proxy balances connections, so a few of them reach every pod. */
const keptConnections = 8;
/** As long as no client closes a connection, the server's drain has to. */
const keepAliveMs = 60_000;

const why = (error: unknown): string => {
  const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
  return name === 'TimeoutError' ? 'timeout' : `${String(code ?? name)} ${String(message ?? '')}`.trim();
};

/** Starts to send at a constant rate, whatever comes back. */
export function startLoad({ url, body, requestsPerSecond, timeoutMs = 10_000 }: LoadOptions): Load {
  const connect = { timeout: timeoutMs };
  const kept = new Agent({
    connections: keptConnections,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    connect,
  });
  const fresh = new Agent({ connect });
  const startMs = performance.now();
  const now = () => performance.now() - startMs;
  const failures: Failure[] = [];
  const latencies: number[] = [];
  const pending = new Set<Promise<void>>();
  let sent = 0;
  let waiters: { from: number; resolve: () => void }[] = [];

  const send = async (isKept: boolean) => {
    const atMs = now();
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: isKept ? kept : fresh,
        reset: !isKept,
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== 200)
        failures.push({ atMs, kept: isKept, why: `${answer.statusCode} ${text.slice(0, 120)}` });
      else latencies.push(now() - atMs);
    } catch (error) {
      failures.push({ atMs, kept: isKept, why: why(error) });
    }
    for (const waiter of waiters) if (latencies.length >= waiter.from) waiter.resolve();
    waiters = waiters.filter(({ from }) => latencies.length < from);
  };
  const timer = setInterval(() => {
    const due = (now() / 1_000) * requestsPerSecond;
    while (sent < due) {
      sent += 1;
      const one = send(sent % 2 === 0).finally(() => pending.delete(one));
      pending.add(one);
    }
  }, 5);
  return {
    now,
    get sent() {
      return sent;
    },
    get failed() {
      return failures.length;
    },
    succeed: (count) =>
      new Promise((resolve) => {
        waiters.push({ from: latencies.length + count, resolve });
      }),
    async stop() {
      clearInterval(timer);
      const seconds = now() / 1_000;
      await Promise.allSettled(pending);
      await Promise.all([kept.destroy(), fresh.destroy()]);
      latencies.sort((a, b) => a - b);
      const at = (share: number) => latencies[Math.max(0, Math.ceil(share * latencies.length) - 1)] ?? 0;
      return { sent, seconds, failures, p50: at(0.5), p99: at(0.99) };
    },
  };
}

/** What failed, in short: the whole list would fill a screen. */
export const lost = ({ failures }: LoadFigures): { failed: number; first: readonly Failure[] } => ({
  failed: failures.length,
  first: failures.slice(0, 3),
});
/** What `lost` says when nothing was. */
export const nothing = { failed: 0, first: [] };

/** `1,200 requests in 30.0 s, 0 failed, p50 3 ms, p99 20 ms`, with examples of what failed. */
export function figuresText({ sent, seconds, failures, p50, p99 }: LoadFigures): string {
  const kinds = new Map<string, number>();
  for (const one of failures) kinds.set(one.why, (kinds.get(one.why) ?? 0) + 1);
  const told = [...kinds].slice(0, 4).map(([kind, count]) => `${count}× ${kind}`);
  const [first, last] = [failures[0], failures.at(-1)].map((one) => ((one?.atMs ?? 0) / 1_000).toFixed(1));
  if (failures.length > 0) told.push(`sent between ${first} s and ${last} s`);
  const figures = `${sent} requests in ${seconds.toFixed(1)} s, ${failures.length} failed`;
  return `${figures}, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms${told.length === 0 ? '' : ` (${told.join('; ')})`}`;
}
