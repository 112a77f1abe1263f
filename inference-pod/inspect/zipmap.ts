/** Rewires ZipMap, which scikit-learn's converter writes by default, to the tensor behind it: onnxruntime in Node cannot return its maps. */
import type { ByteSource } from './byte-source.ts';
import {
  attributeFields,
  dimFields,
  elementTypes,
  graphFields,
  nodeFields,
  shapeFields,
  tensorTypeFields,
  typeFields,
  valueFields,
} from './onnx-fields.ts';
import type { OnnxModel, Value, ZipMap } from './onnx-model.ts';
import { eachField, intsOf, textOf } from './protobuf-reader.ts';
import { intField, messageField, textField } from './protobuf-writer.ts';
import type { Edit } from './rewire.ts';

/** The ZipMap nodes whose output the graph answers, each with that output. */
export const answeredZipMaps = (model: OnnxModel): { zipMap: ZipMap; output: Value }[] => {
  const found: { zipMap: ZipMap; output: Value }[] = [];
  for (const output of model.outputs) {
    if (output.otherType !== 'sequence of maps') continue;
    const zipMap = model.zipMaps.find((candidate) => candidate.output === output.name);
    if (zipMap !== undefined) found.push({ zipMap, output });
  }
  return found;
};

/** The edits that make an Identity of each answered ZipMap: the output keeps its name and becomes FP32 [rows, classes]. */
export const zipMapEdits = (model: OnnxModel): Edit[] =>
  answeredZipMaps(model).flatMap(({ zipMap, output }) => [
    { field: zipMap.field, bytes: identityNode(zipMap) },
    { field: output.field, bytes: tensorOutput(output.name, zipMap.classes) },
  ]);

/** Most labels that are told: a list beyond is of no use to a person, and no metadata should be megabytes. */
const mostLabels = 10_000;

/** The names of the classes, in the order of the tensor's last dimension; undefined when they cannot be told. */
export const classLabels = (source: ByteSource, { field: node, classes }: ZipMap): string[] | undefined => {
  if (classes === 0 || classes > mostLabels) return undefined;
  const labels: string[] = [];
  eachField(source, node.start, node.end, (attribute) => {
    if (attribute.number !== nodeFields.attribute) return;
    eachField(source, attribute.start, attribute.end, (part) => {
      if (part.number === attributeFields.strings) labels.push(textOf(source, part, 65_536));
      else if (part.number === attributeFields.ints) {
        const ints: number[] = [];
        intsOf(source, part, ints, mostLabels);
        labels.push(...ints.map(String));
      }
    });
  });
  return labels.length === classes ? labels : undefined;
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
