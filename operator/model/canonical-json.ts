/** One text for one value: keys sorted, absent and empty things left out. */

/** Texts of objects that cannot change any more: stored revisions are hashed at each reconcile, and are never another. */
const remembered = new WeakMap<object, { readonly text: string | undefined }>();

/** Text of a value; undefined for `undefined` and for empty objects (`runtime: {}` says what no `runtime` says). */
function canonical(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const known = remembered.get(value);
  if (known !== undefined) return known.text;
  const text = Array.isArray(value)
    ? canonicalList(value)
    : canonicalFields(value as Record<string, unknown>);
  // Objects of the caches are frozen through and through.
  if (Object.isFrozen(value)) remembered.set(value, { text });
  return text;
}

/** Lists keep their order and their length. */
const canonicalList = (items: readonly unknown[]): string =>
  `[${items.map((item) => canonical(item) ?? 'null').join(',')}]`;

function canonicalFields(fields: Record<string, unknown>): string | undefined {
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
