/** A pod's gRPC port that tests can hold: bare HTTP/2, whose streams a test answers as it likes. */
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { PodAddress } from '../balance/address.ts';

export interface GotRpc {
  readonly headers: IncomingHttpHeaders;
  readonly stream: ServerHttp2Stream;
  /** Whole, once the client has ended. */
  body: Buffer;
}

export interface StubGrpcPod {
  readonly address: PodAddress;
  readonly got: GotRpc[];
  /** Ends every connection at once. */
  reset(): void;
  close(): Promise<void>;
}

/** One message as gRPC frames it. */
export const framed = (text: string): Buffer => {
  const message = Buffer.from(text);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
};

/** Answers well, with one message. */
export const answerWell = (
  { stream }: GotRpc,
  text = 'fine',
  trailers: Record<string, string> = {},
): void => {
  if (stream.destroyed) return;
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'x-mine': 'yes' },
    { waitForTrailers: true },
  );
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', ...trailers }));
  stream.end(framed(text));
};

/** `began` is called when a stream begins, `whole` when its client has ended. */
export async function startStubGrpcPod(
  whole: (rpc: GotRpc) => void = (rpc) => answerWell(rpc),
  began: (stream: ServerHttp2Stream) => void = () => undefined,
): Promise<StubGrpcPod> {
  const got: GotRpc[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const rpc: GotRpc = { headers, stream, body: Buffer.alloc(0) };
    began(stream);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      rpc.body = Buffer.concat(chunks);
      got.push(rpc);
      // On a busy machine the gateway may have given it up meanwhile.
      if (!stream.destroyed) whole(rpc);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const at = { host: '127.0.0.1', port };
  return {
    address: {
      key: `127.0.0.1:${port}`,
      name: `grpc-${port}`,
      http: at,
      grpc: at,
      ops: undefined,
      ready: true,
    },
    got,
    reset: () => {
      for (const session of sessions) session.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.destroy();
      }),
  };
}
