/** Seeded chance: the same seed gives the same arrivals and service times to every policy. */
import { uniform } from '../stats/uniform.ts';

const { exp, imul, log, cos, sqrt, PI, round } = Math;

export interface Chance {
  /** Uniform in (0, 1). */
  next(): number;
  /** Exponential with mean 1. */
  exponential(): number;
  /** Standard normal. */
  normal(): number;
  /** Poisson with this mean; beyond 50 by the normal approximation, whose error is below the spread between seeds. */
  poisson(mean: number): number;
}

/** A stream of its own for each seed and purpose. */
export function chance(seed: number, purpose = 0): Chance {
  const next = uniform(imul(seed + 1, 0x9e3779b1) ^ imul(purpose + 1, 0x85ebca6b));
  const normal = () => sqrt(-2 * log(next())) * cos(2 * PI * next());
  const poisson = (mean: number) => {
    if (mean <= 0) return 0;
    if (mean > 50) return Math.max(0, round(mean + sqrt(mean) * normal()));
    const limit = exp(-mean);
    let count = 0;
    for (let product = next(); product > limit; product *= next()) count += 1;
    return count;
  };
  return { next, exponential: () => -log(next()), normal, poisson };
}
