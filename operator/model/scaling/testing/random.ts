/** Seeded chance for tests. */
import { uniform } from '../../../../stats/uniform.ts';

/** Bound once: inside jest's contexts every look at a global is slow, and these are called millions of times. */
const { cos, exp, log, log1p, PI, sqrt } = Math;

export interface Random {
  /** Uniform in (0, 1). */
  next(): number;
  exponential(mean: number): number;
  lognormal(mean: number, scv: number): number;
  /** How many arrivals, of so many on average, at exponential distances. */
  poisson(mean: number): number;
}

/** The same seed gives the same numbers everywhere. */
export function seededRandom(seed: number): Random {
  const next = uniform(seed);
  const normal = () => sqrt(-2 * log(next())) * cos(2 * PI * next());
  const exponential = (mean: number) => -mean * log(next());
  return {
    next,
    exponential,
    poisson: (mean) => {
      let count = 0;
      for (let at = exponential(1); at < mean; at += exponential(1)) count += 1;
      return count;
    },
    lognormal: (mean, scv) => (mean / sqrt(1 + scv)) * exp(sqrt(log1p(scv)) * normal()),
  };
}
