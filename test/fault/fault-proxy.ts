/** A real HTTP proxy on loopback between a client and the API server, which can do to the traffic what networks do. */
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../../kube/clock.ts';
import { WatchStream } from './watch-stream.ts';

/** What happens to one request. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly code: number;
      readonly headers?: Record<string, string>;
      readonly body?: unknown;
    }
  /** Forwarded only after this long. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never answered, never forwarded. */
  | { readonly kind: 'hang' }
  /** RST instead of an answer; not forwarded. */
  | { readonly kind: 'reset' }
  /** Forwarded, and the answer lost: the socket closes instead. */
  | { readonly kind: 'lose-answer' }
  /** The first bytes of the answer, then FIN. */
  | { readonly kind: 'truncate'; readonly bytes: number };

export interface Seen {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Plural of the resource, with `/status` and the like. */
  readonly resource: string;
  readonly isWatch: boolean;
  readonly isList: boolean;
  readonly body: string;
  /** Status that the client was sent; 0 while there is none. */
  code: number;
  answeredAtMs: number;
  /** resourceVersion of the answer to a write: the one before when nothing was changed. */
  version: string;
}

export interface FaultProxyOptions {
  readonly target: string;
  /** CA of a target that speaks TLS; the proxy itself is plain. */
  readonly ca?: string | Buffer | undefined;
  readonly clock: Clock;
}

export class FaultProxy {
  /** Decides over each request; undefined lets it pass. */
  rule: (request: Seen) => Fault | undefined = () => undefined;
  /** How much later the events of a watch arrive, milliseconds. */
  watchDelayMs: (watch: Seen) => number = () => 0;
  readonly seen: Seen[] = [];
  readonly #options: FaultProxyOptions;
  readonly #server;
  readonly #upstream = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<WatchStream>();
  #port = 0;
  #inFlight = 0;
  #held = 0;
  #activity = 0;

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#receive(request, response));
    this.#server.keepAliveTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts to listen; after `down` on the same port again. */
  async up(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => resolve());
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Nobody listens any more: connections are reset, new ones refused. */
  async down(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.fin();
    if (this.#server.listening) await this.down();
    this.#upstream.destroy();
  }

  /** Open watches, of one resource if named. */
  watches(resource?: string): WatchStream[] {
    return [...this.#watches].filter((watch) => resource === undefined || watch.resource === resource);
  }

  /** Requests that are on their way through, those held on purpose not counted. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Requests that are held back on purpose and whose clients still wait. */
  get held(): number {
    return this.#held;
  }

  /** Rises with everything that happens here. */
  get activity(): number {
    return this.#activity;
  }

  lists(resource: string): Seen[] {
    return this.seen.filter((request) => request.isList && request.resource === resource);
  }

  writes(): Seen[] {
    return this.seen.filter((request) => request.method !== 'GET');
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    this.#activity += 1;
    this.#inFlight += 1;
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => this.#handle(request, response, body));
    let counted = true;
    const count = (wanted: boolean) => {
      this.#activity += 1;
      if (counted === wanted) return;
      counted = wanted;
      this.#inFlight += wanted ? 1 : -1;
    };
    let held = false;
    const hold = (wanted: boolean) => {
      if (held !== wanted) this.#held += wanted ? 1 : -1;
      held = wanted;
    };
    response.on('close', () => {
      count(false);
      hold(false);
    });
    // What is held back on purpose is not on its way.
    response.on('held', () => {
      count(false);
      hold(true);
    });
    response.on('released', () => {
      hold(false);
      count(true);
    });
    // A watch that streams is no call that is out.
    response.on('streams', () => count(false));
  }

  #handle(request: IncomingMessage, response: ServerResponse, body: string): void {
    const seen = describe(request, body, this.#options.clock.monotonicMs());
    this.seen.push(seen);
    const fault = this.rule(seen);
    const answered = (code: number) => {
      seen.code = code;
      seen.answeredAtMs = this.#options.clock.monotonicMs();
      this.#activity += 1;
    };
    if (fault === undefined) this.#forward(request, response, body, seen, answered);
    else if (fault.kind === 'status') {
      answered(fault.code);
      response.writeHead(fault.code, { 'content-type': 'application/json', ...fault.headers });
      response.end(
        JSON.stringify(
          fault.body ?? { kind: 'Status', status: 'Failure', code: fault.code, message: 'injected' },
        ),
      );
    } else if (fault.kind === 'reset') {
      answered(-1);
      request.socket.resetAndDestroy();
    } else if (fault.kind === 'hang') response.emit('held');
    else if (fault.kind === 'delay') {
      response.emit('held');
      const cancel = this.#options.clock.setTimer(fault.ms, () => {
        response.emit('released');
        this.#forward(request, response, body, seen, answered);
      });
      response.on('close', cancel);
    } else this.#forward(request, response, body, seen, answered, fault);
  }

  #forward(
    request: IncomingMessage,
    response: ServerResponse,
    body: string,
    seen: Seen,
    answered: (code: number) => void,
    fault?: Fault,
  ): void {
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const { target, ca } = this.#options;
    const isTls = target.startsWith('https:');
    const upstream = (isTls ? httpsRequest : httpRequest)(
      new URL(request.url ?? '/', target),
      {
        method: request.method,
        // Without a length Node would send the body of a DELETE unframed.
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        ...(isTls ? { ca } : { agent: this.#upstream }),
      },
      (answer) => {
        if (seen.isWatch && answer.statusCode === 200) {
          answered(200);
          this.#stream(answer, response, seen);
          return;
        }
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => {
          const whole = Buffer.concat(parts);
          if (seen.method !== 'GET') seen.version = versionIn(whole);
          answered(answer.statusCode ?? 0);
          if (fault?.kind === 'lose-answer') {
            request.socket.destroy();
            return;
          }
          const { 'transfer-encoding': _te, connection: _c, 'keep-alive': _k, ...rest } = answer.headers;
          response.writeHead(answer.statusCode ?? 502, { ...rest, 'content-length': whole.length });
          if (fault?.kind === 'truncate') {
            response.write(whole.subarray(0, fault.bytes));
            request.socket.end();
          } else response.end(whole);
        });
      },
    );
    // The server is away: what a load balancer in between would say.
    upstream.on('error', () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    });
    response.on('close', () => upstream.destroy());
    upstream.end(body === '' ? undefined : body);
  }

  #stream(answer: IncomingMessage, response: ServerResponse, seen: Seen): void {
    const watch = new WatchStream(seen.resource, answer, response, this.#options.clock, () => {
      this.#activity += 1;
      return this.watchDelayMs(seen);
    });
    this.#watches.add(watch);
    response.emit('streams');
    response.on('close', () => {
      this.#watches.delete(watch);
      this.#activity += 1;
    });
  }
}

const versionIn = (answer: Buffer) => /"resourceVersion":"(\d+)"/.exec(answer.toString())?.[1] ?? '';

/** Writes that changed something: an answer with a version that another answer has too changed nothing. */
export function changesOf(writes: readonly Seen[]): number {
  const changes = writes.filter(({ code }) => code >= 200 && code < 300);
  return new Set(changes.map(({ method, path, version }) => `${method} ${path} ${version}`)).size;
}

function describe(request: IncomingMessage, body: string, atMs: number): Seen {
  const url = new URL(request.url ?? '/', 'http://proxy');
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [plural = '', name, ...subresource] = inNamespace ? rest.slice(2) : rest;
  const isWatch = url.searchParams.get('watch') === 'true';
  return {
    atMs,
    method: request.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    resource: [plural, ...subresource].join('/'),
    isWatch,
    isList: request.method === 'GET' && name === undefined && !isWatch,
    body,
    code: 0,
    answeredAtMs: 0,
    version: '',
  };
}
