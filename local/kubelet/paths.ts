/** A process has no mount namespace: paths of its container are rewritten to the folders behind them. Pure. */

export interface Mount {
  /** Path inside the container. */
  readonly from: string;
  /** Folder (or file) of this machine. */
  readonly to: string;
}

/** Mounts in the order in which they are tried: the longest path first, the earlier one among equals. */
export function mountTable(mounts: readonly Mount[]): Mount[] {
  return mounts
    .map(({ from, to }) => ({ from: from.length > 1 ? from.replace(/\/+$/, '') : from, to }))
    .sort((a, b) => b.from.length - a.from.length);
}

function rewriteOne(path: string, table: readonly Mount[]): string {
  for (const { from, to } of table) {
    if (path === from) return to;
    if (path.startsWith(`${from}/`)) return to + path.slice(from.length);
  }
  return path;
}

/** Rewrites a value that is a path, a `:` list of paths, a `file://` address, or `--flag=` with one of them. */
export function rewritePaths(value: string, table: readonly Mount[]): string {
  const flag = /^(--?[A-Za-z][\w.-]*=)(.*)$/s.exec(value);
  if (flag !== null) return `${flag[1]}${rewritePaths(flag[2] ?? '', table)}`;
  if (value.includes('://'))
    return value.replaceAll(
      /file:\/\/(\/[^\s,;?#"']*)/g,
      (_, path: string) => `file://${rewriteOne(path, table)}`,
    );
  if (!value.startsWith('/')) return value;
  return value
    .split(':')
    .map((part) => rewriteOne(part, table))
    .join(':');
}
