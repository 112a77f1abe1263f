/** One text for one value: keys sorted, absent and empty things left out. */

/** Text of a value; undefined for `undefined` and for empty objects (`runtime: {}` says what no `runtime` says). */
function canonical(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // Lists keep their order and their length.
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item) ?? 'null').join(',')}]`;
  const fields = value as Record<string, unknown>;
  const parts: string[] = [];
  for (const key of Object.keys(fields).sort()) {
    const text = canonical(fields[key]);
    if (text !== undefined) parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return parts.length === 0 ? undefined : `{${parts.join(',')}}`;
}

/** Canonical JSON of a value; `{}` for an empty one. */
export function canonicalJson(value: unknown): string {
  return canonical(value) ?? '{}';
}
