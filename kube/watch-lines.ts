/** Cuts a watch's byte stream into its lines and its lines into events; whatever is no event is a protocol error. */
import { StringDecoder } from 'node:string_decoder';
import { ApiError, statusError } from './errors.ts';
import type { KubeObject, Status, WatchEvent } from './objects.ts';

/** An etcd object is at most 1.5 MiB; a longer line is no watch event. */
const maxLineLength = 16 * 1024 * 1024;
const eventTypes = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

/** Yields the complete lines of the stream; text after the last newline is a cut event and throws. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.write(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk));
    let start = 0;
    for (let end = rest.indexOf('\n', start); end !== -1; end = rest.indexOf('\n', start)) {
      const line = rest.slice(start, end);
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    rest = rest.slice(start);
    if (rest.length > maxLineLength) throw protocolError(what, 'a line without end');
  }
  if (rest.trim() !== '') throw protocolError(what, 'the stream ended inside an event');
}

/** Parses one line. Throws the server's error for an `ERROR` event and a protocol error for anything malformed. */
export function parseWatchEvent<T extends KubeObject>(line: string, what: string): WatchEvent<T> {
  let event: { type?: unknown; object?: { metadata?: { resourceVersion?: unknown } } | null };
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw protocolError(what, 'a line that is not JSON', cause);
  }
  if (
    typeof event !== 'object' ||
    event === null ||
    typeof event.object !== 'object' ||
    event.object === null
  )
    throw protocolError(what, 'a line that is no watch event');
  if (event.type === 'ERROR') throw statusError(what, event.object as Status);
  if (typeof event.type !== 'string' || !eventTypes.has(event.type))
    throw protocolError(what, `a watch event of type ${String(event.type).slice(0, 40)}`);
  if (typeof event.object.metadata?.resourceVersion !== 'string')
    throw protocolError(what, 'a watch event without resourceVersion');
  return event as WatchEvent<T>;
}

/** An `ApiError` that says how the server broke its protocol. */
export function protocolError(what: string, detail: string, cause?: unknown): ApiError {
  return new ApiError({
    code: 0,
    reason: 'Protocol',
    message: `${what}: the server sent ${detail}`,
    cause,
  });
}
