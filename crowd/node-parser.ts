/**
 * What Node's HTTP/1.1 parser is told beyond what `node:http` offers. It parses a read to its end, also when the socket is
 * paused or destroyed in between, and 64 KB hold 400 requests or 11,000 chunks of one byte. slow-clients.test.ts and
 * node-parser.test.ts fail where a version of Node no longer listens.
 */
import type { Socket } from 'node:net';

/** The parser as it hangs on a socket: its callbacks are properties, those without a name under the numbers of its class. */
type Parser = { onIncoming?: () => number; constructor: { kOnBody?: number } } & Record<number, unknown>;
type Parsed = Socket & { parser?: Parser | null };

/**
 * Ends the parsing of a connection behind the next head: the parser is told that the protocol changes (2, what Node itself
 * says of an upgrade). Else Node pays an error with its stack for each request that is left, and 100 sockets kept everybody
 * waiting for 2 s.
 */
export const stopParsing = ({ parser }: Parsed): void => {
  if (parser) parser.onIncoming = () => 2;
};

/**
 * Drops what is left of the bodies of a connection, which is about to end: each piece would cost a copy and a call, 1 to
 * 2 µs, and 30,000 of them came on each connection before it was closed. Without the callback they cost 0.07 µs.
 */
export const dropBodies = (socket: Parsed): void => {
  const { parser } = socket;
  const key = parser?.constructor.kOnBody;
  if (!parser || key === undefined || parser[key] === undefined) return;
  const onBody = parser[key];
  parser[key] = undefined;
  // Node keeps parsers for other connections.
  socket.once('close', () => {
    parser[key] = onBody;
  });
};
