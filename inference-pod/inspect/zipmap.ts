/** Rewires ZipMap, which scikit-learn's converter writes by default, to the tensor behind it: onnxruntime in Node cannot return its maps. */
import type { ByteSource } from './byte-source.ts';
import {
  dimFields,
  elementTypes,
  graphFields,
  modelFields,
  nodeFields,
  shapeFields,
  tensorTypeFields,
  typeFields,
  valueFields,
} from './onnx-fields.ts';
import type { OnnxModel, Value, ZipMap } from './onnx-model.ts';
import { intField, join, lengthPrefix, messageField, textField } from './protobuf-writer.ts';

/** The ZipMap nodes whose output the graph answers, each with that output. */
export const answeredZipMaps = (model: OnnxModel): { zipMap: ZipMap; output: Value }[] => {
  const found: { zipMap: ZipMap; output: Value }[] = [];
  for (const output of model.outputs) {
    if (output.otherType !== 'sequence') continue;
    const zipMap = model.zipMaps.find((candidate) => candidate.output === output.name);
    if (zipMap !== undefined) found.push({ zipMap, output });
  }
  return found;
};

/** The model's bytes with each answered ZipMap replaced by an Identity: the output keeps its name and becomes FP32 [rows, classes]. */
export const rewireZipMaps = (source: ByteSource, model: OnnxModel): Uint8Array => {
  const { graph } = model;
  if (graph === undefined) throw new Error('the model has no graph');
  const edits = answeredZipMaps(model).flatMap(({ zipMap, output }) => [
    { field: zipMap.field, bytes: identityNode(zipMap) },
    { field: output.field, bytes: tensorOutput(output.name, zipMap.classes) },
  ]);
  edits.sort((a, b) => a.field.tagStart - b.field.tagStart);
  const parts: Uint8Array[] = [];
  let position = graph.start;
  for (const { field, bytes } of edits) {
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

const identityNode = (zipMap: ZipMap) =>
  messageField(
    graphFields.node,
    textField(nodeFields.input, zipMap.input),
    textField(nodeFields.output, zipMap.output),
    textField(nodeFields.opType, 'Identity'),
  );

const tensorOutput = (name: string, classes: number) =>
  messageField(
    graphFields.output,
    textField(valueFields.name, name),
    messageField(
      valueFields.type,
      messageField(
        typeFields.tensor,
        intField(tensorTypeFields.elementType, elementTypes.FP32),
        messageField(
          tensorTypeFields.shape,
          messageField(shapeFields.dim),
          messageField(shapeFields.dim, ...(classes > 0 ? [intField(dimFields.value, classes)] : [])),
        ),
      ),
    ),
  );
