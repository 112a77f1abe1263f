/** `'%s is %d'.format([…])` of CEL's strings library. */

function fail(text: string): never {
  throw new Error(text);
}

function plainText(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return doubleText(value);
  if (value instanceof Date) return value.toISOString().replace(/\.000Z$/, 'Z');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return `[${value.map(plainText).join(', ')}]`;
  if (value instanceof Map)
    return `{${[...value]
      .map(([key, inner]) => `${plainText(key)}: ${plainText(inner)}`)
      .sort()
      .join(', ')}}`;
  return String(value);
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return String(value);
}

function integer(value: unknown, verb: string): bigint {
  if (typeof value === 'bigint') return value;
  const inner: unknown = typeof value === 'object' && value !== null ? value.valueOf() : undefined;
  return typeof inner === 'bigint'
    ? inner
    : fail(`error during formatting: ${verb} clause can only be used on integers`);
}

function decimal(value: unknown, precision: number, verb: string): string {
  const number = typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined;
  if (number === undefined) fail(`error during formatting: ${verb} clause can only be used on doubles`);
  if (!Number.isFinite(number)) return doubleText(number);
  if (verb === 'fixed-point') return number.toFixed(precision);
  return number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
}

function hex(value: unknown, upper: boolean): string {
  const text =
    typeof value === 'string'
      ? Buffer.from(value, 'utf8').toString('hex')
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : integer(value, 'hex').toString(16);
  return upper ? text.toUpperCase() : text;
}

/** The text with each verb replaced by its argument. */
export function formatString(text: string, args: readonly unknown[]): string {
  let used = 0;
  const next = (): unknown => (used < args.length ? args[used++] : fail(`index ${used} out of range`));
  return text.replace(
    /%(?:\.(\d+))?([a-zA-Z%])?/g,
    (_, digits: string | undefined, verb: string | undefined) => {
      const precision = digits === undefined ? 6 : Number(digits);
      switch (verb) {
        case '%':
          return '%';
        case 's':
          return plainText(next());
        case 'd': {
          const value = next();
          return typeof value === 'number' ? doubleText(value) : integer(value, 'decimal').toString();
        }
        case 'f':
          return decimal(next(), precision, 'fixed-point');
        case 'e':
          return decimal(next(), precision, 'scientific');
        case 'b': {
          const value = next();
          return typeof value === 'boolean' ? (value ? '1' : '0') : integer(value, 'binary').toString(2);
        }
        case 'o':
          return integer(next(), 'octal').toString(8);
        case 'x':
          return hex(next(), false);
        case 'X':
          return hex(next(), true);
        default:
          return fail(`could not parse formatting clause: unrecognized formatting clause "${verb ?? ''}"`);
      }
    },
  );
}
