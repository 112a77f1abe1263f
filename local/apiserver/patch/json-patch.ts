/** JSON patch, RFC 6902, with the leniency and the sentences of an API server. */
import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { deepCopy, isObject } from '../../../crds/structural/schema-node.ts';

const maxOperations = 10_000;
const kinds = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);
const forbidden = /(^|\/)(__proto__|constructor|prototype)(\/|$)/;

export type JsonPatchResult =
  | { readonly value: unknown }
  /** `reason` and `code` of the Status answer. */
  | {
      readonly error: string;
      readonly reason: 'BadRequest' | 'Invalid' | 'RequestEntityTooLarge';
      readonly code: number;
    };

/** A real server does not say which operation failed, nor why. */
const failed: JsonPatchResult = {
  error: 'the server rejected our request due to an error in our request',
  reason: 'Invalid',
  code: 422,
};

/** The value at a pointer; undefined when nothing is there. */
function at(target: unknown, pointer: string): unknown {
  let value = target;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = /^(0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

const parentOf = (pointer: string) => pointer.slice(0, pointer.lastIndexOf('/'));

/**
 * The operation as strict RFC 6902 understands it, `refuse` for a `remove` that misses its target, which the library
 * would let pass, or `pass` for one that holds already. An API server takes `replace` of an absent key for `add`.
 */
function strictForm(value: unknown, operation: Operation): Operation | 'refuse' | 'pass' {
  const present = at(value, operation.path) !== undefined;
  if (operation.op === 'remove' && !present) return 'refuse';
  if (operation.op === 'replace' && !present && isObject(at(value, parentOf(operation.path))))
    return { ...operation, op: 'add' };
  // An absent value and null are the same to a test.
  if (
    operation.op === 'test' &&
    operation.value === null &&
    !present &&
    isObject(at(value, parentOf(operation.path)))
  )
    return 'pass';
  if (operation.op === 'copy' && at(value, operation.from) === undefined)
    if (!isObject(at(value, parentOf(operation.from)))) return 'refuse';
    else return { op: 'add', path: operation.path, value: null };
  return operation;
}

/** Applies the operations to a copy of the target. */
export function jsonPatch(target: unknown, patch: unknown): JsonPatchResult {
  if (!Array.isArray(patch))
    return {
      error:
        'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
      reason: 'BadRequest',
      code: 400,
    };
  if (patch.length > maxOperations)
    return {
      error: `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
      reason: 'RequestEntityTooLarge',
      code: 413,
    };
  let value = deepCopy(target);
  for (const operation of patch) {
    const { op, path, from } = isObject(operation) ? operation : {};
    if (typeof op !== 'string' || !kinds.has(op) || typeof path !== 'string') return failed;
    if ((op === 'move' || op === 'copy') && typeof from !== 'string') return failed;
    if (forbidden.test(path) || (typeof from === 'string' && forbidden.test(from))) return failed;
    const strict = strictForm(value, operation as unknown as Operation);
    if (strict === 'refuse') return failed;
    if (strict === 'pass') continue;
    try {
      value = fastJsonPatch.applyOperation(value, strict, true, true).newDocument;
    } catch {
      return failed;
    }
  }
  return { value };
}
