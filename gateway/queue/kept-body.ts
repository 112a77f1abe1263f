/** The body of a request while it is kept, whatever the pieces in which it comes. */
import { Crumbs } from '../../crowd/crumbs.ts';

/** Pieces smaller than this are put together, so many at a time: each costs a hundred bytes beside its own. */
const smallBytes = 1_024;
const togetherAtOnce = 256;

const nothing: Buffer = Buffer.alloc(0);

export class KeptBody {
  /** Bytes that are kept. */
  size = 0;
  #pieces: Buffer[] = [];
  /** How many of the last pieces are small. */
  #small = 0;
  readonly #crumbs = new Crumbs();

  /** Counts a piece that passes through; false when the body comes in crumbs. */
  saw(piece: Buffer): boolean {
    return this.#crumbs.saw(piece.length);
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
