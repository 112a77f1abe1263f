/** Kubernetes quantities as numbers. */

const suffixes: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The value of `250m`, `1Gi` or `2`; NaN when it is none. */
export function quantityValue(value: unknown): number {
  if (typeof value === 'number') return value;
  const match = /^([+-]?[0-9.]+)(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE])?)$/.exec(String(value));
  if (match?.[1] === undefined) return Number.NaN;
  if (match[2] !== undefined) return Number(match[1] + match[2]);
  return Number(match[1]) * (suffixes[match[3] ?? ''] ?? Number.NaN);
}
