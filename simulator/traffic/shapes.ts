/** Synthetic traffic, one value per second, requests per second. */
import { chance } from '../chance.ts';
import type { Trace } from './arrivals.ts';

/** A trace of so many seconds, each at the rate that the function gives for it, requests per second. */
export const shape = (
  name: string,
  seconds: number,
  rate: (second: number) => number,
  stepAtSeconds?: number,
): Trace => ({
  name,
  bucketSeconds: 1,
  counts: Float64Array.from({ length: seconds }, (_, second) => rate(second)),
  exact: false,
  stepAtSeconds,
});

/** Two states, calm and busy, each with an exponential stay: a Markov-modulated Poisson process. */
function mmpp(): Trace {
  const random = chance(7, 99);
  let busy = false;
  let leftSeconds = 300 * random.exponential();
  return shape('mmpp', 3_600, () => {
    leftSeconds -= 1;
    if (leftSeconds <= 0) {
      busy = !busy;
      leftSeconds = (busy ? 60 : 300) * random.exponential();
    }
    return busy ? 150 : 50;
  });
}

/** The synthetic shapes by name: 20 to 60 minutes, 40 to 200 requests per second. */
export const shapes: Readonly<Record<string, () => Trace>> = {
  constant: () => shape('constant', 1_800, () => 80),
  ramp: () => shape('ramp', 2_400, (second) => 30 + (120 * Math.min(second, 2_000)) / 2_000),
  step: () => shape('step', 1_800, (second) => (second < 600 ? 40 : 120), 600),
  spike: () => shape('spike', 1_800, (second) => (second >= 600 && second < 630 ? 200 : 40), 600),
  'diurnal-shape': () =>
    shape('diurnal-shape', 3_600, (second) => 90 - 60 * Math.cos((2 * Math.PI * second) / 3_600)),
  mmpp,
};
