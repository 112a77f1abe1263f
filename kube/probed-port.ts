/** A port that the kubelet probes and scrapers read: nobody may keep them out, whoever else reaches it. */
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Connections at a time; kept-alive ones of scrapers among them. */
const mostConnections = 256;

/** What waits to be accepted: with Node's 511 a crowd that connects makes a probe's first packet come again after a second. */
const probedBacklog = 4_096;

/** Lets the connection that has asked nothing for the longest time give way to a new one, instead of refusing that one. */
export function keepRoom(server: Server, most = mostConnections): void {
  // One that cannot be accepted (no file descriptor is left) costs a connection and not the process.
  server.on('error', () => undefined);
  let connections = 0;
  /** Those without a question under way, the longest first. */
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections += 1;
    idle.add(socket);
    socket.once('close', () => {
      connections -= 1;
      idle.delete(socket);
    });
    if (connections > most) {
      const [oldest] = idle;
      oldest?.destroy();
    }
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
}

/** Path and query of a request to such a port; undefined where its target is none. */
export const targetOf = (url: string | undefined): URL | undefined =>
  URL.parse(url ?? '/', 'http://here') ?? undefined;

export interface ProbedPort {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens as such a port does, with room and a long queue of connections; rejects where it cannot. Port 0 takes a free one. */
export async function openProbedPort(
  server: Server,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<ProbedPort> {
  keepRoom(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: probedBacklog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
