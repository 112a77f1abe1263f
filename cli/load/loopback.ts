/** Load goes to this machine and nowhere else, unless it is asked for by name. */
import { isIPv4, isIPv6 } from 'node:net';

/** Whether a URL's host is this machine: 127.0.0.0/8, ::1 or `localhost`. */
export function isLoopback(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIPv4(host)) return host.startsWith('127.');
  if (isIPv6(host)) return host === '::1' || /^::ffff:7f[0-9a-f]{2}:/.test(host);
  return host === 'localhost';
}

/** Throws unless the URL is on this machine or remote load was allowed. */
export function requireLoopback(url: string, allowRemote: boolean): void {
  if (allowRemote || isLoopback(url)) return;
  throw new TypeError(
    `${url} is not on this machine: nothing was sent. --allow-remote sends load there all the same`,
  );
}
