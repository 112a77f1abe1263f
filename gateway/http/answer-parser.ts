/** Reads HTTP/1.1 answers of pods, strictly: what could be understood in two ways ends the connection. */
import { Crumbs } from '../../crowd/crumbs.ts';

export interface AnswerEvents {
  /** `headers` is flat, name and value in turn, without those that belong to one hop. */
  head(status: number, text: string, headers: string[]): void;
  /** A piece of the body, without its framing; `isLast` when the answer ends with it. */
  body(chunk: Buffer, isLast: boolean): void;
  /** The answer ended without a last piece. */
  end(): void;
}

/** The pod does not speak HTTP as it should. */
export class AnswerError extends Error {}

const largestHead = 65_536;
/** Interim answers (1xx) before an answer: a pod that sends nothing else would keep the gateway busy. */
const mostInterim = 32;
const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const chunkSize = /^([0-9a-fA-F]{1,12})[\t ]*(?:;.*)?$/;

/** Headers of one hop: never passed on. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Body = 'none' | 'length' | 'chunked' | 'close';
type Step = 'head' | 'data' | 'size' | 'dataEnd' | 'trailers' | 'done';

const nothing: Buffer = Buffer.alloc(0);

export class AnswerParser {
  readonly #events: AnswerEvents;
  #step: Step = 'done';
  #isHeadRequest = false;
  /** The beginning of a head or of a line of framing that came in pieces. */
  #rest = nothing;
  #body: Body = 'none';
  #missing = 0;
  #interim = 0;
  #trailerBytes = 0;
  #crumbs = new Crumbs();
  /** Chunks that came in one read: passed on as one, since chunks of single bytes would cost a write each. */
  #pieces: Buffer[] = [];
  /** The connection may be used again after this answer. */
  keepsAlive = true;
  /** Seconds that the pod keeps an idle connection, when it says so. */
  idleSeconds: number | undefined;
  hasBegun = false;

  constructor(events: AnswerEvents) {
    this.#events = events;
  }

  /** No answer is being read. */
  get isDone(): boolean {
    return this.#step === 'done';
  }

  /** Reads the next answer. */
  begin(isHeadRequest: boolean): void {
    this.#step = 'head';
    this.#isHeadRequest = isHeadRequest;
    this.#rest = nothing;
    this.#interim = 0;
    this.#trailerBytes = 0;
    this.#crumbs = new Crumbs();
    this.#pieces = [];
    this.keepsAlive = true;
    this.idleSeconds = undefined;
    this.hasBegun = false;
  }

  /** The pod's next bytes; throws `AnswerError`. */
  write(data: Buffer): void {
    if (data.length > 0) this.hasBegun = true;
    let chunk = data;
    if (this.#rest.length > 0) {
      chunk = Buffer.concat([this.#rest, data]);
      this.#rest = nothing;
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#step === 'done') throw new AnswerError('the pod sent bytes after its answer');
      const next = this.#read(chunk, at);
      if (next < 0) {
        this.#rest = at === 0 ? chunk : chunk.subarray(at);
        if (this.#rest.length > largestHead) throw new AnswerError("the pod's headers are too large");
        break;
      }
      at = next;
    }
    this.#passOn(false);
  }

  /** The pod closed the connection; true when that is how its answer ends. */
  ended(): boolean {
    if (this.#step !== 'data' || this.#body !== 'close') return false;
    this.#step = 'done';
    this.#events.end();
    return true;
  }

  /** Reads one element from `at` on and says where it ends; -1 when it is not whole yet. */
  #read(chunk: Buffer, at: number): number {
    switch (this.#step) {
      case 'head':
        return this.#readHead(chunk, at);
      case 'data':
        return this.#readData(chunk, at);
      case 'size':
        return this.#readSize(chunk, at);
      case 'dataEnd':
        if (chunk.length - at < 2) return -1;
        if (chunk[at] !== 13 || chunk[at + 1] !== 10)
          throw new AnswerError('the pod sent a chunk that does not end where it says');
        this.#step = 'size';
        return at + 2;
      case 'trailers':
        return this.#readTrailers(chunk, at);
      default:
        throw new AnswerError('the pod sent bytes after its answer');
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const end = chunk.indexOf('\r\n\r\n', at, 'latin1');
    if (end < 0) return -1;
    if (end - at > largestHead) throw new AnswerError("the pod's headers are too large");
    const lines = chunk.toString('latin1', at, end).split('\r\n');
    const first = statusLine.exec(lines[0] ?? '');
    if (first === null) throw new AnswerError('the pod does not answer in HTTP/1.1');
    const status = Number(first[2]);
    if (status === 101) throw new AnswerError('the pod switches protocols, which nobody asked for');
    // 100, 102, 103: the answer is still to come.
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > mostInterim) throw new AnswerError('the pod sends interim answers without end');
      return end + 4;
    }
    this.#readHeaders(lines, status, first[1] === '0', first[3] ?? '');
    return end + 4;
  }

  #readHeaders(lines: readonly string[], status: number, isHttp10: boolean, text: string): void {
    const headers: string[] = [];
    let length: number | undefined;
    let isChunked = false;
    let connection: string | undefined;
    for (let i = 1; i < lines.length; i += 1) {
      const line = lines[i] ?? '';
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon));
      if (!token.test(name)) throw new AnswerError('the pod sent a header that is none');
      const value = line.slice(colon + 1).trim();
      if (value.includes('\n') || value.includes('\r') || value.includes('\0'))
        throw new AnswerError('the pod sent a header that is none');
      const lower = name.toLowerCase();
      if (lower === 'content-length') {
        if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== Number(value)))
          throw new AnswerError('the pod sent no valid content-length');
        if (length === undefined) headers.push(name, value);
        length = Number(value);
      } else if (!hopByHop.has(lower)) headers.push(name, value);
      else if (lower === 'transfer-encoding') {
        if (value.toLowerCase() !== 'chunked' || isChunked)
          throw new AnswerError('the pod sent a transfer-encoding that is not chunked');
        isChunked = true;
      } else if (lower === 'connection') connection = `${connection ?? ''},${value.toLowerCase()}`;
      else if (lower === 'keep-alive') {
        const seconds = /timeout=(\d{1,6})/.exec(value)?.[1];
        if (seconds !== undefined) this.idleSeconds = Number(seconds);
      }
    }
    if (isChunked && length !== undefined)
      throw new AnswerError('the pod sent both content-length and transfer-encoding');
    this.keepsAlive = !isHttp10;
    if (connection !== undefined) this.#readConnection(connection, headers);
    this.#setBody(status, isChunked, length);
    this.#events.head(status, text, headers);
    if (this.#body === 'none') this.#finish();
  }

  #readConnection(value: string, headers: string[]): void {
    for (const word of value.split(',')) {
      const name = word.trim();
      if (name === 'close') this.keepsAlive = false;
      else if (name !== '' && name !== 'keep-alive')
        // What the pod names here is for this hop alone.
        for (let i = headers.length - 2; i >= 0; i -= 2)
          if (headers[i]?.toLowerCase() === name && name !== 'content-length') headers.splice(i, 2);
    }
  }

  #setBody(status: number, isChunked: boolean, length: number | undefined): void {
    this.#missing = 0;
    if (this.#isHeadRequest || status === 204 || status === 304) this.#body = 'none';
    else if (isChunked) {
      this.#body = 'chunked';
      this.#step = 'size';
    } else if (length === undefined) {
      this.#body = 'close';
      this.keepsAlive = false;
      this.#missing = Number.POSITIVE_INFINITY;
      this.#step = 'data';
    } else if (length === 0) this.#body = 'none';
    else {
      this.#body = 'length';
      this.#missing = length;
      this.#step = 'data';
    }
  }

  #readData(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing);
    const piece = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
    this.#missing -= end - at;
    if (this.#body === 'chunked') {
      if (!this.#crumbs.saw(piece.length))
        throw new AnswerError('the pod answers in too many pieces of a few bytes');
      this.#pieces.push(piece);
      if (this.#missing === 0) this.#step = 'dataEnd';
      return end;
    }
    const isLast = this.#missing === 0;
    if (isLast) this.#step = 'done';
    this.#events.body(piece, isLast);
    return end;
  }

  #readSize(chunk: Buffer, at: number): number {
    const end = chunk.indexOf('\r\n', at, 'latin1');
    if (end < 0) return -1;
    const size = chunkSize.exec(chunk.toString('latin1', at, end))?.[1];
    if (size === undefined) throw new AnswerError('the pod sent a chunk without a size');
    this.#missing = Number.parseInt(size, 16);
    this.#step = this.#missing === 0 ? 'trailers' : 'data';
    return end + 2;
  }

  /** Trailers are dropped: what a pod answers over HTTP/1.1 has none. */
  #readTrailers(chunk: Buffer, at: number): number {
    const end = chunk.indexOf('\r\n', at, 'latin1');
    if (end < 0) return -1;
    this.#trailerBytes += end - at;
    if (this.#trailerBytes > largestHead) throw new AnswerError("the pod's trailers are too large");
    if (end === at) this.#finish();
    return end + 2;
  }

  #finish(): void {
    this.#step = 'done';
    if (this.#pieces.length > 0) this.#passOn(true);
    else this.#events.end();
  }

  /** Passes on the chunks of this read. */
  #passOn(isLast: boolean): void {
    const pieces = this.#pieces;
    const [first] = pieces;
    if (first === undefined) return;
    this.#pieces = [];
    this.#events.body(pieces.length === 1 ? first : Buffer.concat(pieces), isLast);
  }
}
