/** grpc.health.v1: what load balancers and kubelets ask. */
import { ProtocolError } from '../../protocol/errors.ts';
import {
  readHealthRequest,
  type ServingStatus,
  servingStatus,
  writeHealthResponse,
} from '../../protocol/grpc/health.ts';
import { codes } from '../../protocol/grpc/status.ts';
import type { GrpcContext } from './context.ts';
import { framePrefixBytes as room } from './transport/frames.ts';
import { unary } from './transport/methods.ts';
import type { Method } from './transport/rpc.ts';

/** How often a watched state is looked at. */
const lookEveryMs = 250;

const statusOf = (context: GrpcContext, service: string): ServingStatus => {
  if (!['', 'inference.GRPCInferenceService', context.modelName].includes(service))
    return servingStatus.serviceUnknown;
  return context.isReady() ? servingStatus.serving : servingStatus.notServing;
};

/** `Check`: NOT_FOUND for a service that is not known. */
export const healthCheck = (context: GrpcContext): Method =>
  unary((bytes) => {
    const service = readHealthRequest(bytes);
    const status = statusOf(context, service);
    if (status === servingStatus.serviceUnknown)
      throw new ProtocolError(404, `unknown service '${service.slice(0, 100)}'`);
    return writeHealthResponse(status, room);
  });

/** `Watch`: the state now and each time it changes, until the client has enough or the pod ends. */
export const healthWatch = (context: GrpcContext): Method => ({
  maxBytes: 65_536,
  open: (rpc) => {
    let timer: NodeJS.Timeout | undefined;
    let last: ServingStatus | undefined;
    const stop = () => clearInterval(timer);
    rpc.stream.once('close', stop);
    return {
      message: (bytes) => {
        if (timer !== undefined) throw new ProtocolError(400, 'more than one message came');
        const service = readHealthRequest(bytes);
        const look = () => {
          const status = statusOf(context, service);
          if (status !== last) rpc.send(writeHealthResponse(status, room));
          last = status;
        };
        look();
        timer = setInterval(look, lookEveryMs).unref();
      },
      ended: () => {
        if (timer === undefined) throw new ProtocolError(400, 'no message came');
      },
      cancelled: stop,
      closing: () => {
        stop();
        if (last !== servingStatus.notServing) rpc.send(writeHealthResponse(servingStatus.notServing, room));
        rpc.end({ code: codes.unavailable, message: 'the server is shutting down' });
      },
    };
  },
});
