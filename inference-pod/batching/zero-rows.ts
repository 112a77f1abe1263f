/** A request for no rows is answered with empty tensors: many operators refuse to run on nothing. */

import { allocate, elementCount, type ModelSignature, type Tensor } from '../../protocol/datatypes.ts';
import { ProtocolError } from '../../protocol/errors.ts';

/** Refuses a size of 0 that would end the process: some operators of onnxruntime divide by it or abort. */
export const refuseDeadlySizes = (inputs: readonly Tensor[], model: ModelSignature): void => {
  if (model.endsOnEmpty === undefined) return;
  const empty = inputs.find(({ data }) => data.length === 0);
  if (empty !== undefined)
    throw new ProtocolError(
      400,
      `input '${empty.name}' has the shape [${empty.shape.join()}], which holds nothing: onnxruntime's ${model.endsOnEmpty}, which this model uses, cannot run on it`,
    );
};

/** The empty outputs, or undefined when the request has rows or an output is not per row. */
export const zeroRowOutputs = (
  request: { readonly inputs: readonly Tensor[]; readonly outputs: readonly string[] },
  model: ModelSignature,
): Tensor[] | undefined => {
  if (request.inputs.length === 0 || !request.inputs.every((input) => input.shape[0] === 0)) return undefined;
  const outputs: Tensor[] = [];
  for (const name of request.outputs) {
    const spec = model.outputs.find((output) => output.name === name);
    if (spec === undefined || spec.shape[0] !== -1) return undefined;
    const shape = spec.shape.map((dim) => (dim === -1 ? 0 : dim));
    outputs.push({
      name,
      datatype: spec.datatype,
      shape,
      data: allocate(spec.datatype, elementCount(shape)),
    });
  }
  return outputs;
};
