/** What the attack sessions share: their options, and how their figures read. */
import type { Statuses } from './clients.ts';

/** The value behind `--name`; undefined without it. */
export const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

/** `200 ×12, closed ×3` */
export const told = (statuses: Statuses): string =>
  Object.entries(statuses)
    .map(([status, n]) => `${status === '0' ? 'closed' : status} ×${n}`)
    .join(', ');

/** Milliseconds, with a decimal below ten. */
export const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/**
 * Bounds: life is answered within this, others wait at most twice as long as at rest. The machine is shared with the
 * attackers and with others, so an idle process beside the attacked one is asked the same: where that is slow, the machine is.
 */
export const liveBoundMs = 50;
export const graceMs = 25;

export const problems: string[] = [];
/** Notes a bound that did not hold; the mark for its row. */
export const miss = (name: string, what: string): string => {
  problems.push(`${name}: ${what}`);
  return ' MISSED';
};
