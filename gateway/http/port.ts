/** The port of one model: HTTP/1.1 and HTTP/2 told apart by their first bytes, with limits that keep clients from hurting others. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { CrumbAllowance, type CrumbWatch, watchCrumbs } from '../../crowd/crumb-watch.ts';
import { endInTurn } from '../../crowd/end-in-turn.ts';
import { stopParsing } from '../../crowd/node-parser.ts';
import { Turns } from '../../crowd/turns.ts';
import { brokenRequestAnswer } from '../../protocol/broken-request.ts';
import { createGrpcServer, type GrpcServer } from '../grpc/server.ts';
import { type ExchangeContext, HttpExchange } from './exchange.ts';
import { probeOf } from './paths.ts';

export interface PortLimits {
  /** Connections of one model at a time. */
  readonly maxConnections: number;
}

const httpLimits = {
  headersTimeout: 10_000,
  // The body is bounded by the deadline of the request.
  requestTimeout: 0,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16_384,
} as const;
/** How long a new connection may be silent, and how long an answer may lie unread without a byte of it being taken. */
const silentMs = 30_000;
const unreadMs = 30_000;
/** Requests that one connection may send before the first of them is answered. */
const mostPipelined = 16;
/** HTTP/2 connections that never asked anything: 9,000 of them took 110 MB, and 2 s when they ended together. */
const mostUnasked = 1_024;
/** Connections beyond the limit that wait for their turn, in which others give way to them. */
const mostAhead = 1_024;
const http2Preface = 'PRI ';
/** What of a connection's first bytes counts as much as a task: an RPC takes no less. */
const rpcBytes = 64;

interface Pipelined {
  outstanding: number;
  last: ServerResponse;
}

export class ModelPort {
  readonly #context: ExchangeContext;
  readonly #net: NetServer;
  readonly #http: Server;
  readonly #asked = new WeakMap<Socket, Pipelined>();
  readonly #sockets = new Set<Socket>();
  /** Connections that have not asked anything yet, the oldest first. */
  readonly #silent = new Set<Socket>();
  /** The same over HTTP/2: they give way too, but hear a goodbye where the port closes. */
  readonly #unasked = new Set<Socket>();
  readonly #limits: PortLimits;
  readonly #turns = new Turns();
  readonly #crumbAllowance = new CrumbAllowance();
  #grpc: GrpcServer | undefined;

  constructor(context: ExchangeContext, limits: PortLimits) {
    this.#context = context;
    this.#limits = limits;
    this.#http = createServer(httpLimits);
    this.#http.on('request', (request, response) => this.#requested(request, response, false));
    this.#http.on('checkContinue', (request, response) => this.#requested(request, response, true));
    this.#http.on('clientError', answerClientError);
    // Progress of writes counts: a slow run may take its time, an answer that nobody reads may not.
    this.#http.setTimeout(unreadMs, (socket) => {
      const isAnswered = this.#asked.get(socket)?.last.writableFinished ?? true;
      if (isAnswered || socket.writableLength > 0) socket.destroy();
      else socket.setTimeout(unreadMs);
    });
    // It never listens itself; this starts its watch over slow headers.
    this.#http.emit('listening');
    this.#net = createNetServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#connected(socket));
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#net.address() as AddressInfo | null)?.port ?? 0;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Something has been asked that nobody has looked at yet. */
  get isBusy(): boolean {
    return this.#turns.isBusy;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#net.once('error', reject);
      this.#net.listen({ port, host, backlog: 4096 }, () => {
        this.#net.off('error', reject);
        // One that cannot be accepted (no file descriptor is left) costs a connection and not the process.
        this.#net.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** Takes no new connections, ends idle ones, and says goodbye to HTTP/2 clients; answers that run are not touched. */
  stopListening(): void {
    this.#net.close();
    for (const socket of this.#silent) socket.destroy();
    this.#grpc?.close();
    this.#http.closeIdleConnections();
  }

  /** Ends what is left. */
  destroy(): void {
    this.#net.close();
    this.#http.close();
    this.#http.closeAllConnections();
    this.#grpc?.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    this.#silent.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#silent.delete(socket);
      this.#unasked.delete(socket);
    });
    if (this.#sockets.size > this.#limits.maxConnections + mostAhead) {
      socket.destroy();
      return;
    }
    // What it sends until then is kept by the system.
    this.#turns.run(() => {
      if (this.#sockets.size > this.#limits.maxConnections) this.#giveWay(socket);
      if (!socket.destroyed) this.#listenTo(socket);
    });
  }

  /** Ends the oldest connection that has not asked anything, or else the new one. */
  #giveWay(newest: Socket): void {
    const [oldest] = this.#silent.size > 1 ? this.#silent : this.#unasked;
    (oldest ?? newest).destroy();
  }

  #listenTo(socket: Socket): void {
    const onSilent = () => this.#turns.run(() => socket.destroy());
    socket.setTimeout(silentMs, onSilent);
    let seen: Buffer | undefined;
    const look = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) {
        if (socket.readableEnded) onSilent();
        return;
      }
      seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
      const begins = seen.toString('latin1', 0, http2Preface.length);
      if (begins.length < http2Preface.length && http2Preface.startsWith(begins)) return;
      socket.off('readable', look);
      socket.off('end', onSilent);
      socket.off('timeout', onSilent);
      socket.setTimeout(0);
      socket.unshift(seen);
      this.#turns.run(() => {
        if (!socket.destroyed) this.#serve(socket, begins === http2Preface);
      });
    };
    socket.on('readable', look);
    socket.once('end', onSilent);
  }

  #serve(socket: Socket, isHttp2: boolean): void {
    if (!isHttp2) {
      this.#http.emit('connection', socket);
      endInTurn(socket, this.#turns);
      socket.resume();
      return;
    }
    this.#silent.delete(socket);
    this.#unasked.add(socket);
    if (this.#unasked.size > mostUnasked) {
      const [oldest] = this.#unasked;
      oldest?.destroy();
    }
    this.#grpc ??= createGrpcServer(this.#context, this.#turns, (asking) => this.#unasked.delete(asking));
    socket.once('end', () => this.#turns.run(() => socket.end()));
    // The session parses what is here already behind this task, and the time of that is not in the task's.
    this.#turns.spend(Math.floor(socket.readableLength / rpcBytes));
    this.#grpc.inject(socket);
  }

  #requested(request: IncomingMessage, response: ServerResponse, isBodyHeldBack: boolean): void {
    const { socket } = request;
    this.#silent.delete(socket);
    if (!this.#mayAsk(socket, response)) return;
    const isChunked = request.headers['transfer-encoding'] !== undefined;
    const crumbs = isChunked ? watchCrumbs(request, this.#crumbAllowance) : undefined;
    const arrivedMs = this.#context.gate.nowMs();
    this.#turns.run(() => {
      if (response.destroyed) return;
      this.#handle(request, response, crumbs, arrivedMs);
      // The client waits for a word before it sends its body: it gets it unless it is refused by its headers.
      if (isBodyHeldBack && !response.headersSent && !response.destroyed) response.writeContinue();
    });
  }

  #handle(
    request: IncomingMessage,
    response: ServerResponse,
    crumbs: CrumbWatch | undefined,
    arrivedMs: number,
  ): void {
    const { gate } = this.#context;
    // A model that is asleep can be asked: whoever looks whether it is ready must not wake it, nor be told no.
    const probe = gate.hasReadyPod ? undefined : probeOf(request.method, request.url ?? '');
    if (probe !== undefined) {
      const isWell = probe === 'live' || gate.route?.wake !== undefined;
      response.writeHead(isWell ? 200 : 503, { 'content-length': 0 }).end();
      return;
    }
    new HttpExchange(this.#context, request, response, crumbs, arrivedMs).start();
  }

  /** False when the connection asks too much at once, and is closed. */
  #mayAsk(socket: Socket, response: ServerResponse): boolean {
    const asked = this.#asked.get(socket);
    if (asked === undefined) {
      this.#asked.set(socket, { outstanding: 1, last: response });
      return true;
    }
    if (asked.last.writableFinished) asked.outstanding = 1;
    else {
      if (socket.destroyed) return false;
      asked.outstanding += 1;
      if (asked.outstanding > mostPipelined) {
        stopParsing(socket);
        socket.destroy();
        return false;
      }
      response.once('close', () => {
        asked.outstanding -= 1;
      });
    }
    asked.last = response;
    return true;
  }
}

const answerClientError = (error: NodeJS.ErrnoException, socket: Socket) => {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(brokenRequestAnswer(error.code));
};
