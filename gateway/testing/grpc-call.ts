/** Questions over gRPC from a client that is bare HTTP/2, and pieces of answers as a test writes them. */
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { endHeaders, frame, headerBlock, types } from './raw-grpc-pod.ts';
import { framed } from './stub-grpc-pod.ts';

export const question: OutgoingHttpHeaders = {
  ':method': 'POST',
  ':path': '/inference.GRPCInferenceService/ModelInfer',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** Connects to gateways' ports; `ends` is told how each connection ends. */
export const sessionsIn =
  (ends: (() => unknown)[]) =>
  (port: number): ClientHttp2Session => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    ends.push(() => session.destroy());
    return session;
  };

export interface End {
  /** `grpc-status`, from the head or the trailers; undefined when the stream was reset. */
  readonly status: string | undefined;
  readonly body: string;
  readonly reset: number;
}

/** Asks one question and waits for its end. */
export const call = (session: ClientHttp2Session, more: OutgoingHttpHeaders = {}): Promise<End> =>
  new Promise((resolve) => {
    const stream = session.request({ ...question, ...more });
    let status: unknown;
    let body = '';
    const look = (headers: IncomingHttpHeaders) => {
      status ??= headers['grpc-status'];
    };
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({ status: status as string | undefined, body, reset: stream.rstCode ?? 0 }),
    );
    stream.end(framed('q'));
  });

/** A whole HEADERS frame. */
export const head = (stream: number, flags: number, ...pairs: [string, string][]): Buffer =>
  frame(types.headers, endHeaders | flags, stream, headerBlock(...pairs));
export const good: [string, string][] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];
/** One message as it goes over the wire, latin1, and its DATA frame. */
export const message = framed('own').toString('latin1');
export const data = (stream: number, text = message): Buffer =>
  frame(types.data, 0, stream, Buffer.from(text, 'latin1'));
