/** The raw binary request: a body that is nothing but the elements of a model's only input. */
import type { ModelSignature } from './datatypes.ts';
import { refusals } from './errors.ts';
import { type InferRequest, matchOutputs, noParameters } from './infer-request.ts';
import { decodeRaw, elementBytes, ownsMemory } from './raw-tensor.ts';

/** Reads the body; the one dynamic dimension that a model may have is taken from its length. All outputs are binary. */
export const decodeRawRequest = (body: Uint8Array, model: ModelSignature): InferRequest => {
  const [spec] = model.inputs;
  const refuse = (why: string) => refusals.noRawRequest(model.name, why);
  if (spec === undefined || model.inputs.length !== 1)
    throw refuse(`it has ${model.inputs.length} inputs, wanted one`);
  const { name, datatype } = spec;
  const all = matchOutputs(
    model.outputs.map((output) => ({ name: output.name, binary: true })),
    model,
  );
  const requestOf = (shape: readonly number[], bytes: Uint8Array): InferRequest => {
    const input = { name, datatype, shape };
    return {
      parameters: noParameters,
      inputs: [{ ...input, data: decodeRaw(input, bytes, model.name, ownsMemory(bytes)) }],
      ...all,
    };
  };
  if (datatype === 'BYTES') {
    const isOne = spec.anyShape === true || spec.shape.every((dim) => dim === 1 || dim === -1);
    if (!isOne) throw refuse(`input '${name}' of BYTES does not take one element`);
    // The whole body is one element, as it stands.
    const element = new Uint8Array(body.length + 4);
    new DataView(element.buffer).setUint32(0, body.length, true);
    element.set(body, 4);
    return requestOf(spec.anyShape === true ? [1] : spec.shape.map(() => 1), element);
  }
  const dynamic = spec.shape.filter((dim) => dim === -1).length;
  if (spec.anyShape === true || dynamic > 1)
    throw refuse(`input '${name}' has more than one dimension that the body's length could tell`);
  const known = spec.shape.reduce((size, dim) => (dim === -1 ? size : size * dim), elementBytes[datatype]);
  const rows = known === 0 ? 0 : body.length / known;
  if (dynamic === 1 && !Number.isInteger(rows))
    throw refuse(
      `${body.length} bytes are no multiple of the ${known} bytes that input '${name}' takes per step`,
    );
  return requestOf(
    spec.shape.map((dim) => (dim === -1 ? rows : dim)),
    body,
  );
};
