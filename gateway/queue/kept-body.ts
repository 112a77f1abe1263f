/** The body of a request while it is kept, whatever the pieces in which it comes. */

/** Pieces smaller than this are put together, so many at a time: each costs a hundred bytes beside its own. */
const smallBytes = 1_024;
const togetherAtOnce = 256;
/** As pods bound it: so many pieces of fewer bytes on average are nobody's honest body, and each costs a turn of the parser. */
const mostCrumbs = 8_192;
const crumbBytes = 16;

const nothing: Buffer = Buffer.alloc(0);

export class KeptBody {
  /** Bytes that are kept. */
  size = 0;
  #pieces: Buffer[] = [];
  /** How many of the last pieces are small. */
  #small = 0;
  #seenBytes = 0;
  #seenPieces = 0;

  /** Counts a piece that passes through; false when the body comes in crumbs. */
  saw(piece: Buffer): boolean {
    this.#seenBytes += piece.length;
    this.#seenPieces += 1;
    return this.#seenPieces <= mostCrumbs || this.#seenBytes >= crumbBytes * this.#seenPieces;
  }

  /** Keeps a piece; false when the body comes in crumbs. */
  add(piece: Buffer): boolean {
    this.size += piece.length;
    this.#pieces.push(piece);
    this.#small = piece.length < smallBytes ? this.#small + 1 : 0;
    if (this.#small === togetherAtOnce) {
      this.#pieces.push(Buffer.concat(this.#pieces.splice(-togetherAtOnce)));
      this.#small = 0;
    }
    return this.saw(piece);
  }

  /** What is kept, whole; nothing is kept afterwards. */
  take(): Buffer {
    const pieces = this.#pieces;
    this.#pieces = [];
    const [first = nothing] = pieces;
    const whole = pieces.length <= 1 ? first : Buffer.concat(pieces, this.size);
    this.size = 0;
    return whole;
  }
}
