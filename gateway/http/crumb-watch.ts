/**
 * Chunked bodies as they are parsed. Node's parser pushes each chunk as a piece of its own, 11,000 of one byte from 64 KB: ten
 * such bodies cost 1.0 s of CPU until they were refused behind a stream, and cost 0.7 s here, where the chunks of one read are
 * handed on as one piece and crumbs are told of before any is handed on.
 */
import type { IncomingMessage } from 'node:http';
import { Crumbs } from '../crumbs.ts';

export interface CrumbWatch {
  /** The body has come in crumbs: what is left of it is not kept. */
  readonly isInCrumbs: boolean;
  /** Calls back when it does; at once where it already has. */
  onCrumbs(then: () => void): void;
}

/** Watches a request from its head on. */
export const watchCrumbs = (request: IncomingMessage): CrumbWatch => {
  const crumbs = new Crumbs();
  const push = request.push.bind(request);
  let isInCrumbs = false;
  let told: (() => void) | undefined;
  let pieces: Buffer[] = [];
  let bytes = 0;
  const handOn = () => {
    const [first] = pieces;
    if (first === undefined) return;
    const whole = pieces.length === 1 ? first : Buffer.concat(pieces, bytes);
    pieces = [];
    bytes = 0;
    if (!isInCrumbs && !request.destroyed) push(whole);
  };
  request.push = (piece: Buffer | null) => {
    if (piece === null) {
      handOn();
      return push(null);
    }
    if (isInCrumbs) return true;
    if (!crumbs.saw(piece.length)) {
      isInCrumbs = true;
      pieces = [];
      told?.();
      return true;
    }
    // Runs behind the parser's turn.
    if (pieces.length === 0) process.nextTick(handOn);
    pieces.push(piece);
    bytes += piece.length;
    return request.readableLength + bytes < request.readableHighWaterMark;
  };
  return {
    get isInCrumbs() {
      return isInCrumbs;
    },
    onCrumbs: (then) => {
      told = then;
      if (isInCrumbs) then();
    },
  };
};
