/** Writes the elements of a tensor as JSON. */
import type { Tensor } from './datatypes.ts';
import { refusals } from './errors.ts';
import { shortestFloat32 } from './float32.ts';

/** How many elements are written before others may have their turn: a few milliseconds' work. */
const turnElements = 32_768;

/** Appends the elements with commas between them to `pieces`, yielding now and then; throws a ProtocolError when JSON has no form for one. */
export function* elementsText(tensor: Tensor, pieces: string[]): Generator<undefined, void> {
  const { length } = tensor.data;
  for (let start = 0; start < length; start += turnElements) {
    if (start > 0) {
      pieces.push(',');
      yield;
    }
    pieces.push(partText(tensor, start, Math.min(start + turnElements, length)));
  }
}

/** Turns what was written to bytes at each pause: the whole text of a large answer at once would take as long again. */
export function* inBytes(
  steps: Generator<undefined, void>,
  pieces: string[],
  parts: Uint8Array[],
): Generator<undefined, void> {
  for (const pause of steps) {
    parts.push(Buffer.from(pieces.join('')));
    pieces.length = 0;
    yield pause;
  }
}

/** The elements from `start` to `end` with commas between them. */
export const partText = (tensor: Tensor, start: number, end: number): string => {
  const { data, datatype } = tensor;
  switch (datatype) {
    case 'FP16':
    case 'BF16':
      throw refusals.noJsonForm('output', tensor.name, datatype);
    case 'INT64':
    case 'UINT64':
      return (data as BigInt64Array).subarray(start, end).join(',');
    case 'BYTES':
      return JSON.stringify((data as string[]).slice(start, end)).slice(1, -1);
    default: {
      const source = data as Float64Array;
      const values = new Array<number | boolean>(end - start);
      if (datatype === 'BOOL') for (let i = start; i < end; i += 1) values[i - start] = source[i] !== 0;
      else if (datatype === 'FP32') copyFloats(tensor, values, start, shortestFloat32);
      else if (datatype === 'FP64') copyFloats(tensor, values, start, (value) => value);
      else for (let i = start; i < end; i += 1) values[i - start] = source[i] ?? 0;
      return JSON.stringify(values).slice(1, -1);
    }
  }
};

const copyFloats = (
  tensor: Tensor,
  values: (number | boolean)[],
  start: number,
  print: (value: number) => number,
) => {
  const source = tensor.data as Float64Array;
  for (let i = 0; i < values.length; i += 1) {
    const value = source[start + i] ?? Number.NaN;
    if (!Number.isFinite(value)) throw refusals.notFinite(tensor.name, start + i, value);
    // JSON.stringify writes -0 as 0; the sign of zero is not carried.
    values[i] = print(value);
  }
};
