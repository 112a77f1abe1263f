/** The patch algorithms of `local/apiserver/patch`, with their failures as answers of the API. */
import type { SchemaNode } from '../../crds/structural/schema-node.ts';
import { jsonPatch as runJsonPatch } from './patch/json-patch.ts';
import { mergePatch } from './patch/merge-patch.ts';
import { strategicMergePatch as strategicMerge } from './patch/strategic.ts';
import { badRequest, plainError, tooLarge, unprocessable } from './status-error.ts';

export { mergePatch };

/** RFC 6902; what does not fit is a 422. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const result = runJsonPatch(target, patch);
  if ('value' in result) return result.value;
  if (result.code === 413) throw tooLarge(10_000);
  // The real server says no more than this about an operation that does not fit.
  throw result.code === 400
    ? badRequest(result.error)
    : unprocessable('the server rejected our request due to an error in our request');
}

/** Which failures of a strategic merge the real server answers with 400 and 422; all others are a 500. */
const badFormats = new Set([
  'invalid JSON document',
  'invalid patch format of primitive list',
  'invalid patch format of retainKeys',
  'invalid patch format of setElementOrder list',
  'strategic merge patch format is not supported',
]);
const badContents = new Set([
  'lists of lists are not supported',
  "patch content doesn't match retainKeys list",
]);

/** Strategic merge by the kind's schema. */
export function strategicMergePatch(schema: SchemaNode, target: unknown, patch: unknown): unknown {
  const result = strategicMerge(schema, target, patch);
  if (!('error' in result)) return result.value;
  if (badFormats.has(result.error)) throw badRequest(result.error);
  if (badContents.has(result.error))
    throw unprocessable('the server rejected our request due to an error in our request');
  throw plainError(result.error);
}
