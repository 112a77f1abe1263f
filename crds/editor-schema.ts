/** JSON Schema for editors (yaml-language-server, kubeconform): the structural schema, strict about unknown fields. */
import { groupVersion, kind } from './constants.ts';
import type { StructuralSchema } from './openapi.ts';

type Json = Record<string, unknown>;

function strict(node: StructuralSchema): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(node)) {
    if (
      key.startsWith('x-kubernetes-') ||
      key === 'properties' ||
      key === 'items' ||
      key === 'additionalProperties'
    )
      continue;
    // JSON Schema has no int64 or quantity formats; unknown formats make some editors warn.
    if (key === 'format' && value !== 'date-time') continue;
    out[key] = value;
  }
  if (node['x-kubernetes-int-or-string'] === true) out.type = ['integer', 'string'];
  if (node.items !== undefined) out.items = strict(node.items);
  if (node.additionalProperties !== undefined) out.additionalProperties = strict(node.additionalProperties);
  if (node.properties !== undefined) {
    out.properties = Object.fromEntries(
      Object.entries(node.properties).map(([name, child]) => [name, strict(child)]),
    );
    if (node['x-kubernetes-preserve-unknown-fields'] !== true) out.additionalProperties = false;
  }
  return out;
}

/** JSON Schema (draft 2020-12) of a ModelDeployment manifest. */
export function editorSchema(schema: StructuralSchema): Json {
  const { properties, ...rest } = strict(schema) as Json & { properties: Json };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: kind,
    ...rest,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      ...properties,
      apiVersion: { const: groupVersion },
      kind: { const: kind },
      metadata: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', maxLength: 45 } },
      },
    },
  };
}
