/** gRPC over HTTP/2 on sockets that somebody else accepts: finds the method of each RPC and holds the connections' limits. */
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { codes, encodeStatusMessage } from '../../../protocol/grpc/status.ts';
import { type Method, Rpc } from './rpc.ts';

export interface TransportOptions {
  /** By path: `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, Method>;
  /** Most bytes that one answer may have, for the memory that a connection may take. */
  readonly largestAnswerBytes: number;
}

export interface Transport {
  /** Serves a connection. */
  inject(socket: Socket): void;
  /** Tells every client to go elsewhere and closes each connection when its RPCs have ended. */
  close(): void;
  /** Ends every connection at once. */
  destroy(): void;
}

/** RPCs of one connection at a time; more of them wait at the client. */
const streamsPerConnection = 512;
/** What a client may send ahead of being read, per RPC and per connection. */
const windowBytes = 1_048_576;
const pingMs = 60_000;
const pongMs = 20_000;
const lastStreamId = 2 ** 31 - 1;

/** Makes the server; it listens nowhere. */
export const createTransport = ({ methods, largestAnswerBytes }: TransportOptions): Transport => {
  const sessions = new Set<ServerHttp2Session>();
  const rpcs = new Set<Rpc>();
  let isClosing = false;
  const server = createServer({
    maxHeaderListPairs: 100,
    // Megabytes: what waits to be sent counts too.
    maxSessionMemory: Math.ceil(64 + (4 * largestAnswerBytes) / 1_048_576),
    settings: {
      maxConcurrentStreams: streamsPerConnection,
      initialWindowSize: windowBytes,
      maxHeaderListSize: 16_384,
      enablePush: false,
    },
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(windowBytes);
    const ping = setInterval(() => checkAlive(session), pingMs).unref();
    session.on('close', () => {
      sessions.delete(session);
      clearInterval(ping);
    });
    session.on('error', () => undefined);
    if (isClosing) sayGoodbye(session);
  });
  server.on('stream', (stream, headers) => {
    const rpc = serve(stream, headers, methods);
    if (rpc === undefined) return;
    rpcs.add(rpc);
    stream.once('close', () => rpcs.delete(rpc));
    if (isClosing) rpc.closing();
  });
  server.on('sessionError', () => undefined);
  return {
    inject: (socket) => void server.emit('connection', socket),
    close: () => {
      isClosing = true;
      for (const session of sessions) sayGoodbye(session);
      for (const rpc of rpcs) rpc.closing();
    },
    destroy: () => {
      for (const session of sessions) session.destroy();
    },
  };
};

const serve = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  methods: ReadonlyMap<string, Method>,
): Rpc | undefined => {
  const contentType = headers['content-type'] ?? '';
  if (headers[':method'] !== 'POST' || !/^application\/grpc(\+proto)?($|;)/.test(contentType)) {
    refuse(stream, { ':status': contentType.startsWith('application/grpc') ? 405 : 415 });
    return undefined;
  }
  const method = methods.get(headers[':path'] ?? '');
  if (method === undefined) {
    refuse(stream, {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(codes.unimplemented),
      'grpc-message': encodeStatusMessage(`there is no method ${headers[':path'] ?? ''}`),
    });
    return undefined;
  }
  return new Rpc(stream, headers, method);
};

const refuse = (stream: ServerHttp2Stream, headers: Record<string, string | number>) => {
  stream.on('error', () => undefined);
  stream.resume();
  stream.respond(headers, { endStream: true });
};

/** A peer that is gone without a word is found out by a ping that stays without an answer. */
const checkAlive = (session: ServerHttp2Session) => {
  if (session.destroyed || session.closed) return;
  const dead = setTimeout(() => session.destroy(), pongMs).unref();
  try {
    session.ping((error) => {
      clearTimeout(dead);
      if (error !== null) session.destroy();
    });
  } catch {
    clearTimeout(dead);
    session.destroy();
  }
};

/** Existing RPCs go on; a client that has read this opens no new ones here. */
const sayGoodbye = (session: ServerHttp2Session) => {
  if (session.destroyed || session.closed) return;
  session.goaway(0, lastStreamId);
  session.close();
};
