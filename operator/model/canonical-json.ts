/** One text for one value: keys sorted, absent and empty things left out. */

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Drops `undefined` and empty objects (`runtime: {}` says what no `runtime` says) and sorts keys; lists keep their order. */
function canonical(value: unknown): Json | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map((item) => canonical(item) ?? null);
  if (typeof value !== 'object') return undefined;
  const entries: [string, Json][] = [];
  for (const [key, inner] of Object.entries(value)) {
    const kept = canonical(inner);
    if (kept !== undefined) entries.push([key, kept]);
  }
  if (entries.length === 0) return undefined;
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

/** Canonical JSON of a value; `{}` for an empty one. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value) ?? {});
}
