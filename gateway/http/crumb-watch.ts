/**
 * Chunked bodies as they are parsed. Node's parser pushes each chunk as a piece of its own, 11,000 of one byte from 64 KB, in
 * one turn of the event loop. The chunks of a turn are handed on as one piece here, and a body is refused, and no longer
 * parsed into pieces, once it comes in crumbs.
 */
import type { IncomingMessage } from 'node:http';
import { Crumbs } from '../crumbs.ts';
import { inCrumbs, type Refusal, tooManyInCrumbs } from '../queue/refusal.ts';
import { dropBodies } from './node-parser.ts';

export interface CrumbWatch {
  /** The body has come in crumbs: what is left of it is dropped. */
  readonly isInCrumbs: boolean;
  /** Calls back when it does; at once where it already has. */
  onCrumbs(then: (refusal: Refusal) => void): void;
}

/** Crumbs that the bodies of one model may have in a turn, beyond the first of each: as many as one body may have. 10 ms. */
const mostPerTurn = 8_192;

/** What the bodies of one model share. */
export class CrumbsOfTurn {
  #left = mostPerTurn;

  /** Takes room for one piece; false when none is left in this turn of the event loop. */
  take(): boolean {
    if (this.#left === mostPerTurn)
      setImmediate(() => {
        this.#left = mostPerTurn;
      });
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}

/** Watches a request from its head on. */
export const watchCrumbs = (request: IncomingMessage, ofTurn: CrumbsOfTurn): CrumbWatch => {
  const crumbs = new Crumbs();
  const push = request.push.bind(request);
  let refusal: Refusal | undefined;
  let told: ((refusal: Refusal) => void) | undefined;
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
  const wrongWith = (piece: Buffer): Refusal | undefined => {
    if (!crumbs.saw(piece.length)) return inCrumbs();
    return crumbs.areSmall && !ofTurn.take() ? tooManyInCrumbs() : undefined;
  };
  request.push = (piece: Buffer | null) => {
    if (piece === null) {
      handOn();
      return push(null);
    }
    if (refusal !== undefined) return true;
    refusal = wrongWith(piece);
    if (refusal !== undefined) {
      pieces = [];
      dropBodies(request.socket);
      told?.(refusal);
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
      return refusal !== undefined;
    },
    onCrumbs: (then) => {
      told = then;
      if (refusal !== undefined) then(refusal);
    },
  };
};
