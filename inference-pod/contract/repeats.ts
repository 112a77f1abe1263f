/** A model that answers the same whatever it is asked: how many different inputs in a row got the same output. */
import { elementCount, type Tensor, type TensorData, type TensorSpec } from '../../protocol/datatypes.ts';
import { tableOf } from './table.ts';
import type { Finding } from './types.ts';

/** One prediction of a tensor: an index in its first dimension where the model leaves that open, else the whole. */
const predictionsOf = (shape: readonly number[], spec: TensorSpec): number =>
  shape.length > 0 && (spec.anyShape === true || spec.shape[0] === -1) ? (shape[0] ?? 1) : 1;

const isSame = (a: unknown, b: unknown): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));

export class Repeats {
  readonly spec: TensorSpec;
  readonly limit: number;
  readonly #columns: Int32Array | undefined;
  #last: (number | bigint | string)[] | undefined;
  /** Fingerprints of the inputs that got the last answer. */
  readonly #inputs = new Set<number>();
  #repeated = false;

  constructor(spec: TensorSpec, columns: Int32Array | undefined, limit: number) {
    this.spec = spec;
    this.#columns = columns;
    this.limit = limit;
  }

  /** True when the last answer was the same as the one before: only then are inputs worth a fingerprint. */
  get isRepeating(): boolean {
    return this.#repeated;
  }

  /** What is said of an answer of which `take` was true. */
  finding(): Finding {
    return {
      side: 'output',
      tensor: this.spec.name,
      breach: 'maxRepeats',
      action: 'Flag',
      index: [],
      place: '',
      got: `the same for more than ${this.limit} different inputs in a row`,
      wanted: 'other answers among them',
    };
  }

  /**
   * Takes an answer in; true when more than `limit` different inputs got the same one. `fingerprints` has one number per
   * prediction, or is undefined for a request that came in before anything repeated.
   */
  take(tensor: Tensor, fingerprints: Float64Array | undefined): boolean {
    const predictions = predictionsOf(tensor.shape, this.spec);
    if (predictions === 0) return false;
    const size = elementCount(tensor.shape) / predictions;
    const offsets = this.#offsets(tensor, size);
    const { data } = tensor;
    let isOver = false;
    for (let i = 0; i < predictions; i += 1) {
      const isRepeat = i === 0 ? this.#equalsLast(data, offsets, size) : equals(data, offsets, size, i);
      if (!isRepeat) this.#inputs.clear();
      this.#repeated = isRepeat;
      const fingerprint = fingerprints?.[fingerprints.length === predictions ? i : 0];
      if (isRepeat && fingerprint !== undefined && this.#inputs.size <= this.limit)
        this.#inputs.add(fingerprint);
      if (isRepeat && this.#inputs.size > this.limit) isOver = true;
    }
    this.#keep(data, offsets, size, predictions - 1);
    return isOver;
  }

  /** Which elements of a prediction are looked at; undefined: all. */
  #offsets(tensor: Tensor, size: number): Int32Array | undefined {
    const columns = this.#columns;
    if (columns === undefined) return undefined;
    const { width } = tableOf(tensor, this.spec);
    const chosen = columns.filter((column) => column < width);
    if (size === width) return chosen;
    const rows = size / width;
    return Int32Array.from({ length: rows * chosen.length }, (_, i) => {
      const row = Math.floor(i / chosen.length);
      return row * width + (chosen[i % chosen.length] ?? 0);
    });
  }

  #equalsLast(data: TensorData, offsets: Int32Array | undefined, size: number): boolean {
    const last = this.#last;
    const count = offsets?.length ?? size;
    if (last === undefined || last.length !== count) return false;
    for (let i = 0; i < count; i += 1) if (!isSame(data[offsets?.[i] ?? i], last[i])) return false;
    return true;
  }

  #keep(data: TensorData, offsets: Int32Array | undefined, size: number, prediction: number) {
    const start = prediction * size;
    const count = offsets?.length ?? size;
    let last = this.#last;
    if (last?.length !== count) last = this.#last = new Array<number>(count).fill(0);
    for (let i = 0; i < count; i += 1) last[i] = data[start + (offsets?.[i] ?? i)] ?? 0;
  }
}

/** Whether a prediction is the same as the one before it in the same tensor. */
const equals = (
  data: TensorData,
  offsets: Int32Array | undefined,
  size: number,
  prediction: number,
): boolean => {
  const start = prediction * size;
  const count = offsets?.length ?? size;
  for (let i = 0; i < count; i += 1) {
    const at = start + (offsets?.[i] ?? i);
    if (!isSame(data[at], data[at - size])) return false;
  }
  return true;
};
