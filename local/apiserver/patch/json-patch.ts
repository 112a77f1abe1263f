/** JSON patch, RFC 6902, with the sentences of an API server. */
import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { deepCopy, isObject } from '../../../crds/structural/schema-node.ts';

const maxOperations = 10_000;
const kinds = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

export type JsonPatchResult =
  | { readonly value: unknown }
  /** `reason` and `code` of the Status answer. */
  | {
      readonly error: string;
      readonly reason: 'BadRequest' | 'Invalid' | 'RequestEntityTooLarge';
      readonly code: number;
    };

const invalid = (error: string): JsonPatchResult => ({ error, reason: 'Invalid', code: 422 });
const badRequest = (error: string): JsonPatchResult => ({ error, reason: 'BadRequest', code: 400 });

function hasPath(target: unknown, pointer: string): boolean {
  let value = target;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) {
      if (!/^(0|[1-9]\d*)$/.test(key) || Number(key) >= value.length) return false;
      value = value[Number(key)];
    } else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return false;
  }
  return true;
}

const parentOf = (pointer: string) => pointer.slice(0, pointer.lastIndexOf('/'));
const forbidden = /(^|\/)(__proto__|constructor|prototype)(\/|$)/;

/** Applies the operations to a copy of the target. */
export function jsonPatch(target: unknown, patch: unknown): JsonPatchResult {
  if (!Array.isArray(patch))
    return badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    );
  if (patch.length > maxOperations)
    return {
      error: `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
      reason: 'RequestEntityTooLarge',
      code: 413,
    };
  let value = deepCopy(target);
  for (const operation of patch) {
    const { op, path, from } = (isObject(operation) ? operation : {}) as {
      op?: unknown;
      path?: unknown;
      from?: unknown;
    };
    if (typeof op !== 'string' || !kinds.has(op))
      return invalid(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
    if (typeof path !== 'string') return invalid(`${op} operation does not apply: failed to decode path`);
    if (forbidden.test(path) || (typeof from === 'string' && forbidden.test(from)))
      return invalid(`${op} operation does not apply: path ${path} is not allowed`);
    const fault = faultOf(value, op, path, from);
    if (fault !== undefined) return invalid(fault);
    try {
      value = fastJsonPatch.applyOperation(value, operation as Operation, true, true).newDocument;
    } catch (error) {
      if (op === 'test') return invalid(`testing value ${path} failed: test failed`);
      return invalid(
        `${op} operation does not apply: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'bad operation'}`,
      );
    }
  }
  return { value };
}

function faultOf(value: unknown, op: string, path: string, from: unknown): string | undefined {
  if (op === 'test') return undefined;
  if ((op === 'move' || op === 'copy') && (typeof from !== 'string' || !hasPath(value, from)))
    return `error in ${op} for path: '${String(from)}': missing value`.replace(
      /^error in \w+ for path: '(.*)': missing value$/,
      `${op} operation does not apply: doc is missing from path: $1: missing value`,
    );
  if (op === 'remove' && !hasPath(value, path))
    return `remove operation does not apply: doc is missing path: "${path}": missing value`;
  if (op === 'replace' && !hasPath(value, path))
    return `replace operation does not apply: doc is missing key: ${path}: missing value`;
  if (op === 'add' && path !== '' && !hasPath(value, parentOf(path)))
    return `add operation does not apply: doc is missing path: "${path}": missing value`;
  return undefined;
}
