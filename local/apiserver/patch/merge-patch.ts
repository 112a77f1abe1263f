/** JSON merge patch, RFC 7386. */
import { deepCopy, isObject, type JsonObject, setOwn } from '../../../crds/structural/schema-node.ts';

/** The target with the patch laid over it; null takes a field away. Neither argument is changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return deepCopy(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else setOwn(result, name, mergePatch(Object.hasOwn(result, name) ? result[name] : undefined, value));
  }
  return result;
}
