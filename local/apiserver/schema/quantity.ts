/** Quantities in their canonical spelling, as an API server stores them. */

const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const pattern = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE])([+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$/;
const nano = 1_000_000_000n;

export interface ParsedQuantity {
  /** The value in billionths. */
  readonly nanos: bigint;
  readonly format: 'decimal' | 'binary' | 'exponent';
}

/** Reads a quantity; undefined when the text is none. */
export function parseQuantity(text: string): ParsedQuantity | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [whole = '', fraction = ''] = (match[2] ?? '').split('.');
  const suffix = match[5] ?? '';
  const isBinary = suffix.endsWith('i');
  const power = isBinary ? 0 : suffix === '' ? 0 : (decimal.indexOf(suffix) - 3) * 3;
  const exponent = match[4] === undefined ? 0 : Number(match[4]);
  if (Math.abs(exponent) > 100) return undefined;
  const factor = isBinary ? 1024n ** BigInt(binary.indexOf(suffix)) : 1n;
  const digits = BigInt(`${whole}${fraction}` || '0') * factor;
  const scale = 9 - fraction.length + power + exponent;
  const nanos =
    scale >= 0
      ? digits * 10n ** BigInt(scale)
      : (digits + 10n ** BigInt(-scale) - 1n) / 10n ** BigInt(-scale);
  return {
    nanos: match[1] === '-' ? -nanos : nanos,
    format: isBinary ? 'binary' : match[3] !== undefined ? 'exponent' : 'decimal',
  };
}

function decimalText(nanos: bigint): string {
  let [value, index] = [nanos, 0];
  while (value !== 0n && value % 1000n === 0n && index < decimal.length - 1) {
    value /= 1000n;
    index += 1;
  }
  return value === 0n ? '0' : `${value}${decimal[index]}`;
}

function exponentText(nanos: bigint): string {
  let [value, exponent] = [nanos, -9];
  while (value !== 0n && value % 1000n === 0n) {
    value /= 1000n;
    exponent += 3;
  }
  return value === 0n ? '0' : exponent === 0 ? `${value}` : `${value}e${exponent}`;
}

/** The canonical spelling (`0.5` is `500m`, `1024Mi` is `1Gi`); a text that is no quantity stays as it is. */
export function canonicalQuantity(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const parsed = parseQuantity(String(value));
  if (parsed === undefined) return value;
  if (parsed.format === 'exponent') return exponentText(parsed.nanos);
  // Below 1024 a binary quantity is written as a decimal one.
  if (parsed.format === 'decimal' || parsed.nanos % nano !== 0n || abs(parsed.nanos) < 1024n * nano)
    return decimalText(parsed.nanos);
  let [amount, index] = [parsed.nanos / nano, 0];
  while (amount % 1024n === 0n && index < binary.length - 1) {
    amount /= 1024n;
    index += 1;
  }
  return `${amount}${binary[index]}`;
}

const abs = (value: bigint) => (value < 0n ? -value : value);
