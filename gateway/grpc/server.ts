/** gRPC from clients: HTTP/2 on sockets that the model's port accepts. */
import { createServer, type Http2Session, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { Turns } from '../../crowd/turns.ts';
import type { ExchangeContext } from '../http/exchange.ts';
import { GrpcExchange } from './exchange.ts';
import { Reads } from './reads.ts';

export interface GrpcServer {
  /** Serves a connection. */
  inject(socket: Socket): void;
  /** Tells every client to go elsewhere and closes each connection when its RPCs have ended. */
  close(): void;
  /** Ends every connection at once. */
  destroy(): void;
}

/** RPCs of one connection at a time; more of them wait at the client. */
const streamsPerConnection = 1_024;
/**
 * Less than pods take (100 and 16 384 bytes), by what the gateway adds: a pod that breaks off a stream because of its
 * metadata would look sick, and a client could take every pod out of service.
 */
const maxHeaderListPairs = 92;
const maxHeaderListSize = 15_360;
const windowBytes = 1_048_576;
/**
 * RPCs that a client may cancel: so many at once, as when its deadline passes for all that it has asked, and so many a second
 * from there on. Node allows 33 a second: a client with short deadlines would lose its connection, and what else runs on it.
 */
const cancelsAtOnce = 500;
const cancelsPerSecond = 200;
const pingMs = 60_000;
const pongMs = 20_000;
const lastStreamId = 2 ** 31 - 1;
/** A client that does not answer a goodbye is left after so long. */
const goodbyeMs = 5_000;

/** Who is at the other end of a connection. */
interface Client {
  readonly socket: Socket;
  readonly address: string;
  hasAsked: boolean;
}

/** Makes the server; it listens nowhere. `asked` is told of each connection when its first RPC comes. */
export const createGrpcServer = (
  context: ExchangeContext,
  turns: Turns,
  asked: (socket: Socket) => void,
): GrpcServer => {
  const sessions = new Set<ServerHttp2Session>();
  const clients = new WeakMap<Http2Session, Client>();
  const reads = new Reads(turns);
  let injected: Socket | undefined;
  let isClosed = false;
  const server = createServer({
    maxHeaderListPairs,
    maxSessionMemory: 128,
    streamResetBurst: cancelsAtOnce,
    streamResetRate: cancelsPerSecond,
    settings: {
      maxConcurrentStreams: streamsPerConnection,
      initialWindowSize: windowBytes,
      maxHeaderListSize,
      enablePush: false,
    },
  });
  server.on('session', (session) => {
    sessions.add(session);
    if (injected !== undefined)
      clients.set(session, {
        socket: injected,
        address: injected.remoteAddress ?? 'unknown',
        hasAsked: false,
      });
    if (!session.destroyed) session.setLocalWindowSize(windowBytes);
    const ping = setInterval(() => checkAlive(session), pingMs).unref();
    session.on('close', () => {
      sessions.delete(session);
      clearInterval(ping);
    });
    session.on('error', () => undefined);
    if (isClosed) sayGoodbye(session);
  });
  server.on('stream', (stream, headers, _flags, list) => {
    const { session } = stream;
    const client = session === undefined ? undefined : clients.get(session);
    if (client !== undefined) reads.began(client.socket);
    if (client?.hasAsked === false) {
      client.hasAsked = true;
      asked(client.socket);
    }
    const contentType = headers['content-type'] ?? '';
    // An error is always followed by a close.
    stream.on('error', ignore);
    if (headers[':method'] === 'POST' && /^application\/grpc($|[+;])/.test(contentType)) {
      const from = client?.address ?? 'unknown';
      const arrivedMs = context.gate.nowMs();
      turns.run(() => {
        // 64 KB hold a thousand RPCs, each reset behind its request: most are gone again before they cost a pod anything.
        if (stream.destroyed || stream.closed) return;
        new GrpcExchange(context, stream, headers, list, from, arrivedMs).start();
      });
      return;
    }
    stream.resume();
    if (stream.destroyed || stream.closed) return;
    stream.respond(
      { ':status': contentType.startsWith('application/grpc') ? 405 : 415 },
      { endStream: true },
    );
  });
  server.on('sessionError', () => undefined);
  return {
    inject: (socket) => {
      // Its session is made before this returns.
      injected = socket;
      reads.add(socket);
      server.emit('connection', socket);
      injected = undefined;
    },
    close: () => {
      isClosed = true;
      for (const session of sessions) sayGoodbye(session);
    },
    destroy: () => {
      for (const session of sessions) session.destroy();
    },
  };
};

const ignore = () => undefined;

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

/** RPCs that run go on; a client that has read this opens no new ones here. */
const sayGoodbye = (session: ServerHttp2Session) => {
  if (session.destroyed || session.closed) return;
  session.goaway(0, lastStreamId);
  const close = () => {
    clearTimeout(timer);
    if (!session.destroyed && !session.closed) session.close();
  };
  const timer = setTimeout(close, goodbyeMs).unref();
  // RPCs that crossed the goodbye are still served: what comes before the answer to this ping was sent before it was read.
  session.ping(close);
};
