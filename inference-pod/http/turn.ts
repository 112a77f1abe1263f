/** Turns for large work on the main thread: one piece of it between two rounds of the event loop, however many wait. */

const waiting: (() => void)[] = [];

const next = () => {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(next);
};

/**
 * Lets everything else that waits have its turn. Twenty large bodies that are read at once take turns among themselves
 * too: a probe waits for one piece of one of them, not for a piece of each.
 */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(next);
  });
