/** The classification extension: the highest values of each row, as "value:index[:label]". */
import type { ModelSignature, Tensor } from './datatypes.ts';
import { refusals } from './errors.ts';
import { shortestFloat32 } from './float32.ts';

/** Above this many the whole row is sorted: keeping them in order as they come would take the square of their number. */
const mostKeptInPlace = 32;

/** Places of the `top` highest values of a row, highest first, the earlier one where two are equal; NaN is lowest. */
const highest = (row: ArrayLike<number | bigint>, start: number, width: number, top: number): number[] => {
  const isAbove = (a: number | bigint, b: number | bigint) => a > b || (Number.isNaN(b) && !Number.isNaN(a));
  if (top > mostKeptInPlace) {
    const all = Array.from({ length: width }, (_, i) => i);
    const at = (i: number) => row[start + i] ?? 0;
    all.sort((i, j) => (isAbove(at(i), at(j)) ? -1 : isAbove(at(j), at(i)) ? 1 : i - j));
    return all.slice(0, top);
  }
  const places: number[] = [];
  for (let i = 0; i < width; i += 1) {
    const value = row[start + i] ?? Number.NaN;
    const last = places[places.length - 1];
    if (places.length === top && last !== undefined && !isAbove(value, row[start + last] ?? 0)) continue;
    let at = places.length;
    while (at > 0 && isAbove(value, row[start + (places[at - 1] ?? 0)] ?? 0)) at -= 1;
    places.splice(at, 0, i);
    if (places.length > top) places.pop();
  }
  return places;
};

/** The names of an output's classes, where the model tells them. */
export const labelsOf = (model: ModelSignature, output: string): readonly string[] | undefined =>
  model.outputs.find(({ name }) => name === output)?.labels;

/**
 * Turns an output [rows, …] of numbers into BYTES [rows, min(top, values per row)]; without a first dimension, or
 * with no other, the whole output is one row.
 */
export const classify = (output: Tensor, top: number, labels?: readonly string[]): Tensor => {
  const { name, datatype, data } = output;
  if (Array.isArray(data) || datatype === 'BOOL' || datatype === 'FP16' || datatype === 'BF16')
    throw refusals.noClasses(name, datatype);
  const values: ArrayLike<number | bigint> = data;
  const isOneRow = output.shape.length < 2;
  const rows = isOneRow ? 1 : (output.shape[0] ?? 1);
  const width = isOneRow ? data.length : output.shape.slice(1).reduce((product, dim) => product * dim, 1);
  const kept = Math.min(top, width);
  const texts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (const place of highest(values, row * width, width, kept)) {
      const value = values[row * width + place];
      const text = datatype === 'FP32' ? String(shortestFloat32(Number(value))) : String(value);
      const label = labels?.[place];
      texts.push(label === undefined ? `${text}:${place}` : `${text}:${place}:${label}`);
    }
  }
  return { name, datatype: 'BYTES', shape: isOneRow ? [kept] : [rows, kept], data: texts };
};
