/** Puts other bytes in the place of fields of a model's graph. */
import type { ByteSource } from './byte-source.ts';
import { modelFields } from './onnx-fields.ts';
import type { Field } from './protobuf-reader.ts';
import { join, lengthPrefix } from './protobuf-writer.ts';

/** A field of the graph and what stands there instead. */
export interface Edit {
  readonly field: Field;
  readonly bytes: Uint8Array;
}

/** The model's bytes with the edits made. */
export const rewire = (source: ByteSource, graph: Field, edits: readonly Edit[]): Uint8Array => {
  const parts: Uint8Array[] = [];
  let position = graph.start;
  for (const { field, bytes } of edits.toSorted((a, b) => a.field.tagStart - b.field.tagStart)) {
    parts.push(source.bytes(position, field.tagStart), bytes);
    position = field.end;
  }
  parts.push(source.bytes(position, graph.end));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return join([
    source.bytes(0, graph.tagStart),
    lengthPrefix(modelFields.graph, length),
    ...parts,
    source.bytes(graph.end, source.length),
  ]);
};
