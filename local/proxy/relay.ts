/** Carries one TCP connection to a backend: both directions, half-closes included. */
import { connect, type Socket } from 'node:net';
import type { Backend } from './backends.ts';

const connectTimeoutMs = 5_000;

/** Connects to the first backend that answers and relays; resets the client when none does. */
export function relay(client: Socket, backends: readonly Backend[], open: Set<Socket>): void {
  client.pause();
  client.on('error', () => undefined);
  const next = (index: number) => {
    const backend = backends[index];
    if (backend === undefined || client.destroyed) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host: backend.host, port: backend.port, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => server.destroy(new Error('connect timeout')), connectTimeoutMs);
    const giveUp = () => server.destroy();
    client.once('close', giveUp);
    // Nothing was sent yet, so another backend may be asked.
    const refused = () => {
      clearTimeout(timer);
      client.off('close', giveUp);
      server.destroy();
      next(index + 1);
    };
    server.once('error', refused);
    server.once('connect', () => {
      clearTimeout(timer);
      client.off('close', giveUp);
      server.off('error', refused);
      join(client, server, open);
    });
  };
  next(0);
}

function join(client: Socket, server: Socket, open: Set<Socket>): void {
  open.add(server);
  server.once('close', () => open.delete(server));
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    // A reset of one side is a reset of the other: the peer must not take it for an ordinary end.
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => {
      if (!to.writableEnded && !from.readableEnded) to.resetAndDestroy();
    });
    from.pipe(to);
  }
  client.resume();
}
