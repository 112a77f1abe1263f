/** Plain HTTP to an API server: verbs, patches, watches. No client library, so that nothing hides what is on the wire. */
import { Agent, type Dispatcher, request } from 'undici';
import type { Auth } from '../../../kube/auth.ts';
import type { ObjectMeta, WatchEvent } from '../../../kube/objects.ts';

/** An object, list or Status as it comes: everything optional, so that assertions read without casts. */
export interface Body extends Record<string, unknown> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta & { readonly continue?: string; readonly remainingItemCount?: number };
  readonly spec: Record<string, unknown>;
  readonly items: readonly Body[];
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly { reason?: string; message?: string; field?: string }[];
    readonly retryAfterSeconds?: number;
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** Parsed JSON; for other content types an object without fields. */
  readonly body: Body;
}

export type Query = Readonly<Record<string, string | number | boolean>>;

export interface SendOptions {
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bearer token instead of the credentials. */
  readonly token?: string;
}

export interface Client {
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  get(path: string, query?: Query): Promise<Answer>;
  post(path: string, body: unknown, query?: Query): Promise<Answer>;
  put(path: string, body: unknown, query?: Query): Promise<Answer>;
  delete(path: string, options?: unknown, query?: Query): Promise<Answer>;
  mergePatch(path: string, patch: unknown, query?: Query): Promise<Answer>;
  jsonPatch(path: string, patch: unknown, query?: Query): Promise<Answer>;
  strategicPatch(path: string, patch: unknown, query?: Query): Promise<Answer>;
  /** Server-side apply by this field manager; a string is sent as it is (YAML). */
  apply(path: string, manager: string, body: unknown, query?: Query): Promise<Answer>;
  watch(path: string, query?: Query, accept?: string): Promise<Watch>;
  close(): Promise<void>;
}

export interface Watch {
  readonly status: number;
  /** Next event; undefined when the server ended the watch. */
  next(timeoutMs?: number): Promise<WatchEvent<Body> | undefined>;
  /** Reads on until an event satisfies the condition; returns all events read, that one last. */
  until(condition: (event: WatchEvent<Body>) => boolean, timeoutMs?: number): Promise<WatchEvent<Body>[]>;
  close(): void;
}

/** Opens a client for the server and the credentials of `auth`. */
export async function openClient(auth: Auth): Promise<Client> {
  const credentials = await auth.credentials();
  const agent = new Agent({
    connections: 32,
    allowH2: false,
    connect: { ...credentials.tls } as Agent.Options['connect'] & object,
  });
  const open = (method: string, path: string, options: SendOptions, signal?: AbortSignal) => {
    const {
      query = {},
      body,
      contentType = 'application/json',
      accept = 'application/json',
      headers = {},
      token,
    } = options;
    const url = new URL(auth.server + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return request(url, {
      dispatcher: agent,
      method: method as Dispatcher.HttpMethod,
      headers: {
        accept,
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...credentials.headers,
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  };
  const send: Client['send'] = async (method, path, options = {}) => {
    const answer = await open(method, path, options);
    const text = await answer.body.text();
    // By its first character: the OpenAPI index is JSON that calls itself text.
    const isJson = text.startsWith('{');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text,
      body: (isJson ? JSON.parse(text) : {}) as Body,
    };
  };
  const patchAs =
    (kind: string) =>
    (path: string, patch: unknown, query: Query = {}) =>
      send('PATCH', path, { query, body: patch, contentType: `application/${kind}` });
  return {
    send,
    get: (path, query = {}) => send('GET', path, { query }),
    post: (path, body, query = {}) => send('POST', path, { query, body }),
    put: (path, body, query = {}) => send('PUT', path, { query, body }),
    delete: (path, options, query = {}) => send('DELETE', path, { query, body: options }),
    mergePatch: patchAs('merge-patch+json'),
    jsonPatch: patchAs('json-patch+json'),
    strategicPatch: patchAs('strategic-merge-patch+json'),
    apply: (path, manager, body, query = {}) =>
      send('PATCH', path, {
        query: { fieldManager: manager, ...query },
        body,
        contentType: 'application/apply-patch+yaml',
      }),
    async watch(path, query = {}, accept = 'application/json') {
      const abort = new AbortController();
      const answer = await open('GET', path, { query: { watch: true, ...query }, accept }, abort.signal);
      return readWatch(answer, abort);
    },
    close: () => agent.destroy(),
  };
}

function readWatch(answer: Dispatcher.ResponseData, abort: AbortController): Watch {
  const events: WatchEvent<Body>[] = [];
  let ended = false;
  let wake = () => {};
  let rest = '';
  answer.body.setEncoding('utf8');
  answer.body.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') events.push(JSON.parse(line) as WatchEvent<Body>);
    wake();
  });
  const end = () => {
    ended = true;
    wake();
  };
  answer.body.once('end', end);
  answer.body.on('error', end);
  const next = async (timeoutMs = 10_000) => {
    const deadlineMs = Date.now() + timeoutMs;
    while (events.length === 0 && !ended) {
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) throw new Error(`no watch event within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return events.shift();
  };
  return {
    status: answer.statusCode,
    next,
    async until(condition, timeoutMs = 10_000) {
      const seen: WatchEvent<Body>[] = [];
      for (;;) {
        const event = await next(timeoutMs).catch((error: Error) => {
          const types = seen.map((one) => `${one.type} ${one.object.metadata?.name ?? ''}`).join(', ');
          throw new Error(`${error.message}; before it came: ${types || 'nothing'}`);
        });
        if (event === undefined) throw new Error(`the watch ended after ${seen.length} events`);
        seen.push(event);
        if (condition(event)) return seen;
      }
    },
    close() {
      abort.abort();
    },
  };
}
