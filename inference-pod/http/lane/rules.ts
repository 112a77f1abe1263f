/** What a connection of the fast lane and the lane say to each other. */
import type { Socket } from 'node:net';
import type { Client } from '../client.ts';
import type { Answering } from '../connections.ts';
import type { InferRoute } from '../route.ts';

/** A connection, as the lane sees it. */
export interface LaneMember extends Client, Answering {
  readonly connection: Socket;
  /** Waits for the next request, after one at least. */
  readonly isIdle: boolean;
  /** Bytes of a request that is not whole, and since when they are here. */
  readonly partBytes: number;
  readonly partSinceMs: number;
  /** Leaves the lane with what is here of a request. */
  leave(): void;
}

/** The lane, as a connection sees it. */
export interface LaneRules {
  readonly maxBodyBytes: number;
  /** How long a connection may take until its first request. */
  readonly firstRequestMs: number;
  /** How long it may be idle after an answer. */
  readonly idleMs: number;
  readonly unreadAnswerMs: number;
  /** What an answer promises of the time that its connection may be idle. */
  readonly keepAliveSeconds: number;
  serve(client: Client, route: InferRoute): void;
  /** The first request came. */
  asked(connection: LaneMember): void;
  /** Answers what is no whole request, by the code of the error that node:http would have, and closes. */
  refuse(code: string, socket: Socket): void;
  /** Whether so many more bytes may be kept: of unfinished requests, and of what is sent ahead. */
  mayKeep(more: number): boolean;
  /** What is kept grew by so much; less than 0: it is whole, or gone. */
  kept(connection: LaneMember, more: number): void;
  left(connection: LaneMember): void;
  /** Gives the connection to node:http for good. */
  handOver(socket: Socket): void;
}
