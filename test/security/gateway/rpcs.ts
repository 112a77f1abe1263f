/** What bad clients do over HTTP/2: rapid resets, streams without end, floods of small frames. */
import { connect as connectHttp2, constants } from 'node:http2';
import { frame, headerBlock } from '../../../gateway/testing/raw-grpc-pod.ts';
import type { Attack, Statuses } from '../clients.ts';
import { count, slow } from '../clients.ts';
import { pause, type Target } from '../ground.ts';

const path = '/inference.GRPCInferenceService/';
const headers = (method: string) => ({
  ':method': 'POST',
  ':path': `${path}${method}`,
  'content-type': 'application/grpc',
  te: 'trailers',
});

/** Sessions that a function uses until the time is over; counts how many of them broke (0). */
const sessions =
  (connections: number, use: (session: ReturnType<typeof connectHttp2>) => boolean | undefined) =>
  async (target: Target, forMs: number): Promise<Statuses> => {
    const statuses: Statuses = {};
    const endMs = performance.now() + forMs;
    const open = Array.from({ length: connections }, () => {
      const session = connectHttp2(`http://127.0.0.1:${target.http}`);
      session.on('error', () => undefined);
      session.on('close', () => count(statuses, 0));
      return session;
    });
    while (performance.now() < endMs) {
      for (const session of open) if (!session.destroyed && !session.closed) use(session);
      await pause(2);
    }
    for (const session of open) session.destroy();
    await pause(50);
    return statuses;
  };

const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]);
const block = (method: string) =>
  headerBlock(
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'x'],
    [':path', `${path}${method}`],
    ['content-type', 'application/grpc'],
  );

/** Raw frames on some connections, as fast as they are taken. */
const frames =
  (connections: number, first: Buffer, piece: (turn: number) => Buffer) =>
  async (target: Target, forMs: number): Promise<Statuses> => {
    const statuses: Statuses = {};
    const endMs = performance.now() + forMs;
    const open = Array.from({ length: connections }, () => {
      const socket = target.open();
      socket.on('connect', () => socket.write(Buffer.concat([preface, first])));
      socket.on('close', () => count(statuses, 0));
      socket.resume();
      return socket;
    });
    for (let turn = 0; performance.now() < endMs; turn += 1) {
      for (const socket of open)
        if (socket.writable && !socket.connecting && socket.writableLength < 1e6) socket.write(piece(turn));
      await pause(1);
    }
    for (const socket of open) socket.destroy();
    await pause(50);
    return statuses;
  };

const many = (count: number, one: (i: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => one(i)));

/** Attacks over HTTP/2. A closed connection (0) is a right answer to all of them. */
export const rpcAttacks: readonly Attack[] = [
  {
    name: 'gRPC: rapid reset, 8 connections',
    allowed: [0],
    run: frames(8, Buffer.alloc(0), (turn) =>
      many(100, (i) => {
        const id = (turn * 100 + i) * 2 + 1;
        return Buffer.concat([
          frame(1, 4, id, block('ModelInfer')),
          frame(3, 0, id, Buffer.from([0, 0, 0, 8])),
        ]);
      }),
    ),
  },
  {
    name: 'gRPC: whole requests, reset at once, 8 connections',
    allowed: [0],
    run: sessions(8, (session) => {
      for (let i = 0; i < 20; i += 1) {
        const stream = session.request(headers('ModelInfer'));
        stream.on('error', () => undefined);
        stream.end(Buffer.from([0, 0, 0, 0, 0]));
        stream.close(constants.NGHTTP2_CANCEL);
      }
      return true;
    }),
  },
  {
    name: 'gRPC: 4,000 RPCs whose messages never end',
    allowed: [0],
    run: async (target, forMs) => {
      const open = Array.from({ length: 8 }, () => connectHttp2(`http://127.0.0.1:${target.http}`));
      for (const session of open) {
        session.on('error', () => undefined);
        for (let i = 0; i < 500; i += 1) {
          const stream = session.request(headers('ModelInfer'));
          stream.on('error', () => undefined);
          stream.write(Buffer.concat([Buffer.from([0, 0, 15, 255, 255]), Buffer.alloc(1_000)]));
        }
      }
      await pause(forMs);
      for (const session of open) session.destroy();
      return { 0: 8 };
    },
  },
  {
    name: 'gRPC: 1,000 streams that never end',
    allowed: [0],
    run: async (target, forMs) => {
      const open = Array.from({ length: 4 }, () => connectHttp2(`http://127.0.0.1:${target.http}`));
      for (const session of open) {
        session.on('error', () => undefined);
        for (let i = 0; i < 250; i += 1) {
          const stream = session.request(headers('ModelStreamInfer'));
          stream.on('error', () => undefined);
          stream.resume();
        }
      }
      await pause(forMs);
      for (const session of open) session.destroy();
      return { 0: 4 };
    },
  },
  {
    name: 'gRPC: headers that never end (CONTINUATION)',
    allowed: [0],
    run: frames(8, frame(1, 0, 1, block('ModelInfer')), () =>
      many(10, () =>
        frame(
          9,
          0,
          1,
          many(100, (i) => headerBlock([`x-${i}`, 'y'.repeat(100)])),
        ),
      ),
    ),
  },
  {
    name: 'gRPC: 9,000 connections that ask nothing',
    allowed: [0],
    run: slow(9000, preface.toString('latin1'), ''),
  },
  {
    name: 'gRPC: a flood of SETTINGS',
    allowed: [0],
    run: frames(8, Buffer.alloc(0), () => many(200, () => frame(4, 0, 0))),
  },
  {
    name: 'gRPC: a flood of PING',
    allowed: [0],
    run: frames(8, Buffer.alloc(0), () => many(200, () => frame(6, 0, 0, Buffer.alloc(8)))),
  },
  {
    name: 'gRPC: a flood of empty DATA',
    allowed: [0],
    run: frames(8, frame(1, 4, 1, block('ModelInfer')), () => many(500, () => frame(0, 0, 1))),
  },
  {
    name: 'gRPC: a flood of PRIORITY and WINDOW_UPDATE',
    allowed: [0],
    run: frames(8, frame(1, 4, 1, block('ModelInfer')), () =>
      many(200, (i) =>
        i % 2 === 0
          ? frame(2, 0, 3 + 2 * i, Buffer.from([0, 0, 0, 0, 1]))
          : frame(8, 0, 0, Buffer.from([0, 0, 0, 1])),
      ),
    ),
  },
  {
    name: 'gRPC: requests without DATA window: answers cannot be sent',
    allowed: [0],
    run: async (target, forMs) => {
      const open = Array.from({ length: 8 }, () =>
        connectHttp2(`http://127.0.0.1:${target.http}`, { settings: { initialWindowSize: 0 } }),
      );
      for (const session of open) {
        session.on('error', () => undefined);
        for (let i = 0; i < 100; i += 1) {
          const stream = session.request(headers('ServerMetadata'));
          stream.on('error', () => undefined);
          stream.end(Buffer.from([0, 0, 0, 0, 0]));
        }
      }
      await pause(forMs);
      for (const session of open) session.destroy();
      return { 0: 8 };
    },
  },
];
