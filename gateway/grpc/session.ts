/** One HTTP/2 connection to a pod's gRPC port; a new one when it ends. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { HostPort } from '../balance/address.ts';

const connectTimeoutMs = 2_000;
const windowBytes = 1_048_576;
/** What of one answer may be on its way here: it is kept when its client does not read. */
const streamWindowBytes = 65_536;
const pingMs = 30_000;
const pongMs = 10_000;
/** Streams of one connection: HTTP/2 has numbers for 2^30, which a busy pod uses up in days, and then no stream opens any more. */
const mostStreams = 2 ** 29;
const openEnd = { endStream: false } as const;

/** A stream, and what is known of the connection below it. */
export interface PodStream {
  readonly stream: ClientHttp2Stream;
  /** The connection has stood at some time: bytes may have come to the pod. */
  hasConnected(): boolean;
}

export class GrpcSession {
  readonly #address: HostPort;
  #session: ClientHttp2Session | undefined;
  #hasConnected = () => false;
  readonly #mostStreams: number;
  #opened = 0;

  constructor(address: HostPort, most = mostStreams) {
    this.#address = address;
    this.#mostStreams = most;
  }

  /** Opens a stream; throws only what a second try would not mend. */
  request(headers: OutgoingHttpHeaders | readonly string[]): PodStream {
    let session = this.#session;
    if (this.#opened >= this.#mostStreams) {
      // Those that run end by themselves.
      session?.close();
      session = undefined;
    }
    if (session === undefined || session.closed || session.destroyed) session = this.#connect();
    this.#opened += 1;
    return { stream: session.request(headers, openEnd), hasConnected: this.#hasConnected };
  }

  /** No new streams; those that run end by themselves. */
  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #connect(): ClientHttp2Session {
    const { host, port } = this.#address;
    const session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, {
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
      maxSessionMemory: 256,
    });
    this.#opened = 0;
    let isConnected = false;
    const forget = () => {
      clearTimeout(timer);
      clearInterval(ping);
      if (this.#session === session) this.#session = undefined;
    };
    const timer = setTimeout(() => session.destroy(new Error('no connection in time')), connectTimeoutMs);
    const ping = setInterval(() => checkAlive(session), pingMs).unref();
    session.on('connect', () => {
      isConnected = true;
      clearTimeout(timer);
      if (!session.destroyed) session.setLocalWindowSize(windowBytes);
    });
    session.on('error', () => undefined);
    session.on('goaway', forget);
    session.on('close', forget);
    this.#session = session;
    this.#hasConnected = () => isConnected;
    return session;
  }
}

/** A pod that is gone without a word is found out by a ping that stays without an answer. */
const checkAlive = (session: ClientHttp2Session) => {
  if (session.closed || session.destroyed || session.connecting) return;
  const dead = setTimeout(() => session.destroy(new Error('no answer to a ping')), pongMs).unref();
  session.ping((error) => {
    clearTimeout(dead);
    if (error !== null) session.destroy();
  });
};
