/** `quantity(…)` of Kubernetes' CEL library. */
import type { Environment } from '@marcbachmann/cel-js';

const suffixes: Record<string, [base: bigint, exponent: number]> = {
  n: [10n, -9],
  u: [10n, -6],
  m: [10n, -3],
  '': [10n, 0],
  k: [10n, 3],
  M: [10n, 6],
  G: [10n, 9],
  T: [10n, 12],
  P: [10n, 15],
  E: [10n, 18],
  Ki: [2n, 10],
  Mi: [2n, 20],
  Gi: [2n, 30],
  Ti: [2n, 40],
  Pi: [2n, 50],
  Ei: [2n, 60],
};
const billion = 1_000_000_000n;

/** A Kubernetes quantity, exact to a billionth. */
class Quantity {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }

  /** Reads `500m`, `1.5Gi`, `1e3`; undefined when the text is none. */
  static parse(text: string): Quantity | undefined {
    const match = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE])([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text);
    if (match === null) return undefined;
    const [whole = '', fraction = ''] = (match[2] ?? '').split('.');
    const digits = BigInt(`${whole}${fraction}` || '0');
    const exponent = match[4] === undefined ? 0 : Number(match[4]);
    const [base, power] = suffixes[match[5] ?? ''] ?? [10n, 0];
    if (Math.abs(exponent) > 36) return undefined;
    const scale = 9 - fraction.length + exponent + (base === 10n ? power : 0);
    let nanos = digits * (base === 2n ? 2n ** BigInt(power) : 1n);
    if (scale >= 0) nanos *= 10n ** BigInt(scale);
    else {
      const divisor = 10n ** BigInt(-scale);
      // What is finer than a billionth is rounded up, as Kubernetes does.
      nanos = (nanos + divisor - 1n) / divisor;
    }
    return new Quantity(match[1] === '-' ? -nanos : nanos);
  }

  get isInteger(): boolean {
    return this.nanos % billion === 0n;
  }

  toNumber(): number {
    return Number(this.nanos) / Number(billion);
  }
}

function parse(text: string): Quantity {
  const quantity = Quantity.parse(text);
  if (quantity === undefined)
    throw new Error(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  return quantity;
}

const minInt = -(2n ** 63n);
const maxInt = 2n ** 63n - 1n;
const fits = (quantity: Quantity) =>
  quantity.isInteger && quantity.nanos / billion >= minInt && quantity.nanos / billion <= maxInt;

/** Registers `quantity`, `isQuantity` and the methods of quantities. */
export function registerQuantity(environment: Environment): void {
  const operand = (other: Quantity | bigint) => (typeof other === 'bigint' ? other * billion : other.nanos);
  environment
    .registerType('kubernetes.Quantity', { ctor: Quantity, fields: {} })
    .registerFunction('quantity(string): kubernetes.Quantity', parse)
    .registerFunction('isQuantity(string): bool', (text: string) => Quantity.parse(text) !== undefined)
    .registerOperator(
      'kubernetes.Quantity == kubernetes.Quantity',
      (a: Quantity, b: Quantity) => a.nanos === b.nanos,
    )
    .registerFunction('sign(kubernetes.Quantity): int', (q: Quantity) =>
      q.nanos > 0n ? 1n : q.nanos < 0n ? -1n : 0n,
    )
    .registerFunction('kubernetes.Quantity.isInteger(): bool', fits)
    .registerFunction('kubernetes.Quantity.asInteger(): int', (q: Quantity) => {
      if (!fits(q)) throw new Error('cannot convert value to integer');
      return q.nanos / billion;
    })
    .registerFunction('kubernetes.Quantity.asApproximateFloat(): double', (q: Quantity) => q.toNumber())
    .registerFunction(
      'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool',
      (a: Quantity, b: Quantity) => a.nanos > b.nanos,
    )
    .registerFunction(
      'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool',
      (a: Quantity, b: Quantity) => a.nanos < b.nanos,
    )
    .registerFunction(
      'kubernetes.Quantity.compareTo(kubernetes.Quantity): int',
      (a: Quantity, b: Quantity) => (a.nanos > b.nanos ? 1n : a.nanos < b.nanos ? -1n : 0n),
    );
  for (const type of ['kubernetes.Quantity', 'int'])
    environment
      .registerFunction(
        `kubernetes.Quantity.add(${type}): kubernetes.Quantity`,
        (a: Quantity, b: Quantity | bigint) => new Quantity(a.nanos + operand(b)),
      )
      .registerFunction(
        `kubernetes.Quantity.sub(${type}): kubernetes.Quantity`,
        (a: Quantity, b: Quantity | bigint) => new Quantity(a.nanos - operand(b)),
      );
}
