/** One `GET /load` over a kept-alive connection, bounded in time and size. */
import { Agent, request } from 'undici';
import type { LoadReport } from '../../crds/wire.ts';
import { parseReport } from './report.ts';

/** Why a pull gave nothing: the label of the counter of failures. */
export type PullFailure = 'unreachable' | 'timeout' | 'status' | 'too-large' | 'invalid';

export type PullResult =
  | { readonly report: LoadReport }
  | { readonly failure: PullFailure; readonly detail: string };

export interface Puller {
  pull(origin: string, signal?: AbortSignal): Promise<PullResult>;
  close(): Promise<void>;
}

export interface PullerOptions {
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
}

/** Opens the agent that all pulls share; `close` ends its connections. */
export function createPuller({ deadlineMs = 2_000, maxBytes = 256 * 1_024 }: PullerOptions = {}): Puller {
  const agent = new Agent({
    connections: 1,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    // An address that says nothing: without this its socket would outlive the pull by eight seconds.
    connect: { timeout: deadlineMs },
  });
  return {
    close: () => agent.destroy(),
    async pull(origin, signal) {
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
        const answer = await request(`${origin}/load`, {
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
        const parsed = parseReport(Buffer.concat(chunks).toString('utf8'));
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
