/** How long a caller waits: what it says itself, and the deployment's timeout. Gateway and pod read it alike. */

/** What a caller may wait at most, milliseconds: the deployment's timeout, or less when the caller said so. */
export const allowedMs = (timeoutMs: number, clientMs: number | undefined): number =>
  clientMs !== undefined && clientMs > 0 ? Math.min(timeoutMs, clientMs) : timeoutMs;

/** Headers that say how long the caller waits, ours first: milliseconds from now on. */
const deadlineHeaders = [
  'ballast-deadline-ms',
  'x-request-timeout-ms',
  'x-envoy-expected-rq-timeout-ms',
] as const;

/** The caller's own limit, from the first of the headers that is there; one that is no whole number says nothing. */
export const clientTimeoutMs = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
): number | undefined => {
  for (const name of deadlineHeaders) {
    const text = headers[name];
    if (text !== undefined)
      return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  }
  return undefined;
};
