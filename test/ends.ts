/** Ends of what a test began: a server, a pod, a client. */
import { afterEach } from '@jest/globals';

/**
 * What is pushed to `ends` is called after each test, the last first. `closing` makes a start function one whose results are
 * closed then.
 */
export function endsAfterEach() {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const closing =
    <Args extends unknown[], Started extends { close(): unknown }>(
      start: (...args: Args) => Promise<Started>,
    ) =>
    async (...args: Args): Promise<Started> => {
      const started = await start(...args);
      ends.push(() => started.close());
      return started;
    };
  return { ends, closing };
}
