/** Contracts and tensors for tests, and what a contract says of them. */
import type { ContractSpec } from '../../../crds/types.ts';
import type { Datatype, Tensor, TensorData, TensorSpec } from '../../../protocol/datatypes.ts';
import { type CheckedInputs, createContract } from '../checks.ts';
import { compileContract } from '../compile.ts';

export type WrittenOutput = Partial<NonNullable<ContractSpec['outputs']>[number]>;

/** Elements as people write them; FP16 as numbers. */
export const dataOf = (datatype: Datatype, values: readonly (number | bigint | string)[]): TensorData => {
  const numbers = values as number[];
  switch (datatype) {
    case 'BYTES':
      return [...(values as string[])];
    case 'INT64':
      return BigInt64Array.from(values as bigint[], BigInt);
    case 'UINT64':
      return BigUint64Array.from(values as bigint[], BigInt);
    case 'FP16':
      return new Uint16Array(Float16Array.from(numbers).buffer);
    case 'FP32':
      return Float32Array.from(numbers);
    case 'FP64':
      return Float64Array.from(numbers);
    case 'INT8':
      return Int8Array.from(numbers);
    case 'INT16':
      return Int16Array.from(numbers);
    case 'INT32':
      return Int32Array.from(numbers);
    case 'UINT16':
      return Uint16Array.from(numbers);
    case 'UINT32':
      return Uint32Array.from(numbers);
    default:
      return Uint8Array.from(numbers);
  }
};

export const tensorOf = (
  datatype: Datatype,
  shape: readonly number[],
  values: readonly (number | bigint | string)[],
  name = 'x',
): Tensor => ({ name, datatype, shape, data: dataOf(datatype, values) });

/** A contract for the one input `x`, and what it said and counted. */
export const inputContract = (
  spec: Omit<TensorSpec, 'name'>,
  rules: readonly Omit<WrittenOutput, 'maxRepeats'>[],
) => {
  const counted: Record<string, number> = {};
  const contract = createContract(
    compileContract(
      { inputs: rules.map((rule) => ({ name: 'x', ...rule })) },
      { name: 'm', inputs: [{ name: 'x', ...spec }], outputs: [] },
    ),
    'm',
    ({ tensor, rule, action }, count) => {
      const key = `${tensor} ${rule} ${action}`;
      counted[key] = (counted[key] ?? 0) + count;
    },
  );
  return { contract, counted };
};

/** What is said of an input: undefined when all is well, the message of the refusal, or the header of the answer. */
export const verdictOf = (
  { contract }: ReturnType<typeof inputContract>,
  tensor: Tensor,
): string | undefined => {
  let checked: CheckedInputs;
  try {
    checked = contract.inputs([tensor]);
  } catch (error) {
    const { status, message } = error as { status: number; message: string };
    return `${status} ${message.replace("the request breaks the contract of model 'm': ", '')}`;
  }
  return contract.outputs([], checked);
};
