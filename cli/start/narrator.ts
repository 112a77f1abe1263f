/** Tells on the screen what happens, each step with the seconds since the start. */

export interface Narrator {
  /** One finished step, with the time since the start. */
  step(text: string): void;
  /** A line without a time: explanations and commands. */
  line(text?: string): void;
  /** Milliseconds since the start. */
  elapsedMs(): number;
}

/** Narrator that writes to `out`; `nowMs` is a monotonic clock, `startMs` the process's start on it. */
export function createNarrator(
  out: { write(text: string): unknown },
  nowMs: () => number,
  startMs = 0,
): Narrator {
  const elapsedMs = () => nowMs() - startMs;
  return {
    step: (text) => out.write(`${(elapsedMs() / 1000).toFixed(2).padStart(7)} s  ${text}\n`),
    line: (text = '') => out.write(`${text}\n`),
    elapsedMs,
  };
}
