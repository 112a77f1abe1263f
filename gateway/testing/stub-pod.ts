/** A pod that tests can hold: counts what it gets and answers when it is told, or after a time. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { PodAddress } from '../balance/address.ts';

export interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface StubPod {
  readonly address: PodAddress;
  readonly got: Got[];
  /** Requests that it has in hand. */
  readonly inHand: () => number;
  /** The most that it ever had in hand. */
  readonly most: () => number;
  /** Answers the oldest request in hand. */
  release(status?: number): void;
  /** Ends every connection at once. */
  reset(): void;
  close(): Promise<void>;
}

/** `answer` is called for every whole request; default: 200 at once. 'hold' keeps it until `release`. */
export async function startStubPod(
  answer: 'hold' | ((got: Got, response: ServerResponse) => void) = (_got, response) =>
    void response.end('{"ok":true}'),
  name = 'stub',
): Promise<StubPod> {
  const got: Got[] = [];
  const held: ServerResponse[] = [];
  const sockets = new Set<Socket>();
  let inHand = 0;
  let most = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      inHand += 1;
      most = Math.max(most, inHand);
      // In hand until it answers, or its client leaves.
      let isInHand = true;
      const leave = () => {
        if (isInHand) inHand -= 1;
        isInHand = false;
        const index = held.indexOf(response);
        if (index >= 0) held.splice(index, 1);
      };
      response.once('close', leave);
      response.once('prefinish', leave);
      const { method = '', url = '', headers, rawHeaders } = request;
      const whole = { method, url, headers, rawHeaders, body: Buffer.concat(chunks) };
      got.push(whole);
      if (answer === 'hold') held.push(response);
      else answer(whole, response);
    });
    request.on('error', () => undefined);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: {
      key: `127.0.0.1:${port}`,
      name,
      http: { host: '127.0.0.1', port },
      grpc: undefined,
      ops: undefined,
      ready: true,
    },
    got,
    inHand: () => inHand,
    most: () => most,
    release: (status = 200) => {
      const response = held.shift();
      if (response === undefined) throw new Error('nothing is held');
      response.writeHead(status).end('{"held":true}');
    },
    reset: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
