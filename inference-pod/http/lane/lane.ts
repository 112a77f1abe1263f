/**
 * The fast lane of a server of node:http: connections begin here, where a plain request costs less (a constant answer 13 µs of
 * CPU against 33, a tiny model 36 % less in all: measured),
 * and go over to node:http at the first request that is anything else. The server owns listening, accepting and closing.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { endInTurn } from '../../../crowd/end-in-turn.ts';
import type { Turns } from '../../../crowd/turns.ts';
import type { InferHandler } from '../exchange.ts';
import { FastConnection } from './connection.ts';
import type { LaneMember, LaneRules } from './rules.ts';

export interface LaneOptions {
  readonly serve: InferHandler;
  /** Whose turns connections take to go over to node:http, and to end: a thousand do so together. */
  readonly turns: Turns;
  /** Bodies above it go to node:http, which counts them while they come in. */
  readonly maxBodyBytes: number;
  /** How long a connection may take until its first request. */
  readonly headersTimeout: number;
  /** How long it may stay without a question after an answer. */
  readonly keepAliveTimeout: number;
  readonly unreadAnswerMs: number;
  /** How long a request may be unfinished here before it is left to node:http and its timeouts. */
  readonly unfinishedMs?: number;
  /** Most bytes of unfinished requests and of what is sent ahead, of all connections together. */
  readonly maxKeptBytes?: number;
  /** A request came: the connection is worth its place. */
  asked(connection: LaneMember): void;
  /** Answers what is no whole request, by the code of the error that node:http would have, and closes. */
  refuse(code: string, socket: Socket): void;
}

/** Largest body in the lane: what comes in one read. */
const mostBody = 49_152;
const usualKeptBytes = 4_194_304;
const usualUnfinishedMs = 250;
/** What node:http adds to the time that it promises. */
const keepAliveGraceMs = 1_000;

export class FastLane {
  readonly #connections = new Set<LaneMember>();
  readonly #unfinished = new Set<LaneMember>();
  readonly #unfinishedMs: number;
  readonly #turns: Turns;
  #keptBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server, options: LaneOptions) {
    this.#unfinishedMs = options.unfinishedMs ?? usualUnfinishedMs;
    this.#turns = options.turns;
    const [toNodeHttp] = server.listeners('connection');
    if (toNodeHttp === undefined) throw new Error('the server takes no connections');
    server.removeAllListeners('connection');
    const maxKeptBytes = options.maxKeptBytes ?? usualKeptBytes;
    const rules: LaneRules = {
      ...options,
      maxBodyBytes: Math.min(mostBody, options.maxBodyBytes),
      firstRequestMs: options.headersTimeout,
      idleMs: options.keepAliveTimeout + keepAliveGraceMs,
      keepAliveSeconds: Math.floor(options.keepAliveTimeout / 1000),
      serve: options.serve,
      mayKeep: (more) => this.#keptBytes + more <= maxKeptBytes,
      kept: (connection, more) => this.#kept(connection, more),
      left: (connection) => this.#connections.delete(connection),
      handOver: (socket) => {
        toNodeHttp.call(server, socket);
        endInTurn(socket, options.turns);
      },
    };
    server.on('connection', (socket: Socket) => {
      this.#connections.add(new FastConnection(socket, rules));
    });
  }

  /** Closes connections that wait for their next question. */
  closeIdle(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.drop();
  }

  closeAll(): void {
    for (const connection of this.#connections) connection.drop();
  }

  #kept(connection: LaneMember, more: number): void {
    this.#keptBytes += more;
    if (connection.partBytes === 0) this.#unfinished.delete(connection);
    else this.#unfinished.add(connection);
    if (this.#unfinished.size > 0) this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#look(), this.#unfinishedMs / 2).unref();
  }

  #look(): void {
    this.#timer = undefined;
    const before = performance.now() - this.#unfinishedMs;
    for (const connection of this.#unfinished)
      if (connection.partSinceMs <= before) this.#turns.run(() => connection.leave());
    if (this.#unfinished.size > 0) this.#arm();
  }
}
