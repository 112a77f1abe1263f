/** When requests are due: exponential gaps from a seed. */

/** Gaps in milliseconds of a Poisson stream, the same for the same seed (a 32-bit xorshift). */
export function poissonGaps(ratePerSecond: number, seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (-1_000 / ratePerSecond) * Math.log((state + 0.5) / 4_294_967_296);
  };
}
