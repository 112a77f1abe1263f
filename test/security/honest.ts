/** A client that does nothing wrong, and a kubelet that asks for life, on a thread of their own: what attacks do to them is measured here. */
import { Agent, type RequestOptions, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

/** Where they ask, and what. */
export interface HonestOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly httpPort: number;
  readonly opsPort: number;
  readonly body: string;
  /** What every answer must hold. */
  readonly want: string;
  readonly everyMs: number;
}

/** What they saw since they were last asked. */
export interface Seen {
  readonly asked: number;
  /** Answers by status; 0 is a connection that broke, -1 a wrong answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly liveWorstMs: number;
  readonly liveFailed: number;
}

const ask = (options: RequestOptions, body?: string): Promise<{ status: number; text: string; ms: number }> =>
  new Promise((resolve) => {
    const from = performance.now();
    const end = (status: number, text = '') => resolve({ status, text, ms: performance.now() - from });
    const sent = request({ host: '127.0.0.1', ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => end(response.statusCode ?? 0, text));
      response.on('error', () => end(0));
    });
    sent.on('error', () => end(0));
    sent.end(body);
  });

const quantile = (sorted: readonly number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;

const run = (options: HonestOptions) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let statuses: Record<string, number> = {};
  let latencies: number[] = [];
  let live: number[] = [];
  let liveFailed = 0;
  const infer = async () => {
    const { httpPort: port, body, want, host = '127.0.0.1' } = options;
    const { status, text, ms } = await ask(
      { host, port, path: '/v2/models/m/infer', method: 'POST', agent },
      body,
    );
    const outcome = status === 200 && !text.includes(want) ? -1 : status;
    statuses[outcome] = (statuses[outcome] ?? 0) + 1;
    latencies.push(ms);
  };
  const probe = async () => {
    // A connection of its own each time, as a kubelet does it.
    const { status, ms } = await ask({
      host: options.host ?? '127.0.0.1',
      port: options.opsPort,
      path: '/livez',
      agent: false,
    });
    live.push(ms);
    if (status !== 200) liveFailed += 1;
  };
  setInterval(() => void infer(), options.everyMs);
  setInterval(() => void probe(), 20);
  parentPort?.on('message', () => {
    const sorted = latencies.sort((a, b) => a - b);
    const sortedLive = live.sort((a, b) => a - b);
    const seen: Seen = {
      asked: sorted.length,
      statuses,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      liveWorstMs: sortedLive.at(-1) ?? 0,
      liveFailed,
    };
    statuses = {};
    latencies = [];
    live = [];
    liveFailed = 0;
    parentPort?.postMessage(seen);
  });
};

if (parentPort !== null) run(workerData as HonestOptions);
