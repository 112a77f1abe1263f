/** Numbers and times as files spell them. */

const numeric = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const dated = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;

/** A number as it is, a date as seconds since the epoch (UTC where no zone is named); undefined: neither. */
export function instantOf(text: string): number | undefined {
  if (numeric.test(text)) return Number(text);
  const match = dated.exec(text);
  if (match === null) return undefined;
  const [, day, time = '00:00:00', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${day}T${time}${/^(utc|z)$/i.test(zone) ? 'Z' : zone}`);
  return Number.isNaN(ms) ? undefined : ms / 1_000 + Number(`0${fraction}`);
}

/** Numbers that are separated by commas, semicolons or blanks; undefined when anything else is there. */
export function numbersIn(text: string): number[] | undefined {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== '');
  return parts.length > 0 && parts.every((part) => numeric.test(part)) ? parts.map(Number) : undefined;
}

/**
 * Seconds in one unit of these times: epochs tell by their size; times from 0 on are milliseconds when whole and
 * more than 20 apart on average, else seconds.
 */
export function timeUnitOf(times: readonly number[]): number {
  const last = times.reduce((most, time) => Math.max(most, time), 0);
  const first = times.reduce((least, time) => Math.min(least, time), last);
  if (last > 1e17) return 1e-9;
  if (last > 1e14) return 1e-6;
  if (last > 1e11) return 1e-3;
  if (last > 1e8) return 1;
  const apart = (last - first) / Math.max(1, times.length - 1);
  return apart > 20 && times.every((time) => Number.isInteger(time)) ? 1e-3 : 1;
}
