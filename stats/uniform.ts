/** Seeded chance. Bound once: inside jest's contexts every look at a global is slow, and this is called millions of times. */
const { imul } = Math;

/** Uniform numbers in (0, 1) from a 32-bit generator (mulberry32): the same seed gives the same numbers everywhere. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  };
}
