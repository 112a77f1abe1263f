/** How a tensor is read as a table: the last dimension is its columns, all others are rows. */
import { elementCount, type Tensor, type TensorSpec } from '../../protocol/datatypes.ts';
import type { Table } from './types.ts';

/** One dimension of a size that the model fixes is one row of so many columns; of any size, it is rows of one column. */
const isOneRow = (spec: TensorSpec): boolean => spec.shape.length === 1 && spec.shape[0] !== -1;

/** Columns that every tensor of this input or output has; undefined when requests decide. */
export const knownWidth = (spec: TensorSpec): number | undefined => {
  if (spec.anyShape === true) return undefined;
  if (spec.shape.length === 0) return 1;
  if (spec.shape.length === 1) return isOneRow(spec) ? spec.shape[0] : 1;
  const width = spec.shape.at(-1);
  return width === -1 ? undefined : width;
};

/** The tensor as a table. */
export const tableOf = ({ shape, data }: Tensor, spec: TensorSpec): Table => {
  const isColumn = shape.length === 0 || (shape.length === 1 && !isOneRow(spec));
  const width = isColumn ? 1 : (shape.at(-1) ?? 1);
  return { data, shape, width, rows: width === 0 ? 0 : elementCount(shape) / width };
};

/** Position of an element, or of a row when `column` is undefined, in each dimension of the tensor. */
export const indexOf = ({ shape, width }: Table, row: number, column: number | undefined): number[] => {
  let rest = row * width + (column ?? 0);
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1;
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return column === undefined && index.length > 1 ? index.slice(0, -1) : index;
};

/** The same position in words; empty for a scalar and for the sum of a tensor's only row. */
export const placeOf = ({ shape, width }: Table, index: readonly number[], isRow: boolean): string => {
  if (index.length === 0 || (isRow && shape.length === 1 && width > 1)) return '';
  if (shape.length === 1) return `${width > 1 ? 'column' : 'row'} ${index[0]}`;
  if (shape.length === 2) return isRow ? `row ${index[0]}` : `row ${index[0]}, column ${index[1]}`;
  return `${isRow ? 'row' : 'element'} [${index.join(',')}]`;
};
