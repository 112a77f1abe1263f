/**
 * Quantities as the API server writes them back (`0.5` becomes `500m`, `1024Mi` becomes `1Gi`). Rendering them so means
 * that an object read back equals the one applied, and that only a real edit looks like one.
 */

const decimalSuffix: Record<string, number> = { m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const decimalNames = new Map(Object.entries(decimalSuffix).map(([name, exponent]) => [exponent, name]));
const binaryNames = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const nano = 10n ** 9n;

const pattern = /^([0-9]+)(?:\.([0-9]+))?(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([eE])([0-9]+)|([mkMGTPE]?))$/;

/** Canonical form of a quantity; what is none is returned as it came, for the API server to refuse. */
export function canonicalQuantity(value: string | number): string {
  const text = String(value);
  const match = pattern.exec(text);
  if (match === null) return text;
  const [, whole = '0', fraction = '', binary, exponentMark, exponentText, suffix = ''] = match;
  const exponent = exponentMark === undefined ? (decimalSuffix[suffix] ?? 0) : Number(exponentText);
  const factor =
    binary === undefined
      ? { times: 10n ** BigInt(Math.max(0, exponent)), over: 10n ** BigInt(Math.max(0, -exponent)) }
      : { times: 1024n ** BigInt(binaryNames.indexOf(binary)), over: 1n };
  const scaled = BigInt(whole + fraction) * factor.times * nano;
  const divisor = factor.over * 10n ** BigInt(fraction.length);
  // Smaller than a nano is rounded up, as Kubernetes does.
  const nanos = (scaled + divisor - 1n) / divisor;
  if (nanos === 0n) return '0';
  if (binary !== undefined && nanos % nano === 0n && nanos / nano >= 1024n) return binaryForm(nanos / nano);
  return decimalForm(nanos, exponentMark !== undefined);
}

function binaryForm(value: bigint): string {
  let rest = value;
  let power = 0;
  while (power < binaryNames.length - 1 && rest % 1024n === 0n) {
    rest /= 1024n;
    power += 1;
  }
  return `${rest}${binaryNames[power]}`;
}

function decimalForm(nanos: bigint, asExponent: boolean): string {
  let rest = nanos;
  let exponent = -9;
  while (exponent < 18 && rest % 1000n === 0n) {
    rest /= 1000n;
    exponent += 3;
  }
  if (asExponent) return exponent === 0 ? String(rest) : `${rest}e${exponent}`;
  const name = decimalNames.get(exponent) ?? (exponent === -6 ? 'u' : 'n');
  return `${rest}${name}`;
}
