/** Pods that misbehave behind a gateway, one function each, and what their callers may see of it. */
import { createServer as createHttp2, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Socket } from 'node:net';
import type { PodAddress } from '../../../gateway/balance/address.ts';

/** In no answer that a caller gets. */
export const poison = 'POISON';

export interface HostilePod {
  readonly name: string;
  /** Statuses that callers may get; 0: the answer broke off. */
  readonly allowed: readonly number[];
  /** Over gRPC, by its codes: 14 unavailable, 4 too late. */
  readonly isGrpc?: boolean;
  /** Callers do not read their answers. */
  readonly isUnread?: boolean;
  /** What it does with a connection; `answer` is called for each request that has come whole. */
  readonly http?: (socket: Socket, onRequest: (answer: () => void) => void) => void;
  readonly grpc?: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void;
  readonly settings?: Parameters<typeof createHttp2>[0];
}

const ok = (body: string, headers = '') =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`;
const poisoned = ok(poison);
const says =
  (text: string, then: (socket: Socket) => void = () => undefined): NonNullable<HostilePod['http']> =>
  (socket, onRequest) =>
    onRequest(() => {
      socket.write(text);
      then(socket);
    });
/** Writes the same piece as often as it is taken. */
const endless = (socket: Socket, piece: string | Buffer) => {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
};

export const hostilePods: readonly HostilePod[] = [
  { name: 'never answers', allowed: [504], http: () => undefined },
  { name: 'closes before it is asked', allowed: [502, 504], http: (socket) => socket.end() },
  {
    name: 'resets when it is asked',
    allowed: [502, 504],
    http: says('', (socket) => socket.resetAndDestroy()),
  },
  {
    name: 'resets in the middle of the body',
    allowed: [0, 504],
    http: says('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', (socket) =>
      setTimeout(() => socket.resetAndDestroy(), 2),
    ),
  },
  {
    name: 'ends before content-length',
    allowed: [0, 504],
    http: says('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', (socket) => socket.end()),
  },
  {
    name: 'ends in the middle of a chunk',
    allowed: [0, 504],
    http: says('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nhalf', (socket) => socket.end()),
  },
  { name: 'answers twice', allowed: [200, 502, 504], http: says(ok('own') + poisoned) },
  {
    name: 'answers a second time a little later',
    allowed: [200, 502, 504],
    // No poison: bytes that come when the next request has been sent are its answer, to any client of HTTP/1.1.
    http: says(ok('own'), (socket) => setTimeout(() => socket.write(ok('own')), 1)),
  },
  {
    name: 'answers before it is asked',
    allowed: [200, 502, 504],
    http: (socket) => void socket.write(ok('own')),
  },
  {
    name: 'answers to the head, before the body',
    allowed: [200, 502, 504],
    http: (socket) => socket.once('data', () => socket.write(ok('own'))),
  },
  {
    name: '204 with a body',
    allowed: [204, 502, 504],
    http: says(`HTTP/1.1 204 No Content\r\n\r\n${poisoned}`),
  },
  {
    name: '304 with a body',
    allowed: [304, 502, 504],
    http: says(`HTTP/1.1 304 Not Modified\r\n\r\n${poisoned}`),
  },
  { name: '101', allowed: [502, 504], http: says('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n') },
  {
    name: '1xx without end',
    allowed: [502, 504],
    http: (socket, onRequest) =>
      onRequest(() => endless(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))),
  },
  {
    name: 'headers without end',
    allowed: [502, 504],
    http: (socket, onRequest) =>
      onRequest(() => {
        socket.write('HTTP/1.1 200 OK\r\n');
        endless(socket, `x-y: ${'z'.repeat(1000)}\r\n`);
      }),
  },
  {
    name: 'a header line without end, a byte at a time',
    allowed: [504],
    http: (socket, onRequest) =>
      onRequest(() => {
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        const timer = setInterval(() => socket.write('y'), 5);
        socket.on('close', () => clearInterval(timer));
      }),
  },
  {
    name: 'a chunk extension without end',
    allowed: [0, 502, 504],
    http: (socket, onRequest) =>
      onRequest(() => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;');
        endless(socket, 'a'.repeat(10_000));
      }),
  },
  {
    name: 'trailers without end',
    allowed: [0, 502, 504],
    http: (socket, onRequest) =>
      onRequest(() => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nown\r\n0\r\n');
        endless(socket, `x: ${'y'.repeat(10_000)}\r\n`);
      }),
  },
  {
    name: 'a body of single-byte chunks without end',
    allowed: [0, 200, 504],
    http: (socket, onRequest) =>
      onRequest(() => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        endless(socket, '1\r\nx\r\n'.repeat(2000));
      }),
  },
  {
    name: 'a body without end, read',
    allowed: [0, 200, 504],
    http: (socket, onRequest) =>
      onRequest(() => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        endless(socket, Buffer.alloc(65_536, 0x20));
      }),
  },
  {
    name: 'a body without end, not read',
    allowed: [0, 200, 504],
    isUnread: true,
    http: (socket, onRequest) =>
      onRequest(() => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        endless(socket, Buffer.alloc(65_536, 0x20));
      }),
  },
  {
    name: 'length and chunks',
    allowed: [502, 504],
    http: says('HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
  },
  {
    name: 'two lengths',
    allowed: [502, 504],
    http: says(`HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 0\r\n\r\nown`),
  },
  {
    name: 'a folded header',
    allowed: [502, 504],
    http: says('HTTP/1.1 200 OK\r\nx: y\r\n transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nown'),
  },
  {
    name: 'bare line feeds',
    allowed: [502, 504],
    http: says('HTTP/1.1 200 OK\ncontent-length: 3\n\nown', (socket) => socket.end()),
  },
  { name: 'HTTP/2 on its HTTP/1.1 port', allowed: [502, 504], http: says('\0\0\0\x04\0\0\0\0\0') },
  {
    name: 'gRPC: goes away at once',
    allowed: [4, 14],
    isGrpc: true,
    grpc: (_stream, session) => session.goaway(),
  },
  {
    name: 'gRPC: ends the connection',
    allowed: [4, 14],
    isGrpc: true,
    grpc: (_stream, session) => session.destroy(),
  },
  { name: 'gRPC: refuses every stream', allowed: [4, 14], isGrpc: true, grpc: (stream) => stream.close(7) },
  { name: 'gRPC: resets every stream', allowed: [4, 14], isGrpc: true, grpc: (stream) => stream.close(2) },
  { name: 'gRPC: never answers', allowed: [4], isGrpc: true, grpc: () => undefined },
  {
    name: 'gRPC: no streams at a time',
    allowed: [4],
    isGrpc: true,
    settings: { settings: { maxConcurrentStreams: 0 } },
    grpc: () => undefined,
  },
  {
    name: 'gRPC: takes no byte',
    allowed: [4],
    isGrpc: true,
    settings: { settings: { initialWindowSize: 0 } },
    grpc: () => undefined,
  },
  {
    name: 'gRPC: an answer without trailers',
    allowed: [2, 4, 13, 14],
    isGrpc: true,
    grpc: (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    },
  },
  {
    name: 'gRPC: a body without end',
    allowed: [1, 4, 8, 13, 14],
    isGrpc: true,
    grpc: (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      const piece = Buffer.alloc(65_536);
      const more = () => {
        while (!stream.destroyed && stream.write(piece));
      };
      stream.on('drain', more);
      more();
    },
  },
  {
    name: 'gRPC: 1xx again and again',
    allowed: [4, 14],
    isGrpc: true,
    grpc: (stream) => {
      for (let i = 0; i < 1000 && !stream.destroyed; i += 1) stream.additionalHeaders({ ':status': 102 });
    },
  },
];

export interface RunningPod {
  readonly address: PodAddress;
  close(): void;
}

/** Starts one; `turn` makes its name new, so that nothing is held against it from before. */
export const startHostilePod = async (pod: HostilePod, turn: number): Promise<RunningPod> => {
  const sockets = new Set<Socket>();
  const server =
    pod.grpc === undefined
      ? createServer((socket) => {
          const requests: (() => void)[] = [];
          let text = '';
          pod.http?.(socket, (answer) => requests.push(answer));
          socket.on('data', (chunk: Buffer) => {
            text += chunk.toString('latin1');
            const end = text.indexOf('\r\n\r\n');
            const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
            if (end < 0 || text.length < end + 4 + length) return;
            text = '';
            for (const answer of requests) answer();
          });
        })
      : createHttp2(pod.settings ?? {}, () => undefined);
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => undefined));
  if (pod.grpc !== undefined)
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      stream.resume();
      const { session } = stream;
      if (session !== undefined) pod.grpc?.(stream, session as ServerHttp2Session);
    });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = { host: '127.0.0.1', port: (server.address() as { port: number }).port };
  const name = `hostile-${turn}`;
  return {
    address: { key: name, name, http: at, grpc: at, ops: undefined, ready: true },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};
