/** Whether the pod's answer is Python's: exact for whole numbers and strings, up to 1e-5 of the value for floats. */
import type { Answer } from './tensors.ts';

const relative = 1e-5;
/** Half precision has 11 bits: two neighbours differ by up to a thousandth. */
const relativeOfHalf = 1e-3;

/** The largest relative difference of all floats; throws at the first value that differs too much. */
export function compare(
  wanted: readonly Answer[],
  got: readonly Answer[],
  { isEmpty = false, isBatched = false } = {},
): number {
  const names = (answers: readonly Answer[]) => answers.map(({ name }) => name).join(', ');
  if (names(wanted) !== names(got)) throw new Error(`outputs ${names(got)}, wanted ${names(wanted)}`);
  return wanted.reduce((largest, answer, i) => {
    const other = got[i];
    if (other === undefined) throw new Error(`no output '${answer.name}'`);
    return Math.max(largest, compareTensor(answer, other, isEmpty, isBatched));
  }, 0);
}

function compareTensor(wanted: Answer, got: Answer, isEmpty: boolean, isBatched: boolean): number {
  const place = `output '${wanted.name}'`;
  if (wanted.datatype !== got.datatype)
    throw new Error(`${place} is ${got.datatype}, wanted ${wanted.datatype}`);
  // What a size that varies would be is unknown when nothing is run.
  if (!isEmpty && wanted.shape.join() !== got.shape.join())
    throw new Error(`${place} has the shape [${got.shape}], wanted [${wanted.shape}]`);
  if (wanted.data.length !== got.data.length)
    throw new Error(`${place} has ${got.data.length} elements, wanted ${wanted.data.length}`);
  const isFloat = wanted.datatype.startsWith('FP');
  const limit = wanted.datatype === 'FP16' ? relativeOfHalf : relative;
  // A batch adds in another order: what warm-up proves, and the pod promises, is 1e-5 of the larger of 1 and the value.
  const floor = isFloat ? Math.max(scaleOf(wanted), isBatched ? 1 : 0) : 0;
  let largest = 0;
  for (let i = 0; i < wanted.data.length; i += 1) {
    const a = wanted.data[i];
    const b = got.data[i];
    if (a === b) continue;
    if (!isFloat) throw new Error(`${place}[${i}] is ${String(b)}, wanted ${String(a)}`);
    const x = wanted.datatype === 'FP16' ? half(a as number) : (a as number);
    const y = wanted.datatype === 'FP16' ? half(b as number) : (b as number);
    if (Number.isNaN(x) && Number.isNaN(y)) continue;
    const difference = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), floor);
    if (!(difference <= limit)) throw new Error(`${place}[${i}] is ${y}, wanted ${x}`);
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** Values below a hundredth of the largest of their tensor are held to 1e-7 of it, which is FP32's own step: 1 - 0.999999 has no more digits. */
function scaleOf({ data, datatype }: Answer): number {
  let largest = 0;
  for (const value of data as Iterable<number>) {
    const size = Math.abs(datatype === 'FP16' ? half(value) : value);
    if (Number.isFinite(size)) largest = Math.max(largest, size);
  }
  return largest / 100;
}

/** The number that 16 bits stand for. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
