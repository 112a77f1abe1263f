/** Node's own parser, as far as pod and gateway reach into it: these fail where a version of Node changes what it relies on. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { endsAfterEach } from '../test/ends.ts';
import { until } from '../test/until.ts';
import { dropBodies, stopParsing } from './node-parser.ts';

const { ends } = endsAfterEach();

const listening = async (onRequest: (request: IncomingMessage) => void): Promise<Server> => {
  const server = createServer((request) => onRequest(request));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => void server.close());
  ends.push(() => server.closeAllConnections());
  return server;
};
const sending = (server: Server, text: string) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(text));
  socket.on('error', () => undefined);
  ends.push(() => socket.destroy());
};
const head = 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
const crumbs = `${head}${'1\r\nx\r\n'.repeat(5_000)}0\r\n\r\n`;

test('pieces of a dropped body are not told of, though they come in one read, and the parser then serves others', async () => {
  let dropped = 0;
  let isEnded = false;
  let isClosed = false;
  const server = await listening((request) => {
    request.push = (piece) => {
      if (piece === null) isEnded = true;
      else dropped += 1;
      if (dropped === 10) dropBodies(request.socket);
      return true;
    };
    request.socket.on('close', () => {
      isClosed = true;
    });
  });
  const parsers = new Set<unknown>();
  server.on('connection', (socket) =>
    setImmediate(() => parsers.add((socket as { parser?: unknown }).parser)),
  );
  sending(server, crumbs);
  await until('the body has ended', () => isEnded);
  expect(dropped).toBe(10);
  server.closeAllConnections();
  await until('it is closed', () => isClosed);

  server.removeAllListeners('request');
  let bytes = 0;
  let isWhole = false;
  server.on('request', (request: IncomingMessage) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      isWhole = true;
    });
  });
  sending(server, crumbs);
  await until('the next body is there', () => isWhole);
  expect(bytes).toBe(5_000);
  // It is the same parser that has served both.
  expect(parsers.size).toBe(1);
});

test('requests behind the one at which parsing was stopped are not read', async () => {
  let requests = 0;
  let isClosed = false;
  const server = await listening((request) => {
    requests += 1;
    request.socket.on('close', () => {
      isClosed = true;
    });
    stopParsing(request.socket);
    request.socket.destroy();
  });
  sending(server, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(400));
  await until('it is closed', () => isClosed);
  expect(requests).toBe(1);
});
