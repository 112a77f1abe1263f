/** Schemas of kinds: built-in ones from `schema/`, those of CRDs compiled at first use. */
import { type CompiledSchema, compileSchema } from '../../crds/structural/compile.ts';
import type { SchemaNode } from '../../crds/structural/schema-node.ts';
import type { KindSchema } from './kind.ts';
import { type BuiltinSchema, builtinSchema as builtin } from './schema/builtin.ts';
import { structType } from './schema/builtin-types.ts';
import { metadataDecodeError } from './schema/decode-error.ts';

function compiled(schema: SchemaNode): KindSchema {
  let made: CompiledSchema | undefined;
  const get = (): CompiledSchema => {
    made ??= compileSchema(schema);
    return made;
  };
  return {
    raw: schema,
    unknownFields: (object) => get().unknownFields(object),
    prune: (object) => get().prune(object),
    applyDefaults: (object, keepNulls) => get().applyDefaults(object, keepNulls),
    validate: (object, old) => get().judge(object, old),
    decodeError: (object) =>
      metadataDecodeError(
        object,
        structType('ObjectMeta'),
        object.kind ?? '',
        object.apiVersion?.split('/').at(-1) ?? '',
      ),
  };
}

const freeForm: SchemaNode = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** The schema of a built-in kind; the few without one take anything. */
export function builtinSchema(group: string, version: string, kind: string): KindSchema {
  let made: BuiltinSchema | undefined;
  const get = (): BuiltinSchema | undefined => {
    made ??= builtin(group, version, kind);
    return made;
  };
  let fallback: KindSchema | undefined;
  const orFree = (): KindSchema => {
    fallback ??= compiled(freeForm);
    return fallback;
  };
  return {
    get raw() {
      return get()?.schema ?? freeForm;
    },
    get empty() {
      return get()?.empty;
    },
    unknownFields: (object) => (get() ?? orFree()).unknownFields(object),
    prune: (object) => (get() ?? orFree()).prune(object),
    applyDefaults: (object) => (get() ?? orFree()).applyDefaults(object),
    validate: (object, old) => (get() ?? orFree()).validate(object, old),
    decodeError: (object) => get()?.decodeError(object),
  };
}

/** The schema of a CRD's version; without one, anything goes. */
export function customSchema(openAPIV3Schema: SchemaNode | undefined): KindSchema {
  return compiled(openAPIV3Schema ?? freeForm);
}
