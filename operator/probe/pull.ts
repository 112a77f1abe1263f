/** One `GET /load` over a kept-alive connection, bounded in time and size. */
import { Agent, request } from 'undici';
import type { LoadReport } from '../../crds/wire.ts';
import { parseReport } from './report.ts';

/** Why a pull gave nothing: the label of the counter of failures. */
export type PullFailure = 'unreachable' | 'timeout' | 'status' | 'too-large' | 'invalid';

/** How often pulls failed, by kind; none yet. */
export const noFailures = (): Record<PullFailure, number> => ({
  unreachable: 0,
  timeout: 0,
  status: 0,
  'too-large': 0,
  invalid: 0,
});

export type PullOf<Report> =
  | { readonly report: Report }
  | { readonly failure: PullFailure; readonly detail: string };
export type PullResult = PullOf<LoadReport>;

export interface Puller<Report = LoadReport> {
  /** `query` follows the path, such as `?sinceMs=12000`. */
  pull(origin: string, signal?: AbortSignal, query?: string): Promise<PullOf<Report>>;
  close(): Promise<void>;
}

export interface PullerOptions {
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
}

/** Asks pods: opens the agent that all pulls share; `close` ends its connections. */
export const createPuller = (options: PullerOptions = {}): Puller => createPullerOf(parseReport, options);

/** The same for whatever answers `GET /load` in another form; `parse` refuses a body whole or not at all. */
export function createPullerOf<Report>(
  parse: (body: string) => { readonly report: Report } | { readonly refused: string },
  { deadlineMs = 2_000, maxBytes = 256 * 1_024 }: PullerOptions = {},
): Puller<Report> {
  const agent = new Agent({
    connections: 1,
    pipelining: 1,
    // Pods that are asked each 2 s keep their connection; of 50,000 that are asked each 20 s it would cost 1 GB to keep all.
    keepAliveTimeout: 5_000,
    // An address that says nothing: without this its socket would outlive the pull by eight seconds.
    connect: { timeout: deadlineMs },
  });
  return {
    close: () => agent.destroy(),
    async pull(origin, signal, query = '') {
      // AbortSignal.timeout would fire, and make an error with a stack, after every pull that went well.
      const ending = new AbortController();
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        ending.abort();
      }, deadlineMs);
      const stop = () => ending.abort();
      signal?.addEventListener('abort', stop, { once: true });
      if (signal?.aborted) stop();
      try {
        const answer = await request(`${origin}/load${query}`, {
          dispatcher: agent,
          headers: { accept: 'application/json' },
          signal: ending.signal,
        });
        const chunks: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          bytes += chunk.length;
          // Leaving the loop destroys the body, and with it the connection.
          if (bytes > maxBytes) return { failure: 'too-large', detail: `more than ${maxBytes} bytes` };
          chunks.push(chunk);
        }
        if (answer.statusCode !== 200) return { failure: 'status', detail: `HTTP ${answer.statusCode}` };
        const parsed = parse(Buffer.concat(chunks).toString('utf8'));
        if ('refused' in parsed) return { failure: 'invalid', detail: parsed.refused };
        return parsed;
      } catch (error) {
        if (late) return { failure: 'timeout', detail: `no answer within ${deadlineMs}ms` };
        return { failure: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
      }
    },
  };
}
