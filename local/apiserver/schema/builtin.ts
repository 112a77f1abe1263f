/** Everything the server does to objects of a built-in kind between the wire and the store. */
import type { CompiledSchema } from '../../../crds/structural/compile.ts';
import { prune, unknownFieldsInOrder } from '../../../crds/structural/prune.ts';
import type { JsonObject } from '../../../crds/structural/schema-node.ts';
import { validateObject } from '../../../crds/structural/validate.ts';
import { applyBuiltinDefaults } from './builtin-defaults.ts';
import { builtinType } from './builtin-types.ts';
import { decodeError } from './decode-error.ts';
import { emptyObjectOf } from './empty-objects.ts';
import { semanticErrors } from './semantic.ts';

export interface BuiltinSchema extends CompiledSchema {
  readonly kind: string;
  /** What `trackUpdate` takes for an object that did not exist. */
  readonly empty: JsonObject;
  /**
   * Why the object cannot be read at all (a text where a number belongs), as the message of a 400 BadRequest:
   * `Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal …`. Undefined when it can.
   */
  decodeError(object: unknown): string | undefined;
}

const made = new Map<string, BuiltinSchema>();

/** The schema of a built-in kind; undefined for kinds that are not built in. */
export function builtinSchema(group: string, version: string, kind: string): BuiltinSchema | undefined {
  const key = `${group}/${version}/${kind}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const schema = builtinType(group, version, kind);
  if (schema === undefined) return undefined;
  const built: BuiltinSchema = {
    kind,
    schema,
    empty: emptyObjectOf(kind),
    prune: (object) => prune(object, schema),
    applyDefaults: (object) => applyBuiltinDefaults(object, kind, schema),
    validate: (object, old) => {
      const seen = new Set<string>();
      return [...semanticErrors(kind, object, old), ...validateObject(object, schema)].filter(
        ({ field, body, reason }) => {
          // What is in a field of bytes was read before, the empty text too.
          if (body.includes('must be of type byte: ""')) return false;
          // Semantic checks speak first; a field that they refused is not refused again in other words.
          const id = reason === 'FieldValueRequired' ? `${field} required` : `${field} ${body}`;
          if (seen.has(id)) return false;
          seen.add(id);
          return true;
        },
      );
    },
    validateCel: () => [],
    judge: (object, old) => built.validate(object, old),
    unknownFields: (object) => unknownFieldsInOrder(object, schema),
    decodeError: (object) => decodeError(object, schema, kind, version),
  };
  made.set(key, built);
  return built;
}
