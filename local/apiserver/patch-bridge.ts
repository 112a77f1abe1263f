/** The patch algorithms of `local/apiserver/patch`, with their failures as the API words them. */
import { isJson, type Json } from './object.ts';

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJson(patch)) return patch;
  const result: Json = isJson(target) ? target : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}
export function jsonPatch(_target: unknown, _patch: unknown): unknown {
  throw new Error('not yet');
}
export function strategicMergePatch(_schema: Json, target: unknown, patch: unknown): unknown {
  return mergePatch(target, patch);
}
