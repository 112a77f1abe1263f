/** Seeded chance for tests. */
import { uniform } from '../../../../stats/uniform.ts';

/** Bound once: inside jest's contexts every look at a global is slow, and these are called millions of times. */
const { cos, exp, log, log1p, PI, sqrt } = Math;

export interface Random {
  /** Uniform in (0, 1). */
  next(): number;
  exponential(mean: number): number;
  lognormal(mean: number, scv: number): number;
}

/** The same seed gives the same numbers everywhere. */
export function seededRandom(seed: number): Random {
  const next = uniform(seed);
  const normal = () => sqrt(-2 * log(next())) * cos(2 * PI * next());
  return {
    next,
    exponential: (mean) => -mean * log(next()),
    lognormal: (mean, scv) => (mean / sqrt(1 + scv)) * exp(sqrt(log1p(scv)) * normal()),
  };
}
