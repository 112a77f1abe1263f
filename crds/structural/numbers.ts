/** Bounds of numbers, with the integer arithmetic that an API server uses for whole ones. */
import { type FieldError, invalid } from './field-error.ts';
import type { SchemaNode } from './schema-node.ts';

const int32 = { min: -2_147_483_648, max: 2_147_483_647 };

function fitsInteger(value: number, format: string | undefined): boolean {
  if (!Number.isInteger(value)) return false;
  if (format === 'int32') return value >= int32.min && value <= int32.max;
  return value >= -(2 ** 63) && value < 2 ** 63;
}

function isMultiple(value: number, factor: number): boolean {
  const ratio = factor < 1 ? (1 / factor) * value : value / factor;
  return Math.abs(ratio - Math.round(ratio)) < 1e-9;
}

/** Errors of a number: whole where it must be, within bounds, a multiple. */
export function numberErrors(value: number, node: SchemaNode, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const say = (text: string) => errors.push(invalid(path, value, `${path} in body should be ${text}`));
  const format = node.format === 'int32' || node.format === 'int64' ? node.format : undefined;
  if (node.type === 'integer' && !fitsInteger(value, format))
    errors.push(
      invalid(
        '',
        '',
        `Checked value must be of type integer ${format === undefined ? '(default format)' : `with format ${format}`} in ${path}`,
      ),
    );
  // Whole numbers are compared with bounds cut down to whole numbers.
  const bound = (limit: number) => (Number.isInteger(value) ? Math.trunc(limit) : limit);
  if (node.multipleOf !== undefined) {
    const factor = bound(node.multipleOf);
    if (factor <= 0)
      errors.push(
        invalid(path, factor, `factor MultipleOf declared for ${path} must be positive: ${factor}`),
      );
    else if (!isMultiple(value, factor)) say(`a multiple of ${factor}`);
  }
  if (node.maximum !== undefined) {
    const maximum = bound(node.maximum);
    const exclusive = node.exclusiveMaximum === true;
    if (exclusive ? value >= maximum : value > maximum)
      say(`less than ${exclusive ? '' : 'or equal to '}${maximum}`);
  }
  if (node.minimum !== undefined) {
    const minimum = bound(node.minimum);
    const exclusive = node.exclusiveMinimum === true;
    if (exclusive ? value <= minimum : value < minimum)
      say(`greater than ${exclusive ? '' : 'or equal to '}${minimum}`);
  }
  return errors;
}
