/** One call to the server with everything around it: rate limit, deadline, retries that honour Retry-After, metrics. */
import type { CallOptions } from './api.ts';
import { type Clock, sleep } from './clock.ts';
import { ApiError, answerError } from './errors.ts';
import type { Observer } from './metrics.ts';
import type { ResourceType } from './resource.ts';
import { TokenBucket } from './retry.ts';
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts';

export interface CallerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly qps: number;
  readonly burst: number;
}

export interface Call extends CallOptions {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly verb: string;
  readonly type?: ResourceType;
  readonly contentType?: string;
  readonly accept?: string;
  readonly body?: string;
  readonly defaultTimeoutMs?: number;
  /** The same call twice does what one does: it may be sent again when the network failed. */
  readonly repeatable?: boolean;
}

/** Deadline of a call that names none. */
export const callTimeoutMs = 10_000;
const maxRetries = 10;

export class Caller {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #bucket: TokenBucket;

  constructor(options: CallerOptions) {
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#bucket = new TokenBucket(options.qps, options.burst, this.#clock.monotonicMs());
  }

  /** One call with its retries, all within one deadline: a wait that would pass it rejects at once with the server's error. */
  async call(call: Call): Promise<HttpAnswer> {
    const what = whatOf(call);
    const startMs = this.#clock.monotonicMs();
    const deadlineMs = startMs + (call.timeoutMs ?? call.defaultTimeoutMs ?? callTimeoutMs);
    let networkRetries = call.repeatable ? 1 : 0;
    for (let retry = 0; ; retry++) {
      let failure: ApiError;
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      await this.takeToken(what, call.signal, leftMs);
      try {
        const answer = await this.#transport.exchange({
          method: call.method,
          path: call.path,
          timeoutMs: Math.max(1, deadlineMs - this.#clock.monotonicMs()),
          signal: call.signal,
          what,
          ...(call.contentType === undefined ? {} : { contentType: call.contentType }),
          ...(call.accept === undefined ? {} : { accept: call.accept }),
          ...(call.body === undefined ? {} : { body: call.body }),
        });
        this.#observe(call, String(answer.code), startMs);
        if (answer.code >= 200 && answer.code < 300) return answer;
        failure = answerError(what, answer.code, answer.headers, answer.text, this.#clock.now());
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.#observe(call, error.reason, startMs);
        // A kept-alive connection that the server closed meanwhile: the call never reached it, or may be repeated.
        if (error.reason !== 'Network' || networkRetries === 0) throw error;
        networkRetries -= 1;
        continue;
      }
      const waitMs = failure.retryAfterMs;
      const asksToWait = waitMs !== undefined && (failure.code === 429 || failure.code >= 500);
      if (!asksToWait || retry >= maxRetries || this.#clock.monotonicMs() + waitMs >= deadlineMs)
        throw failure;
      this.#observer.count('client_retries_total', { verb: call.verb, code: String(failure.code) });
      await sleep(this.#clock, waitMs, call.signal);
    }
  }

  /** Waits for a turn under the rate limit; rejects at once when none comes in time. */
  async takeToken(what: string, signal: AbortSignal | undefined, leftMs: number): Promise<void> {
    const waitMs = this.#bucket.reserveMs(this.#clock.monotonicMs());
    if (waitMs === 0) return;
    if (waitMs >= leftMs) {
      this.#bucket.giveBack();
      throw new ApiError({
        code: 0,
        reason: 'Timeout',
        message: `${what}: no turn in time (client rate limit)`,
      });
    }
    this.#observer.count('client_throttled_total');
    await sleep(this.#clock, waitMs, signal);
  }

  #observe(call: Call, code: string, startMs: number): void {
    const kind = call.type?.kind ?? '';
    this.#observer.count('client_requests_total', { verb: call.verb, kind, code });
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
    this.#observer.duration('client_request_seconds', seconds, { verb: call.verb });
  }
}

/** What a call is, for messages: `get Pod a`. */
export const whatOf = (call: Call) => {
  const path = call.path.replace(/\?.*$/, '');
  return `${call.verb} ${call.type === undefined ? path : `${call.type.kind} ${path.split('/').slice(-1)[0]}`}`;
};
