/** One model behind its port: queue, pods, listener. */
import type { PodTransports } from './balance/pod.ts';
import { GrpcSession } from './grpc/session.ts';
import type { ExchangeContext } from './http/exchange.ts';
import { HttpPool } from './http/pool.ts';
import { ModelPort, type PortLimits } from './http/port.ts';
import type { ModelGate } from './model-gate.ts';

/** Connections as the network gives them. */
export const networkTransports: PodTransports = {
  http: (address) => new HttpPool(address),
  grpc: (address) => new GrpcSession(address),
};

/** The port of one model, with what its exchanges share. */
export const portOf = (gate: ModelGate, limits: PortLimits, isClosing: () => boolean): ModelPort => {
  const context: ExchangeContext = { gate, isClosing };
  return new ModelPort(context, limits);
};
