/** Schemas of kinds, compiled at first use. */
import { type CompiledSchema, compileSchema } from '../../crds/structural/compile.ts';
import type { SchemaNode } from '../../crds/structural/schema-node.ts';
import type { KindSchema } from './kind.ts';
import { builtinType } from './schema/builtin-types.ts';

function kindSchema(schema: SchemaNode): KindSchema {
  let compiled: CompiledSchema | undefined;
  const get = (): CompiledSchema => {
    compiled ??= compileSchema(schema);
    return compiled;
  };
  return {
    raw: schema,
    unknownFields: (object) => get().unknownFields(object),
    prune: (object) => get().prune(object),
    applyDefaults: (object) => get().applyDefaults(object),
    validate: (object, old) => {
      const faults = get().validate(object, old);
      // As the real server does: rules are not run on an object whose types they could not trust.
      return faults.length > 0 ? faults : get().validateCel(object, old);
    },
  };
}

const freeForm: SchemaNode = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** The schema of a built-in kind; the few without one take anything. */
export function builtinSchema(group: string, version: string, kind: string): KindSchema {
  return kindSchema(builtinType(group, version, kind) ?? freeForm);
}

/** The schema of a CRD's version; without one, anything goes. */
export function customSchema(openAPIV3Schema: SchemaNode | undefined): KindSchema {
  return kindSchema(openAPIV3Schema ?? freeForm);
}
