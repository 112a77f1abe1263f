/** Ports that are probed: room for the kubelet, whoever holds connections, and no question that ends the process. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { keepRoom, targetOf } from './probed-port.ts';

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
};

test('connections that ask nothing give way, the oldest first; one with a question under way does not', async () => {
  let answer: (() => void) | undefined;
  const server = createServer((request, response) => {
    if (request.url === '/slow') answer = () => response.end('slow');
    else response.end('ok');
  });
  keepRoom(server, 4);
  const port = await listen(server);
  const open = () =>
    new Promise<Socket>((resolve) => {
      const socket: Socket = connect(port, '127.0.0.1', () => resolve(socket));
      socket.on('error', () => undefined);
      ends.push(() => socket.destroy());
    });
  const slow = await open();
  let got = '';
  slow.on('data', (chunk: Buffer) => {
    got += chunk.toString();
  });
  slow.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
  const closed: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    const socket = await open();
    socket.on('close', () => closed.push(i));
    socket.resume();
  }
  const response = await fetch(`http://127.0.0.1:${port}/livez`);
  expect(await response.text()).toBe('ok');
  answer?.();
  while (!got.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(closed.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test.each([
  ['/load?sinceMs=5', '/load'],
  [undefined, '/'],
  ['http://other/metrics', '/metrics'],
  ['//', undefined],
  ['//[', undefined],
  ['http://[', undefined],
  ['*', '/*'],
])('the target %s is the path %s', (url, path) => {
  expect(targetOf(url)?.pathname).toBe(path);
});
