/** Schemas of kinds: the bridge to `local/apiserver/schema`. */
import type { KindSchema } from './kind.ts';
import type { Json } from './object.ts';

/** The schema of a built-in kind. */
export function builtinSchema(_group: string, _version: string, _kind: string): KindSchema {
  return {
    raw: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    unknownFields: () => [],
    prune: () => {},
    applyDefaults: () => {},
    validate: () => [],
  };
}

/** The schema of a CRD's version. */
export function customSchema(openAPIV3Schema: Json): KindSchema {
  return { ...builtinSchema('', '', ''), raw: openAPIV3Schema };
}
