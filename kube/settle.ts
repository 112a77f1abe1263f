/**
 * What a store keeps: frozen to the last leaf, and sharing what is equal. A fleet's objects say the same things over and
 * over (labels, images, commands, paths), and each version of an object says nearly what the last one said.
 */

/** Longer texts are hardly ever equal. */
const longest = 128;
/** Texts seen lately, each in the one place that its characters name: bounded, and forgotten by what comes after. */
const places = 8_192;
const seen: (string | undefined)[] = new Array(places).fill(undefined);

/** The same text, as the one copy of it where it was seen lately. */
function shared(text: string): string {
  const { length } = text;
  if (length === 0 || length > longest) return text;
  const mixed =
    length * 31 +
    text.charCodeAt(0) * 131 +
    text.charCodeAt(length >> 2) * 1_031 +
    text.charCodeAt(length >> 1) * 4_099 +
    text.charCodeAt(length - 1) * 16_411;
  const place = mixed & (places - 1);
  const known = seen[place];
  if (known === text) return known;
  seen[place] = text;
  return text;
}

/**
 * The value frozen, with every part that equals the same part of `before` (frozen already) replaced by that: what did not
 * change stays the same object from version to version. It changes its argument; what is frozen already is left alone.
 */
export function settle<T>(value: T, before?: unknown): T {
  if (typeof value === 'string') return shared(value) as T;
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const old = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : undefined;
  const fields = value as Record<string, unknown>;
  const names = Object.keys(fields);
  let same = old !== undefined && Array.isArray(old) === Array.isArray(value);
  for (const name of names) {
    const part = fields[name];
    const settled = settle(part, old?.[name]);
    if (settled !== part) fields[name] = settled;
    if (same && settled !== old?.[name]) same = false;
  }
  if (same && old !== undefined && Object.isFrozen(old) && Object.keys(old).length === names.length)
    return old as T;
  return Object.freeze(value);
}
