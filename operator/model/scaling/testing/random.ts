/** Seeded chance for tests. */
export interface Random {
  /** Uniform in (0, 1). */
  next(): number;
  exponential(mean: number): number;
  lognormal(mean: number, scv: number): number;
}

/** A 32-bit generator (mulberry32): the same seed gives the same numbers everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    exponential: (mean) => -mean * Math.log(next()),
    lognormal: (mean, scv) => (mean / Math.sqrt(1 + scv)) * Math.exp(Math.sqrt(Math.log1p(scv)) * normal()),
  };
}
