/** Finds keys that stand twice in a JSON text, which JSON.parse passes over: strict field validation names them. */

const unquote = (text: string): string => JSON.parse(text) as string;

/** Paths of keys that an object of the text holds twice, such as `data.a`. The text must be valid JSON. */
export function duplicateKeys(text: string): string[] {
  const found: string[] = [];
  // One scope for each open object or list: its path and, for objects, the keys so far.
  const scopes: { path: string; keys: Set<string> | undefined; index: number }[] = [];
  let path = '';
  let pendingKey: string | undefined;
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
  let previous = '';
  for (const [part] of text.matchAll(token)) {
    const scope = scopes.at(-1);
    if (part.startsWith('"') && scope?.keys !== undefined && (previous === '{' || previous === ',')) {
      pendingKey = unquote(part);
      const full = scope.path === '' ? pendingKey : `${scope.path}.${pendingKey}`;
      if (scope.keys.has(pendingKey) && !found.includes(full)) found.push(full);
      scope.keys.add(pendingKey);
      path = full;
    } else if (part === '{' || part === '[') {
      const own =
        scope === undefined ? '' : scope.keys === undefined ? `${scope.path}[${scope.index}]` : path;
      scopes.push({ path: own, keys: part === '{' ? new Set() : undefined, index: 0 });
    } else if (part === '}' || part === ']') scopes.pop();
    else if (part === ',' && scope !== undefined) scope.index++;
    previous = part;
  }
  return found;
}
