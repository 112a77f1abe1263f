/** gRPC from clients: HTTP/2 on sockets that the model's port accepts. */
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { ExchangeContext } from '../http/exchange.ts';
import { GrpcExchange } from './exchange.ts';

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
const pingMs = 60_000;
const pongMs = 20_000;
const lastStreamId = 2 ** 31 - 1;
/** A client has read the goodbye after so long. */
const goodbyeMs = 250;

/** Makes the server; it listens nowhere. */
export const createGrpcServer = (context: ExchangeContext): GrpcServer => {
  const sessions = new Set<ServerHttp2Session>();
  let isClosed = false;
  const server = createServer({
    maxHeaderListPairs,
    maxSessionMemory: 128,
    settings: {
      maxConcurrentStreams: streamsPerConnection,
      initialWindowSize: windowBytes,
      maxHeaderListSize,
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
    if (isClosed) sayGoodbye(session);
  });
  server.on('stream', (stream, headers) => {
    const contentType = headers['content-type'] ?? '';
    if (headers[':method'] === 'POST' && /^application\/grpc($|[+;])/.test(contentType)) {
      new GrpcExchange(context, stream, headers, context.gate.nowMs()).start();
      return;
    }
    stream.on('error', () => undefined);
    stream.resume();
    stream.respond(
      { ':status': contentType.startsWith('application/grpc') ? 405 : 415 },
      { endStream: true },
    );
  });
  server.on('sessionError', () => undefined);
  return {
    inject: (socket) => {
      socket.allowHalfOpen = false;
      server.emit('connection', socket);
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
  // RPCs that crossed the goodbye are still served.
  setTimeout(() => {
    if (!session.destroyed) session.close();
  }, goodbyeMs).unref();
};
