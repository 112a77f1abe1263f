/** A pod's gRPC port that answers with frames as a test writes them: what Node's own HTTP/2 would not send. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { PodAddress } from '../balance/address.ts';

export const frame = (
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};

/** Headers as HPACK without its tables, names and values of fewer than 127 bytes. */
export const headerBlock = (...pairs: (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(
    pairs.flatMap(([name, value]) => [
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]),
  );

export const types = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, window: 8 } as const;
export const endStream = 1;
export const endHeaders = 4;

export interface RawGrpcPod {
  readonly address: PodAddress;
  close(): Promise<void>;
}

/** `asked` is called with each stream whose headers came whole. */
export async function startRawGrpcPod(
  asked: (socket: Socket, stream: number) => void,
  accepted: (socket: Socket) => void = (socket) => void socket.write(frame(types.settings, 0, 0)),
): Promise<RawGrpcPod> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    accepted(socket);
    // The preface comes first.
    let seen: Buffer = Buffer.alloc(0);
    let isPrefaced = false;
    socket.on('data', (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      if (!isPrefaced && seen.length >= 24) {
        isPrefaced = true;
        seen = seen.subarray(24);
      }
      while (isPrefaced && seen.length >= 9) {
        const length = seen.readUIntBE(0, 3);
        if (seen.length < 9 + length) return;
        const type = seen[3];
        const stream = seen.readUInt32BE(5);
        seen = seen.subarray(9 + length);
        if (type === types.headers) asked(socket, stream);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const at = { host: '127.0.0.1', port };
  return {
    address: { key: `raw:${port}`, name: `raw-${port}`, http: at, grpc: at, ops: undefined, ready: true },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
