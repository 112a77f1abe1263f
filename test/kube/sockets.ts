/** Waiting for somebody to listen. */
import { connect, type NetConnectOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when the socket (a path, or host and port) accepts a connection. */
export async function untilListens(
  where: string | { host: string; port: number },
  timeoutMs: number,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  const target: NetConnectOpts = typeof where === 'string' ? { path: where } : where;
  while (Date.now() < deadlineMs) {
    if (await listens(target)) return;
    await delay(50);
  }
  throw new Error(`nobody listens at ${JSON.stringify(where)} after ${timeoutMs / 1000} s`);
}

function listens(target: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
