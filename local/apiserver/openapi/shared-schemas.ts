/** Structs that several kinds share become components of an OpenAPI document, referred to by name: some hold themselves. */
import type { SchemaNode } from '../../../crds/structural/schema-node.ts';
import { structType } from '../schema/builtin-types.ts';
import { structNameOf } from '../schema/notation.ts';

const prefix = 'io.k8s.api.';

/** Collects shared structs into `components` while schemas are rewritten to refer to them. */
export class SharedSchemas {
  readonly #components: Record<string, object>;

  constructor(components: Record<string, object>) {
    this.#components = components;
  }

  /** The node itself, with what it holds rewritten. */
  inner(node: SchemaNode): SchemaNode {
    return {
      ...node,
      ...(node.properties === undefined
        ? {}
        : {
            properties: Object.fromEntries(
              Object.entries(node.properties).map(([name, child]) => [name, this.#child(child)]),
            ),
          }),
      ...(node.items === undefined ? {} : { items: this.#child(node.items) }),
      ...(typeof node.additionalProperties === 'object'
        ? { additionalProperties: this.#child(node.additionalProperties) }
        : {}),
    };
  }

  #child(node: SchemaNode): SchemaNode {
    const name = structNameOf(node);
    if (name === undefined) return this.inner(node);
    const component = `${prefix}${name}`;
    if (this.#components[component] === undefined) {
      this.#components[component] = {};
      this.#components[component] = this.inner(structType(name));
    }
    const rest = Object.fromEntries(
      Object.entries(node).filter(
        ([key]) => key === 'description' || key === 'default' || key.startsWith('x-kubernetes-'),
      ),
    );
    return { ...rest, allOf: [{ $ref: `#/components/schemas/${component}` } as SchemaNode] };
  }
}
