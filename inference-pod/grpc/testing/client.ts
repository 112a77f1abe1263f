/** A gRPC client for tests: grpc-js as transport, protobufjs for the messages. */
import * as grpc from '@grpc/grpc-js';
import { decode, encode } from '../../../protocol/grpc/testing/peer.ts';

const bytes = (value: Buffer) => value;
const service = '/inference.GRPCInferenceService';

export interface Answer {
  readonly code: number;
  readonly details: string;
  /** Trailers, or the error's metadata. */
  readonly metadata: grpc.Metadata;
  /** Initial metadata. */
  readonly headers: grpc.Metadata;
  readonly message: Record<string, unknown>;
}

export interface GrpcClient {
  readonly client: grpc.Client;
  /** Calls a method of the inference service; never rejects. */
  call(
    method: string,
    request: object | Buffer,
    options?: grpc.CallOptions,
    metadata?: grpc.Metadata,
  ): Promise<Answer>;
  /** Opens ModelStreamInfer. */
  stream(metadata?: grpc.Metadata): grpc.ClientDuplexStream<Buffer, Buffer>;
  close(): void;
}

/** Connects to a port of this machine. */
export const connectGrpc = (port: number, options: grpc.ClientOptions = {}): GrpcClient => {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
    ...options,
  });
  return {
    client,
    call: (method, request, callOptions = {}, metadata = new grpc.Metadata()) =>
      new Promise((resolve) => {
        let headers = new grpc.Metadata();
        const message = Buffer.isBuffer(request) ? request : encode(`${method}Request`, request);
        const call = client.makeUnaryRequest(
          `${service}/${method}`,
          bytes,
          bytes,
          message,
          metadata,
          callOptions,
          (error, answer) =>
            resolve({
              code: error?.code ?? 0,
              details: error?.details ?? '',
              metadata: error?.metadata ?? new grpc.Metadata(),
              headers,
              message: answer === undefined ? {} : decode(`${method}Response`, answer),
            }),
        );
        call.on('metadata', (received: grpc.Metadata) => {
          headers = received;
        });
      }),
    stream: (metadata = new grpc.Metadata()) =>
      client.makeBidiStreamRequest(`${service}/ModelStreamInfer`, bytes, bytes, metadata),
    close: () => client.close(),
  };
};
