/** The operator's ops port outlives whatever is asked of it. */
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { ProbedPort } from '../../kube/probed-port.ts';
import { startOpsServer } from './ops-server.ts';

let server: ProbedPort | undefined;
afterEach(() => server?.close());

/** The status of a request as it is written. */
const raw = (port: number, target: string) =>
  new Promise<string>((resolve) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    );
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString();
    });
    socket.on('close', () => resolve(got.slice(9, 12)));
  });

test.each(['//', '//[', 'http://[', '*'])('answers %s with 404', async (target) => {
  server = await startOpsServer({ host: '127.0.0.1', port: 0, unready: () => [], metrics: async () => '' });
  expect(await raw(server.port, target)).toBe('404');
  expect(await raw(server.port, '/livez')).toBe('200');
});
