/** Numbers that are the same in every run. */

/** Uniform in (0, 1), mulberry32. */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 1) / 4_294_967_297;
  };
};

const shape = 4;

/** Gamma with this mean and a squared coefficient of variation of 0.25. */
export const gammaOf = (random: () => number, mean: number) => (): number => {
  let sum = 0;
  for (let i = 0; i < shape; i += 1) sum -= Math.log(random());
  return (sum / shape) * mean;
};
