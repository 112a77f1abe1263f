/** Writes ModelInferResponse and ModelStreamInferResponse. */
import type { Tensor } from '../datatypes.ts';
import { encodeRaw } from '../raw-tensor.ts';
import { hasContents, writeContents } from './contents.ts';
import { WireWriter } from './wire-writer.ts';

/** What an answer says. */
export interface GrpcInferAnswer {
  readonly modelName: string;
  readonly modelVersion: string | undefined;
  readonly id: string;
  /** What is said of the whole answer; undefined: nothing. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly outputs: readonly Tensor[];
  /** Elements as bytes. A tensor that has no other form makes them all so: the two forms are exclusive. */
  readonly isRaw: boolean;
}

const expectedSize = (outputs: readonly Tensor[]) =>
  outputs.reduce(
    (size, { data }) => size + 96 + (Array.isArray(data) ? data.length * 16 : data.byteLength),
    128,
  );

const writeAnswer = (writer: WireWriter, answer: GrpcInferAnswer): WireWriter => {
  const isRaw = answer.isRaw || answer.outputs.some(({ datatype }) => !hasContents(datatype));
  writer
    .text(1, answer.modelName)
    .text(2, answer.modelVersion ?? '')
    .text(3, answer.id);
  for (const [name, value] of Object.entries(answer.parameters ?? {}))
    writer.message(4, (entry) => entry.text(1, name).message(2, (parameter) => parameter.element(3, value)));
  for (const output of answer.outputs)
    writer.message(5, (inner) => {
      inner.text(1, output.name).text(2, output.datatype).packedInts(3, output.shape);
      if (!isRaw) inner.message(5, (contents) => writeContents(output, contents));
    });
  if (isRaw) for (const output of answer.outputs) writer.bytes(6, encodeRaw(output));
  return writer;
};

/** A ModelInferResponse behind `room` free bytes. */
export const writeInferAnswer = (answer: GrpcInferAnswer, room: number): Buffer =>
  writeAnswer(new WireWriter(room, expectedSize(answer.outputs)), answer).finish();

/** The answer to one message of a stream, behind `room` free bytes. */
export const writeStreamAnswer = (answer: GrpcInferAnswer, room: number): Buffer => {
  const size = expectedSize(answer.outputs);
  return new WireWriter(room, size + 16)
    .bytes(2, writeAnswer(new WireWriter(0, size), answer).finish())
    .finish();
};

/** The failure of one message of a stream, which goes on; the id tells which. */
export const writeStreamFailure = (message: string, id: string, room: number): Buffer => {
  const writer = new WireWriter(room, message.length + 64).text(1, message);
  if (id !== '') writer.message(2, (inner) => inner.text(3, id));
  return writer.finish();
};
