/**
 * Chunked bodies as they are parsed. Node's parser pushes each chunk as a piece of its own, 11,000 of one byte from 64 KB, in
 * one turn of the event loop. The chunks of a turn are handed on as one piece here, and a body is refused, and no longer
 * parsed into pieces, once it comes in crumbs.
 */
import type { IncomingMessage } from 'node:http';
import { Crumbs } from './crumbs.ts';
import { dropBodies } from './node-parser.ts';

/** Why a body is not taken any more: it comes in crumbs, or in small pieces while too many others do so too. */
export type CrumbsWhy = 'crumbs' | 'crowd';

export interface CrumbWatch {
  /** The body has come in crumbs: what is left of it is dropped. */
  readonly isInCrumbs: boolean;
  /** Calls back when it does; at once where it already has. */
  onCrumbs(then: (why: CrumbsWhy) => void): void;
}

/**
 * Crumbs that all bodies together may have in a tenth of a second, beyond the first of each: as many as one body may have. They
 * are 10 to 25 ms of it. Of a pod's other clients while ten come again and again, in turn: p99 100, 164 and 444 ms, and 117, 533 and
 * 1,219 with as many in each turn of the event loop; the worst liveness is the same, 90 to 300 ms.
 */
const mostAtOnce = 8_192;
const windowMs = 100;

/** What the bodies of one listener share. */
export class CrumbAllowance {
  readonly #nowMs: () => number;
  #left = mostAtOnce;
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** `nowMs` is a monotonic clock, milliseconds. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Takes room for one piece; false when none is left for now. */
  take(): boolean {
    const nowMs = this.#nowMs();
    if (nowMs - this.#sinceMs >= windowMs) {
      this.#sinceMs = nowMs;
      this.#left = mostAtOnce;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}

/** Watches a request from its head on. */
export const watchCrumbs = (request: IncomingMessage, allowance: CrumbAllowance): CrumbWatch => {
  const crumbs = new Crumbs();
  const push = request.push.bind(request);
  let wrong: CrumbsWhy | undefined;
  let told: ((why: CrumbsWhy) => void) | undefined;
  let pieces: Buffer[] = [];
  let bytes = 0;
  const handOn = () => {
    const [first] = pieces;
    if (first === undefined) return;
    const whole = pieces.length === 1 ? first : Buffer.concat(pieces, bytes);
    pieces = [];
    bytes = 0;
    if (!request.destroyed) push(whole);
  };
  const wrongWith = (piece: Buffer): CrumbsWhy | undefined => {
    if (!crumbs.saw(piece.length)) return 'crumbs';
    return crumbs.areSmall && !allowance.take() ? 'crowd' : undefined;
  };
  request.push = (piece: Buffer | null) => {
    if (piece === null) {
      handOn();
      return push(null);
    }
    if (wrong !== undefined) return true;
    wrong = wrongWith(piece);
    if (wrong !== undefined) {
      pieces = [];
      dropBodies(request.socket);
      told?.(wrong);
      return true;
    }
    // Behind what the parser does in this turn. Before the next tick would be behind each piece.
    if (pieces.length === 0) setImmediate(handOn);
    pieces.push(piece);
    bytes += piece.length;
    return request.readableLength + bytes < request.readableHighWaterMark;
  };
  return {
    get isInCrumbs() {
      return wrong !== undefined;
    },
    onCrumbs: (then) => {
      told = then;
      if (wrong !== undefined) then(wrong);
    },
  };
};
