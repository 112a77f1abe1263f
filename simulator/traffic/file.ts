/** A trace from a file, gzipped or not. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Parsed, TraceForm } from './parse.ts';
import { parseTrace, TraceError } from './parse.ts';

/** Reads a trace; throws `TraceError` with what is wrong, a missing file included. */
export function readTrace(path: string, form?: TraceForm, series?: string): Parsed {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  } catch (error) {
    throw new TraceError(`${path}: cannot be read: ${(error as Error).message}`);
  }
  const name = basename(path).replace(/(\.(txt|csv|tsv|jsonl?|gz))+$/i, '');
  return parseTrace(bytes.toString('utf8'), { name, form, series });
}
