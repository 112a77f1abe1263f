/** HTTP to one API server: two pooled undici agents (calls, watches), deadlines by the injected clock, fresh credentials. */
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Auth } from './auth.ts';
import type { Clock } from './clock.ts';
import type { Credentials, TlsMaterial } from './credentials.ts';
import { ApiError, networkError } from './errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, below the server's address. */
  readonly path: string;
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly body?: string;
  /** The whole exchange, body included, ends by then. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What the call is, for messages: `get Pod default/a`. */
  readonly what: string;
}

export interface HttpAnswer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpStream {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly chunks: AsyncIterable<Uint8Array> & { text(): Promise<string> };
  /** What an error while reading means: deadline, caller's signal or network. */
  errorOf(error: unknown): unknown;
  close(): void;
}

export interface TransportOptions {
  readonly auth: Auth;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Sockets for calls; further calls wait for a free one. Watches have an agent of their own, without this bound. */
  readonly connections: number;
}

const keepAliveMs = 60_000;
const streamHeadersTimeoutMs = 30_000;

interface Agents {
  readonly calls: Dispatcher;
  readonly streams: Dispatcher;
}

/** One server, reached over kept-alive connections. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #origin: string;
  readonly #basePath: string;
  #tls: TlsMaterial | undefined;
  #agents: Agents | undefined;
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    const url = new URL(options.auth.server);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, '');
  }

  /** Sends a request and reads the whole answer. A 401 renews the credentials and is tried once more. */
  async exchange(request: HttpRequest): Promise<HttpAnswer> {
    const end = this.#deadline(request);
    try {
      for (let attempt = 0; ; attempt++) {
        const data = await this.#send(request, 'calls', end.signal);
        const text = await data.body.text();
        if (data.statusCode === 401 && attempt === 0) {
          this.#options.auth.renew();
          continue;
        }
        return { code: data.statusCode, headers: data.headers, text };
      }
    } catch (error) {
      throw end.reasonOf(error);
    } finally {
      end.dispose();
    }
  }

  /** Sends a request and hands over the body as it comes; `timeoutMs` bounds the stream's whole life. The caller must `close` it. */
  async open(request: HttpRequest): Promise<HttpStream> {
    const end = this.#deadline(request);
    const headersInTime = this.#options.clock.setTimer(streamHeadersTimeoutMs, () => end.expire());
    const close = () => {
      end.abort();
      end.dispose();
    };
    try {
      const { statusCode, headers, body } = await this.#send(request, 'streams', end.signal);
      if (statusCode === 401) this.#options.auth.renew();
      return { code: statusCode, headers, chunks: body, errorOf: end.reasonOf, close };
    } catch (error) {
      close();
      throw end.reasonOf(error);
    } finally {
      headersInTime();
    }
  }

  /** Ends every connection; calls in flight fail. */
  async close(): Promise<void> {
    this.#closed = true;
    const agents = this.#agents;
    this.#agents = undefined;
    if (agents !== undefined) await destroy(agents);
  }

  async #send(request: HttpRequest, kind: keyof Agents, signal: AbortSignal) {
    // Reading credentials may start an exec plug-in, which the deadline must cover too.
    const credentials = await withSignal(this.#options.auth.credentials(), signal);
    const headers: Record<string, string> = {
      accept: request.accept ?? 'application/json',
      'user-agent': this.#options.userAgent,
      ...credentials.headers,
    };
    if (request.contentType !== undefined) headers['content-type'] = request.contentType;
    return this.#agentsFor(credentials)[kind].request({
      origin: this.#origin,
      path: this.#basePath + request.path,
      method: request.method,
      headers,
      body: request.body ?? null,
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  #agentsFor({ tls }: Credentials): Agents {
    if (this.#closed)
      throw new ApiError({ code: 0, reason: 'Aborted', message: 'the Kubernetes client is closed' });
    if (this.#agents !== undefined && sameTls(this.#tls, tls)) return this.#agents;
    const old = this.#agents;
    // A renewed client certificate: calls in flight end on the old connections.
    if (old !== undefined)
      void Promise.all([old.calls.close(), old.streams.close()]).catch(() => destroy(old));
    this.#tls = tls;
    this.#agents = {
      calls: this.#agent(tls, this.#options.connections),
      streams: this.#agent(tls, undefined),
    };
    return this.#agents;
  }

  #agent(tls: TlsMaterial, connections: number | undefined): Dispatcher {
    const common = {
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      // The server's HTTP/2 would put watches and calls on one connection, where one black hole stops all.
      allowH2: false,
      ...(connections === undefined ? {} : { connections }),
    };
    const { proxyUrl } = this.#options.auth;
    if (proxyUrl !== undefined) return new ProxyAgent({ ...common, uri: proxyUrl, requestTls: { ...tls } });
    return new Agent({ ...common, connect: { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 } });
  }

  #deadline(request: HttpRequest) {
    const controller = new AbortController();
    let timedOut = false;
    const expire = () => {
      timedOut = true;
      controller.abort();
    };
    const abort = () => controller.abort();
    const cancel = this.#options.clock.setTimer(request.timeoutMs, expire);
    if (request.signal?.aborted) abort();
    request.signal?.addEventListener('abort', abort, { once: true });
    return {
      signal: controller.signal,
      expire,
      abort,
      dispose: () => {
        cancel();
        request.signal?.removeEventListener('abort', abort);
      },
      reasonOf: (error: unknown): unknown => {
        if (error instanceof ApiError) return error;
        const { what } = request;
        if (timedOut)
          return new ApiError({
            code: 0,
            reason: 'Timeout',
            message: `${what}: no answer in time`,
            cause: error,
          });
        if (request.signal?.aborted)
          return new ApiError({ code: 0, reason: 'Aborted', message: `${what}: given up`, cause: error });
        return networkError(what, error);
      },
    };
  }
}

async function destroy(agents: Agents): Promise<void> {
  await Promise.all([agents.calls.destroy(), agents.streams.destroy()]);
}

function sameTls(a: TlsMaterial | undefined, b: TlsMaterial): boolean {
  if (a === b) return true;
  if (a === undefined) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof TlsMaterial>;
  for (const key of keys) if (String(a[key]) !== String(b[key])) return false;
  return true;
}

/** Settles as the promise does, or rejects when the signal is aborted first. */
function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(new Error('aborted'));
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
