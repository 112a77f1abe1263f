/** An answer, whoever asked for it: directly or through a proxy. */
import type { IncomingHttpHeaders } from 'node:http';

/** What a server answered: headers first, then the body as it comes. */
export interface Answer extends AsyncIterable<Buffer> {
  readonly statusCode?: number | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Lets go of the connection. */
  destroy(): void;
}
