/** The gRPC port. It listens with a plain socket: HTTP/2 and all of gRPC are loaded by the first client that speaks. */
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Logger } from '../log/logger.ts';
import type { GrpcContext } from './context.ts';
import type { Transport } from './transport/server.ts';

const { createServer } = process.getBuiltinModule('node:net');

const maxConnections = 4096;
/** How long a client may stay silent before its first byte. */
const firstByteMs = 10_000;
const forcedCloseMs = 25_000;

export interface GrpcListener {
  readonly port: number;
  /** Stops listening, lets running RPCs end; resolves when the last connection is gone. */
  close(): Promise<void>;
}

/** Starts listening. */
export const startGrpcListener = (
  host: string,
  port: number,
  context: GrpcContext,
  log: Logger,
): Promise<GrpcListener> => {
  const silent = new Set<Socket>();
  let loading: Promise<Transport> | undefined;
  let isClosed = false;
  const serve = (socket: Socket) => {
    loading ??= import('./load.ts').then(({ createGrpc }) => createGrpc(context));
    loading.then(
      (transport) => {
        silent.delete(socket);
        if (socket.destroyed) return;
        socket.setTimeout(0);
        socket.removeAllListeners('timeout');
        transport.inject(socket);
        if (isClosed) transport.close();
      },
      (error: unknown) => {
        log.error('gRPC cannot be loaded', { error: String(error) });
        socket.destroy();
      },
    );
  };
  const server: Server = createServer({ noDelay: true }, (socket) => {
    silent.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => silent.delete(socket));
    socket.setTimeout(firstByteMs, () => socket.destroy());
    socket.once('readable', () => serve(socket));
  });
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, 4096, () => {
      server.off('error', reject);
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((done) => {
            isClosed = true;
            server.close(() => done());
            for (const socket of silent) socket.destroy();
            void loading?.then((transport) => {
              transport.close();
              // A client that keeps an RPC open without end must not keep the pod.
              setTimeout(() => transport.destroy(), forcedCloseMs).unref();
            });
          }),
      });
    });
  });
};
