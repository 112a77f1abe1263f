/** One text for one value: keys sorted, absent and empty things left out. */

/** Texts of objects that cannot change any more: stored revisions are hashed at each reconcile, and are never another. */
const remembered = new WeakMap<object, { readonly text: string | undefined }>();

/** Text of a value; undefined for `undefined` and for empty objects (`runtime: {}` says what no `runtime` says). */
function canonical(value: unknown, inFrozen = false): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // Objects of the caches are frozen through and through; of those only the outermost is remembered, to hold a text once.
  const outermost = !inFrozen && Object.isFrozen(value);
  const known = outermost ? remembered.get(value) : undefined;
  if (known !== undefined) return known.text;
  const text = Array.isArray(value)
    ? canonicalList(value, inFrozen || outermost)
    : canonicalFields(value as Record<string, unknown>, inFrozen || outermost);
  if (outermost) remembered.set(value, { text });
  return text;
}

/** Lists keep their order and their length. */
const canonicalList = (items: readonly unknown[], inFrozen: boolean): string =>
  `[${items.map((item) => canonical(item, inFrozen) ?? 'null').join(',')}]`;

function canonicalFields(fields: Record<string, unknown>, inFrozen: boolean): string | undefined {
  const parts: string[] = [];
  for (const key of Object.keys(fields).sort()) {
    const text = canonical(fields[key], inFrozen);
    if (text !== undefined) parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return parts.length === 0 ? undefined : `{${parts.join(',')}}`;
}

/** Canonical JSON of a value; `{}` for an empty one. */
export function canonicalJson(value: unknown): string {
  return canonical(value) ?? '{}';
}
