/** Request ids: taken from the caller when harmless, else made. */
import { randomUUID } from 'node:crypto';
import type { RequestHeaders } from './client.ts';

/** The caller's `x-request-id`, or a new one. Anything but plain printable text of at most 128 characters is replaced. */
export const requestIdOf = (request: { readonly headers: RequestHeaders }): string => {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
};
