/** zod schema → structural OpenAPI v3 schema, as a CustomResourceDefinition holds it. */
import { z } from 'zod';

/** The parts of a Kubernetes structural schema that our CRD uses. */
export interface StructuralSchema {
  type?: string;
  description?: string;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  enum?: unknown[];
  default?: unknown;
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  [extension: `x-kubernetes-${string}`]: unknown;
}

interface JsonSchema extends Omit<StructuralSchema, 'properties' | 'additionalProperties' | 'items'> {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  propertyNames?: unknown;
  const?: unknown;
  anyOf?: JsonSchema[];
}

const copied = [
  'type',
  'description',
  'enum',
  'default',
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
] as const;

/** Keeps what structural schemas know; `additionalProperties: false` becomes pruning, which the API server does anyway. */
function structural(node: JsonSchema): StructuralSchema {
  const out: StructuralSchema = {};
  for (const key of copied) if (node[key] !== undefined) Object.assign(out, { [key]: node[key] });
  for (const bound of ['minimum', 'maximum'] as const) {
    const value = node[bound];
    if (value !== undefined && Number.isSafeInteger(value) && Math.abs(value) !== Number.MAX_SAFE_INTEGER)
      out[bound] = value;
  }
  if (node.anyOf !== undefined) delete out.type;
  if (node.type === 'integer') out.format = 'int64';
  if (node.properties !== undefined && Object.keys(node.properties).length > 0) {
    out.properties = Object.fromEntries(
      Object.entries(node.properties).map(([name, child]) => [name, structural(child)]),
    );
    if (node.required !== undefined && node.required.length > 0) out.required = node.required;
  }
  if (typeof node.additionalProperties === 'object' && node.propertyNames !== undefined) {
    out.additionalProperties = structural(node.additionalProperties);
  }
  if (node.items !== undefined) out.items = structural(node.items);
  for (const [key, value] of Object.entries(node)) {
    if (key.startsWith('x-kubernetes-')) out[key as `x-kubernetes-${string}`] = value;
  }
  return out;
}

/** Structural schema of a zod schema, seen from the writer's side: fields with a default are not required. */
export function structuralSchemaOf(schema: z.ZodType): StructuralSchema {
  return structural(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
}
