/** Reads a request's body: bounded, as JSON, YAML or the protobuf of typed clients. */

import type { IncomingMessage } from 'node:http';
import { load } from 'js-yaml';
import { messageOf } from '../../../kube/log.ts';
import { decodeProtobuf } from '../protobuf/decode.ts';
import { badRequest, tooLarge, unsupportedMediaType } from '../status-error.ts';
import { duplicateKeys } from './duplicate-keys.ts';

export interface Body {
  readonly value: unknown;
  readonly mediaType: string;
  /** Faults of the text itself, e.g. duplicate keys, for `fieldValidation`. */
  readonly decodingFaults: readonly string[];
}

const limitBytes = 3 * 1024 * 1024;

/** The media type without its parameters. */
const mediaTypeOf = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Decodes the body; an empty one is undefined. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const bytes = await readAll(request);
  const mediaType = mediaTypeOf(request);
  if (bytes.length === 0) return { value: undefined, mediaType, decodingFaults: [] };
  return { mediaType, ...decode(bytes, mediaType) };
}

function decode(bytes: Buffer, mediaType: string): { value: unknown; decodingFaults: readonly string[] } {
  if (mediaType === 'application/vnd.kubernetes.protobuf')
    return { value: decodeProtobuf(bytes), decodingFaults: [] };
  const text = bytes.toString('utf8');
  if (mediaType === 'application/yaml' || mediaType === 'application/apply-patch+yaml') {
    try {
      return { value: load(text), decodingFaults: [] };
    } catch (error) {
      throw badRequest(`error decoding YAML: ${messageOf(error)}`);
    }
  }
  if (mediaType !== '' && mediaType !== 'application/json' && !mediaType.endsWith('+json'))
    throw unsupportedMediaType([
      'application/json',
      'application/yaml',
      'application/vnd.kubernetes.protobuf',
    ]);
  try {
    const value: unknown = JSON.parse(text);
    return { value, decodingFaults: duplicateKeys(text).map((path) => `duplicate field "${path}"`) };
  } catch (error) {
    throw badRequest(`the object provided is unrecognized (must be of type JSON): ${messageOf(error)}`);
  }
}
