/** The small messages of the inference service: health and metadata of server and model. */
import type { ModelSignature, TensorSpec } from '../datatypes.ts';
import { WireReader, wire } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** A model by name and version, as ModelReady, ModelMetadata and ModelStatistics name it; empty when not given. */
export interface NamedModel {
  readonly name: string;
  readonly version: string;
}

/** Reads a request that names a model. */
export const readNamedModel = (bytes: Buffer): NamedModel => {
  const reader = new WireReader(bytes);
  let name = '';
  let version = '';
  while (reader.next()) {
    if (reader.field > 2) {
      reader.skip();
      continue;
    }
    reader.expect(wire.bytes);
    if (reader.field === 1) name = reader.text();
    else version = reader.text();
  }
  return { name, version };
};

/** ServerLiveResponse, ServerReadyResponse, ModelReadyResponse. */
export const writeYes = (yes: boolean, room: number): Buffer =>
  new WireWriter(room, 16).bool(1, yes).finish();

/** ServerMetadataResponse. */
export const writeServerMetadata = (
  name: string,
  version: string,
  extensions: readonly string[],
  room: number,
): Buffer => {
  const writer = new WireWriter(room).text(1, name).text(2, version);
  for (const extension of extensions) writer.element(3, extension);
  return writer.finish();
};

const writeSpec = (writer: WireWriter, { name, datatype, shape }: TensorSpec) => {
  writer.text(1, name).text(2, datatype).packedInts(3, shape);
};

/** ModelMetadataResponse. */
export const writeModelMetadata = (
  model: ModelSignature,
  version: string | undefined,
  room: number,
): Buffer => {
  const writer = new WireWriter(room, 512).text(1, model.name);
  if (version !== undefined) writer.element(2, version);
  writer.text(3, 'onnx_onnxv1');
  for (const input of model.inputs) writer.message(4, (inner) => writeSpec(inner, input));
  for (const output of model.outputs) writer.message(5, (inner) => writeSpec(inner, output));
  return writer.finish();
};
