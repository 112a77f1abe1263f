/** The protocol's messages by another implementation: protobufjs, from the .proto file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const scope = new protobuf.Root();
protobuf.parse(readFileSync(join(import.meta.dirname, '../inference.proto'), 'utf8'), scope, {
  keepCase: true,
});

/** Encodes a message of package `inference`. */
export const encode = (name: string, message: object): Buffer => {
  const type = scope.lookupType(`inference.${name}`);
  return Buffer.from(type.encode(type.fromObject(message)).finish());
};

/** Decodes one, 64-bit integers as text. */
export const decode = (name: string, bytes: Uint8Array): Record<string, unknown> => {
  const type = scope.lookupType(`inference.${name}`);
  return type.toObject(type.decode(bytes), { longs: String, defaults: false, enums: String });
};
