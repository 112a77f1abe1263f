/** Reads the numbers of the command line. */

/** A whole number over 0. Refused before anything runs: wrk, which takes no fractions, would end a round that has begun. */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !(value > 0 && Number.isSafeInteger(value)))
    throw new Error(`--${name} is '${text}', it must be a whole number over 0`);
  return value;
}
