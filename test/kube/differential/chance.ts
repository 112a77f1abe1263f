/** Chance that a seed makes the same again. */

export interface Random {
  /** Whole number below `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Some of the list, in a random order. */
  some<T>(list: readonly T[]): T[];
}

/** Numbers by chance that a seed makes the same again (mulberry32). */
export function chance(seed: number): Random {
  let state = seed * 2_654_435_761;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const random: Random = {
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    pick: (list) => list[random.below(list.length)] as (typeof list)[number],
    some: (list) =>
      list
        .filter(() => next() < 0.5)
        .map((value) => ({ value, at: next() }))
        .sort((a, b) => a.at - b.at)
        .map(({ value }) => value),
  };
  return random;
}
