/** Splits a request's path into what it names. */

export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** The old `/api/v1/watch/…` form. */
  readonly watchPrefix: boolean;
}

/** The resource that a path names; undefined for discovery, health and unknown paths. */
export function parseResourcePath(pathname: string): ResourcePath | undefined {
  let parts: string[];
  try {
    parts = pathname
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
  const root = parts.shift();
  let group = '';
  if (root === 'apis') group = parts.shift() ?? '';
  else if (root !== 'api') return undefined;
  const version = parts.shift();
  if (version === undefined) return undefined;
  const watchPrefix = parts[0] === 'watch' && parts.length > 1;
  if (watchPrefix) parts.shift();
  let namespace: string | undefined;
  // `/namespaces/x/status` and `/namespaces/x/finalize` are subresources of the namespace itself.
  if (
    parts[0] === 'namespaces' &&
    parts.length >= 3 &&
    !(parts.length === 3 && ['status', 'finalize'].includes(parts[2] ?? ''))
  ) {
    parts.shift();
    namespace = parts.shift();
  }
  const [plural, name, subresource, ...rest] = parts;
  if (plural === undefined || (rest.length > 0 && subresource !== 'proxy')) return undefined;
  return { group, version, plural, namespace, name, subresource, watchPrefix };
}
