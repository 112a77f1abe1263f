/** Waiting for a condition, in tests. */

/** Polls until `probe` gives something other than undefined or false; fails with what was missing, and why it last failed, after `timeoutMs`. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 60_000,
  everyMs = 100,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  let last = '';
  while (Date.now() < deadlineMs) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      last = '';
    } catch (error) {
      last = ` (${String(error).slice(0, 900)})`;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`${what}: not within ${timeoutMs / 1_000} s${last}`);
}
