/** Seeded chance for tests. */
/** Bound once: inside jest's contexts every look at a global is slow, and these are called millions of times. */
const { cos, exp, imul, log, log1p, PI, sqrt } = Math;

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
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4_294_967_296;
  };
  const normal = () => sqrt(-2 * log(next())) * cos(2 * PI * next());
  return {
    next,
    exponential: (mean) => -mean * log(next()),
    lognormal: (mean, scv) => (mean / sqrt(1 + scv)) * exp(sqrt(log1p(scv)) * normal()),
  };
}
