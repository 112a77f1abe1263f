/** When requests went wrong: while a pod started or had just come, or while the pods were all there. */

/** Seconds after a start in which its pod is new. */
const newSeconds = 5;

export interface Situations {
  /** Shares of all requests that went wrong in seconds in which a pod started or was new, and in the others. */
  readonly whileStarting: number;
  readonly settled: number;
  /** Share of the time in which a pod started or was new. */
  readonly startingTime: number;
}

/** By second: what went wrong, all requests, and pods that started at its end. */
export function situationsOf(
  bad: readonly number[],
  total: readonly number[],
  starting: readonly number[],
): Situations {
  const all = total.reduce((sum, one) => sum + one, 0);
  const seconds = Math.max(total.length, 1);
  let whileStarting = 0;
  let settled = 0;
  let startingSeconds = 0;
  for (let second = 0; second < total.length; second += 1) {
    // A start that ends within a second is seen at the end of none but its own.
    const isNew = starting.slice(Math.max(0, second - newSeconds), second + 2).some((count) => count > 0);
    if (isNew) startingSeconds += 1;
    if (isNew) whileStarting += bad[second] ?? 0;
    else settled += bad[second] ?? 0;
  }
  return {
    whileStarting: all === 0 ? 0 : whileStarting / all,
    settled: all === 0 ? 0 : settled / all,
    startingTime: startingSeconds / seconds,
  };
}
