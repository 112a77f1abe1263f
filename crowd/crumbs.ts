/** Bodies in crumbs: each piece costs a turn of a parser, whatever it holds, and 64 KB hold 11,000 chunks of one byte. */

/** So many pieces of fewer bytes on average are nobody's honest body. */
export const mostCrumbs = 8_192;
const crumbBytes = 16;
/** So many pieces cost nobody anything. */
const fewCrumbs = 256;

export class Crumbs {
  #bytes = 0;
  #pieces = 0;

  /** Counts a piece of so many bytes; false when the body comes in crumbs. */
  saw(bytes: number): boolean {
    this.#bytes += bytes;
    this.#pieces += 1;
    return !this.#areMoreThan(mostCrumbs);
  }

  /** The pieces so far are small, and too many to cost nothing. */
  get areSmall(): boolean {
    return this.#areMoreThan(fewCrumbs);
  }

  #areMoreThan(pieces: number): boolean {
    return this.#pieces > pieces && this.#bytes < crumbBytes * this.#pieces;
  }
}
