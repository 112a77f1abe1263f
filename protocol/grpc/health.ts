/** Messages of grpc.health.v1. */
import { WireReader, wire } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;
export type ServingStatus = (typeof servingStatus)[keyof typeof servingStatus];

/** The service that is asked for; empty for the server as a whole. */
export const readHealthRequest = (bytes: Buffer): string => {
  const reader = new WireReader(bytes);
  let service = '';
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(wire.bytes);
      service = reader.text();
    } else reader.skip();
  }
  return service;
};

/** HealthCheckResponse. */
export const writeHealthResponse = (status: ServingStatus, room: number): Buffer =>
  new WireWriter(room, 16).uint(1, status).finish();
