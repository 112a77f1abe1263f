/** The notations of the API: durations, percents, quantities. One place for their patterns and their arithmetic. */

/** `50ms`, `1s`, `5m`, `2h`: a whole number and one unit. CEL's `duration()` and Go read the same. */
export const durationPattern = '^[0-9]{1,9}(ms|s|m|h)$';
/** `0.1%` to `100%`, up to four decimals. */
export const percentPattern = '^(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)%$';
/** Kubernetes quantity, the forms that people write: `500m`, `2`, `1.5`, `512Mi`, `1G`, `1e3`. */
export const quantityPattern = '^[0-9]{1,15}(\\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|[eE][0-9]{1,2})?$';
/** A price: a decimal number that is not negative. */
export const pricePattern = '^[0-9]{1,9}(\\.[0-9]{1,6})?$';
/** A number in digits, with an exponent of at most two: `0.5`, `-3`, `1e-6`. Every reader of decimals takes it. */
export const decimalPattern = '^-?[0-9]{1,20}([.][0-9]{1,20})?([eE][-+]?[0-9]{1,2})?$';
export const sha256Pattern = '^[a-f0-9]{64}$';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of a duration string; throws a RangeError that quotes a value which does not match `durationPattern`. */
export function durationMs(text: string): number {
  const match = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text);
  if (match === null)
    throw new RangeError(
      `"${text}" is no duration: write a whole number and a unit, such as 50ms, 1s, 5m or 2h`,
    );
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/** Shortest duration string of whole milliseconds. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  for (const unit of ['h', 'm', 's'] as const) {
    if (whole !== 0 && whole % unitMs[unit] === 0) return `${whole / unitMs[unit]}${unit}`;
  }
  return `${whole}ms`;
}

/** Fraction (0 to 1) of a percent string; throws a RangeError that quotes a value which does not match. */
export function percentFraction(text: string): number {
  if (!new RegExp(percentPattern).test(text))
    throw new RangeError(`"${text}" is no percentage: write for instance "0.1%"`);
  return Number(text.slice(0, -1)) / 100;
}

const factors: Record<string, number> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Number of a Kubernetes quantity (cores, bytes); throws a RangeError that quotes a value which does not match. */
export function quantityNumber(value: string | number): number {
  const text = String(value);
  if (!new RegExp(quantityPattern).test(text))
    throw new RangeError(`"${text}" is no quantity: write for instance 500m, 2 or 512Mi`);
  const match = /^([0-9.]+(?:[eE][0-9]+)?)([A-Za-z]*)$/.exec(text);
  return Number(match?.[1] ?? Number.NaN) * (factors[match?.[2] ?? ''] ?? 1);
}
