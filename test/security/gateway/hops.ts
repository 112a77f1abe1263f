/** What bad clients do to a hop in particular: requests read in two ways, protocols that change, bodies without end. */
import { connect } from 'node:net';
import { type Attack, count, once, repeat, type Statuses, slow } from '../clients.ts';
import { pause, type Target } from '../ground.ts';

const infer = 'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\n';
const hidden = 'GET /v2/models/hidden HTTP/1.1\r\nhost: x\r\n\r\n';
const good = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';

/** Heads and bodies that two servers may read differently. */
export const ambiguous: readonly string[] = [
  `${infer}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}content-length: 0\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`,
  `${infer}content-length: 0, ${hidden.length}\r\n\r\n${hidden}`,
  `${infer}content-length: +0\r\n\r\n${hidden}`,
  `${infer}content-length: 0x0\r\n\r\n${hidden}`,
  `${infer}content-length: -1\r\n\r\n${hidden}`,
  `${infer}content-length: 99999999999999999999\r\n\r\n${hidden}`,
  `${infer}content-length : 0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding: identity, chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding:\n chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}x: y\r\n transfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}x: y\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}x: y\rtransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\n\r\n0\n\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\n\r\n0;a=\r\rb\r\n\r\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\n\r\n-1\r\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\n\r\n1 1\r\n${hidden}`,
  `${infer}transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 5\r\nx\r\n\r\n${hidden}`,
  `POST /v2/models/m/infer HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  `POST /v2/models/m/infer  HTTP/1.1\r\nhost: x\r\n\r\n${hidden}`,
  `POST /v2/models/m/infer\tHTTP/1.1\r\nhost: x\r\n\r\n${hidden}`,
  `POST\t/v2/models/m/infer HTTP/1.1\r\nhost: x\r\n\r\n${hidden}`,
  `${infer}host: y\r\n\r\n${hidden}`,
  `${infer}: no name\r\n\r\n${hidden}`,
  `${infer}no colon\r\n\r\n${hidden}`,
  `${infer}x\0: y\r\n\r\n${hidden}`,
  `POST /v2/models/m/infer HTTP/1.1\r\n host: x\r\n\r\n${hidden}`,
];

/** Says 100 MB and sends it; the answer, or 0. */
const large = (
  target: Target,
  headers: string,
  framed: (piece: Buffer) => Buffer | string,
): Promise<number> =>
  new Promise((resolve) => {
    const socket = connect(target.http, '127.0.0.1', () => socket.write(`${infer}${headers}\r\n`));
    let got = '';
    let left = 100;
    const piece = framed(Buffer.alloc(1_000_000, 0x20));
    const send = () => {
      while (left > 0 && !socket.destroyed) {
        left -= 1;
        if (!socket.write(piece)) return;
      }
    };
    const timer = setTimeout(() => socket.destroy(), 20_000);
    socket.on('connect', send);
    socket.on('drain', send);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (/^HTTP\/1\.1 [2-5]\d\d[^\n]*\n/.test(got)) setTimeout(() => socket.destroy(), 50);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1] ?? 0));
    });
  });

/** Connections that end their sending side at once and are left so. */
const halfClosed =
  (sockets: number, text: string) =>
  async (target: Target, forMs: number): Promise<Statuses> => {
    const statuses: Statuses = {};
    const open = Array.from({ length: sockets }, () => {
      const socket = connect({ port: target.http, host: '127.0.0.1', allowHalfOpen: true });
      let got = '';
      socket.on('error', () => undefined);
      socket.on('connect', () => socket.end(text));
      socket.on('data', (chunk: Buffer) => {
        got += chunk.toString('latin1');
      });
      socket.on('close', () => count(statuses, Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1] ?? 0)));
      return socket;
    });
    await pause(forMs);
    for (const socket of open) socket.destroy();
    await pause(50);
    return statuses;
  };

/** Attacks on a gateway's port over HTTP/1.1, beside those on any server. */
export const hopAttacks: readonly Attack[] = [
  {
    name: 'requests that two servers read differently',
    allowed: [400],
    run: repeat(ambiguous.length, (target, i) => once(target, ambiguous[i % ambiguous.length] ?? '')),
  },
  {
    name: '100 MB with a length, 8 at once',
    allowed: [0, 413, 429],
    run: repeat(8, (target) => large(target, 'content-length: 100000000\r\n', (piece) => piece)),
  },
  {
    name: '100 MB in chunks, 8 at once',
    allowed: [0, 413, 429],
    run: repeat(8, (target) =>
      large(
        target,
        'transfer-encoding: chunked\r\n',
        (piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`,
      ),
    ),
  },
  {
    name: '1,000 sockets with slow chunks',
    allowed: [0, 408, 429],
    run: slow(1000, `${infer}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
  },
  {
    name: '1,000 uploads of 2 MB that stop in the middle',
    allowed: [0, 408, 429],
    run: slow(1000, `${infer}content-length: 2000000\r\n\r\n${' '.repeat(10_000)}`, ''),
  },
  { name: '1,000 half-closed, nothing asked', allowed: [0], run: halfClosed(1000, '') },
  {
    name: '1,000 half-closed, with a request',
    allowed: [0, 200, 429],
    run: halfClosed(1000, `${infer}content-length: ${good.length}\r\n\r\n${good}`),
  },
  {
    name: '500 that say Expect and send nothing',
    allowed: [0, 100, 408, 429],
    run: slow(500, `${infer}content-length: 100000\r\nexpect: 100-continue\r\n\r\n`, ''),
  },
  {
    name: 'an Expect that is none',
    allowed: [200, 417],
    run: repeat(20, (target) =>
      once(target, `${infer}expect: 200-ok\r\ncontent-length: ${good.length}\r\n\r\n${good}`),
    ),
  },
  {
    name: 'upgrades: websocket, h2c, TLS',
    allowed: [200, 400],
    run: repeat(30, (target, i) =>
      once(
        target,
        `${infer}connection: upgrade${i % 3 === 1 ? ', http2-settings' : ''}\r\nupgrade: ${['websocket', 'h2c', 'TLS/1.0'][i % 3]}\r\n${i % 3 === 1 ? 'http2-settings: AAMAAABkAAQAAP__\r\n' : ''}content-length: ${good.length}\r\n\r\n${good}`,
      ),
    ),
  },
  {
    name: 'HTTP/1.0, kept alive or not, and 0.9',
    allowed: [0, 200, 400],
    run: repeat(30, (target, i) =>
      once(
        target,
        [
          `POST /v2/models/m/infer HTTP/1.0\r\ncontent-length: ${good.length}\r\n\r\n${good}`,
          `POST /v2/models/m/infer HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: ${good.length}\r\n\r\n${good}`,
          'GET /v2\r\n\r\n',
        ][i % 3] ?? '',
      ),
    ),
  },
  {
    name: 'headers that name others as their own: connection: host, content-length',
    allowed: [200, 400],
    run: repeat(20, (target, i) =>
      once(
        target,
        `${infer}connection: ${['host', 'content-length', 'transfer-encoding', 'x-forwarded-for', 'ballast-deadline-ms'][i % 5]}\r\ncontent-length: ${good.length}\r\n\r\n${good}`,
      ),
    ),
  },
  {
    name: 'absolute targets, asterisks, fragments, CONNECT, TRACE',
    allowed: [0, 200, 400, 404, 405],
    run: repeat(35, (target, i) =>
      once(
        target,
        `${['POST http://other:1/v2/models/m/infer', 'OPTIONS *', 'GET /v2#x', 'CONNECT x:1', 'TRACE /v2', 'GET http://[::1]:9999/v2', 'GET //x/v2'][i % 7]} HTTP/1.1\r\nhost: x\r\n${i % 7 === 0 ? `content-length: ${good.length}\r\n\r\n${good}` : '\r\n'}`,
      ),
    ),
  },
  {
    name: 'ops port: targets that are none',
    allowed: [400, 404],
    run: repeat(35, (target, i) =>
      once(
        target,
        `GET ${['//', '//[', 'http://[', '*', '/\\', '/%', 'http://'][i % 7]} HTTP/1.1\r\nhost: x\r\n\r\n`,
        target.ops,
      ),
    ),
  },
  { name: 'ops port: 1,000 connections that say nothing', allowed: [0], run: slow(1000, '', '', 'ops') },
  {
    name: '9,000 connections that say nothing',
    allowed: [0],
    run: slow(9000, '', ''),
  },
];
