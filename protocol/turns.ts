/** Work in steps: done at once when it is small, with turns for others in between when it is large. */

/** Does all steps. */
export const atOnce = <Result>(steps: Generator<undefined, Result>): Result => {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
};

/** Waits for `turn` between the steps. */
export const inTurns = async <Result>(
  steps: Generator<undefined, Result>,
  turn: () => Promise<void>,
): Promise<Result> => {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await turn();
  }
};
