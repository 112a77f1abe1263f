/** All of gRPC in one module, which the listener loads with its first client. */
import type { GrpcContext } from './context.ts';
import { createMethods } from './methods.ts';
import { createTransport, type Transport } from './transport/server.ts';

/** Makes the server of the pod's RPCs. */
export const createGrpc = (context: GrpcContext): Transport =>
  createTransport({ methods: createMethods(context), largestAnswerBytes: context.maxBodyBytes });
