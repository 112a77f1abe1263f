/** Both listeners of the pod, with the limits that keep a bad client from hurting others. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CrumbAllowance, type CrumbWatch, watchCrumbs } from '../../crowd/crumb-watch.ts';
import { Turns } from '../../crowd/turns.ts';
import { brokenRequestAnswer } from '../../protocol/broken-request.ts';
import type { Logger } from '../log/logger.ts';
import { sendError } from './answer.ts';
import type { AppContext } from './app.ts';
import { ConnectionGuard, maxConnections } from './connections.ts';
import type { InferContext } from './exchange.ts';
import { createInferHandler } from './infer.ts';
import { FastLane, type LaneOptions } from './lane/lane.ts';
import { NodeClient } from './node-client.ts';
import { createOpsHandler, type OpsContext } from './ops.ts';
import { matchInfer, matchPredict } from './route.ts';
import { createPredictHandler } from './v1-predict.ts';

// An import of node:http as an ES module also loads undici, for the exports that it lists: 25 ms that no pod needs.
const { createServer } = process.getBuiltinModule('node:http');

const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
} as const;
/** How long a client may leave an answer unread, without taking a single byte of it. */
const unreadAnswerMs = 30_000;
/** Bytes of answers that all clients together may leave unread where nothing else is said. */
const defaultUnsentBytes = 32 * 1024 * 1024;
const forcedCloseMs = 25_000;

export interface Listener {
  readonly port: number;
  /** Stops listening, lets running exchanges end, closes idle connections. */
  close(): Promise<void>;
  /** Bytes of answers that clients have not taken. */
  unsentBytes(): number;
}

type Handler = (request: IncomingMessage, response: ServerResponse, crumbs?: CrumbWatch) => void;

/** Starts the serving port. Express is loaded when the first request needs it, or when the pod is idle after its start. */
export const startInferenceServer = async (
  host: string,
  port: number,
  infer: InferContext,
  app: AppContext,
  log: Logger,
  maxUnsentBytes = defaultUnsentBytes,
): Promise<Listener & { preload(): void }> => {
  const handleInfer = createInferHandler(infer);
  const handlePredict = createPredictHandler(infer);
  let loading: Promise<Handler> | undefined;
  const loadApp = () => {
    loading ??= import('./app.ts').then(({ createApp }) => createApp(app) as unknown as Handler);
    return loading;
  };
  const listener = await listen(
    host,
    port,
    (request, response, crumbs) => {
      const route = matchInfer(request.url);
      const predict = route === undefined ? matchPredict(request.url) : undefined;
      if (route !== undefined) handleInfer(new NodeClient(request, response, crumbs), route);
      else if (predict !== undefined) handlePredict(new NodeClient(request, response, crumbs), predict);
      else
        loadApp().then(
          (handle) => handle(request, response),
          (error: unknown) => {
            log.error('express cannot be loaded', { error: String(error) });
            sendError(response, 500, 'internal error');
          },
        );
    },
    {
      requestTimeout: limits.requestTimeout,
      unsentBytes: maxUnsentBytes,
      infer: { serve: handleInfer, maxBodyBytes: infer.maxBodyBytes },
    },
  );
  return { ...listener, preload: () => void loadApp().catch(() => undefined) };
};

/** Starts the ops port. */
export const startOpsServer = (host: string, port: number, context: OpsContext): Promise<Listener> =>
  listen(host, port, createOpsHandler(context), { requestTimeout: 10_000, unsentBytes: defaultUnsentBytes });

interface ListenOptions {
  readonly requestTimeout: number;
  readonly unsentBytes: number;
  /** What the fast lane serves, where there is one. */
  readonly infer?: Pick<LaneOptions, 'serve' | 'maxBodyBytes'>;
}

const listen = (host: string, port: number, handler: Handler, options: ListenOptions): Promise<Listener> => {
  const { requestTimeout, unsentBytes, infer } = options;
  const server: Server = createServer({ ...limits, requestTimeout });
  const turns = new Turns();
  const lane =
    infer === undefined
      ? undefined
      : new FastLane(server, {
          ...infer,
          ...limits,
          turns,
          unreadAnswerMs,
          asked: (connection) => guard.asks(connection.connection, connection),
          refuse: (code, socket) => answerClientError({ code }, socket),
        });
  const closeIdle = () => {
    server.closeIdleConnections();
    lane?.closeIdle();
  };
  const guard = new ConnectionGuard(
    server,
    { connections: maxConnections, unreadAnswerMs, unsentBytes },
    closeIdle,
  );
  const crumbAllowance = new CrumbAllowance();
  server.on('request', (request, response) => {
    if (!guard.isTaken(request.socket, response)) return;
    const isChunked = request.headers['transfer-encoding'] !== undefined;
    const crumbs = isChunked ? watchCrumbs(request, crumbAllowance) : undefined;
    turns.run(() => {
      if (!response.destroyed) handler(request, response, crumbs);
    });
  });
  server.on('clientError', answerClientError);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, 4096, () => {
      server.off('error', reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        unsentBytes: () => guard.unsentBytes,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            closeIdle();
            // A client that keeps a connection busy without end must not keep the pod.
            setTimeout(() => {
              server.closeAllConnections();
              lane?.closeAll();
            }, forcedCloseMs).unref();
          }),
      });
    });
  });
};

const answerClientError = (error: { readonly code?: string | undefined }, socket: Socket) => {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(brokenRequestAnswer(error.code));
};
