/** A watch as a chunked answer: one JSON event per line, bookmarks each minute, ended by its timeout. */
import { randomInt } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { WatchEvent } from '../../../kube/objects.ts';
import type { Kind } from '../kind.ts';
import { type AnyObject, encodeFrozen } from '../object.ts';
import type { Registry } from '../registry.ts';
import { StatusError } from '../status-error.ts';
import { type Watch, type WatchOptions, watchObjects } from '../watch.ts';

interface StreamOptions extends WatchOptions {
  readonly timeoutSeconds?: number;
}

const bookmarkEveryMs = 60_000;
const drainLimitBytes = 16 * 1024 * 1024;

/** Streams a watch until the client leaves or the time is up; `encode` shapes each object. */
export function streamWatch(
  registry: Registry,
  kind: Kind,
  response: ServerResponse,
  options: StreamOptions,
  encode: ((object: AnyObject, first: boolean) => object) | undefined,
): void {
  const { clock } = registry.core;
  let count = 0;
  const send = (event: WatchEvent<AnyObject>): void => {
    // Ended, but the client has not closed yet: a write would throw in the timer that made it.
    if (response.destroyed || response.writableEnded) return;
    const isBookmark = event.type === 'BOOKMARK';
    const shaped = encode === undefined || isBookmark ? event.object : encode(event.object, count === 0);
    if (!isBookmark) count++;
    response.write(`{"type":"${event.type}","object":${encodeFrozen(shaped)}}\n`);
    // A client that does not read must not make the server hold its events for ever.
    if (response.writableLength > drainLimitBytes) response.destroy();
  };
  const early: WatchEvent<AnyObject>[] = [];
  let started = false;
  // Refusals (bad selectors) are thrown before the head is written; history that is gone is an event of the stream.
  let watch: Watch;
  try {
    watch = watchObjects(registry.core, kind, options, (event) => {
      if (started) send(event);
      else early.push(event);
    });
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 410) throw error;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
    response.end(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`);
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
  response.flushHeaders();
  started = true;
  for (const event of early) send(event);

  let cancelBookmark: (() => void) | undefined;
  const scheduleBookmark = (): void => {
    cancelBookmark = clock.setTimer(bookmarkEveryMs, () => {
      watch.bookmark();
      scheduleBookmark();
    });
  };
  if (options.allowWatchBookmarks === true) scheduleBookmark();
  const seconds = options.timeoutSeconds ?? 1800 + randomInt(1800);
  const cancelEnd = clock.setTimer(seconds * 1000, () => {
    if (options.allowWatchBookmarks === true) watch.bookmark();
    response.end();
  });
  response.on('close', () => {
    watch.stop();
    cancelBookmark?.();
    cancelEnd();
  });
}
