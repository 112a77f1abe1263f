/** Runs made-up inputs before the pod is ready: warms the model, proves that rows may be batched, and finds the best batch. */
import { allocate, elementCount, type Tensor, type TensorSpec } from '../../protocol/datatypes.ts';
import type { Runner } from '../runner/runner.ts';
import { splitOutputs } from './batching.ts';
import { CostCurve } from './cost-curve.ts';
import { chooseSplitRows } from './split.ts';

export interface WarmUpResult {
  /** Largest batch that may be, in rows; 1 when rows must not be batched. How large they are is the cost book's choice. */
  readonly maxRows: number;
  /** Elements of one row of what was run, all inputs together; 0 when nothing was. */
  readonly rowElements: number;
  /** What stood for dimensions that may vary in what was run; undefined when nothing was. */
  readonly guess: number | undefined;
  /** Rows of a piece of a large request; infinite when it is not proven that rows do not touch each other. */
  readonly splitRows: number;
  /** Milliseconds of one run by number of rows, as far as measured. */
  readonly costs: ReadonlyMap<number, number>;
  /** The same in CPU time of the runner, or by the clock where that is not known. */
  readonly cpuCosts: ReadonlyMap<number, number>;
  /** What came out, for the log. */
  readonly remark: string;
}

export interface WarmUpOptions {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly string[];
  readonly mayBatch: boolean;
  readonly maxRows: number;
  readonly budgetMs: number;
  readonly nowMs: () => number;
}

/** Sizes that stand for a dimension that may vary: a convolution refuses the small ones. */
const guesses = [2, 32, 224] as const;
const trialRows = 2;
const whole = { maxRows: 1, rowElements: 0, guess: undefined, splitRows: Number.POSITIVE_INFINITY } as const;
/** Runs of each size, of which the middle one counts. */
const runsEach = 3;
/**
 * Measuring ends where so many doublings of the batch gained less than a twentieth: their memory would stay taken. Where two
 * rows do not gain that, the part of a run that is not for its rows is below a tenth, so that no size gains what makes it the best.
 */
const mostFlat = 2;
const gain = 1.05;
const words = ['a', 'b', 'c', 'd', 'e'];

/** Deterministic values that differ from row to row; integers stay 0 or 1, since they may be indices. */
const madeUp = (spec: TensorSpec, rows: number, guess: number): Tensor => {
  const shape = spec.shape.map((dim, i) => (dim !== -1 ? dim : i === 0 ? rows : guess));
  const data = allocate(spec.datatype, elementCount(shape));
  let seed = 12_345;
  for (let i = 0; i < data.length; i += 1) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const unit = seed / 2_147_483_648;
    if (Array.isArray(data)) data[i] = words[Math.floor(unit * words.length)] ?? 'a';
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array)
      data[i] = BigInt(Math.round(unit));
    else if (data instanceof Float32Array || data instanceof Float64Array) data[i] = unit;
    else if (spec.datatype === 'FP16') data[i] = 0x3800 + Math.floor(unit * 1024);
    else data[i] = Math.round(unit);
  }
  return { name: spec.name, datatype: spec.datatype, shape, data };
};

const rowOf = (tensor: Tensor, row: number): Tensor => {
  const perRow = tensor.data.length / (tensor.shape[0] ?? 1);
  // A copy: the buffer goes to the runner's thread.
  const data = tensor.data.slice(row * perRow, (row + 1) * perRow) as Tensor['data'];
  return { ...tensor, shape: [1, ...tensor.shape.slice(1)], data };
};

/** True when two sets of outputs are equal up to 1e-5 of the larger value. */
const sameOutputs = (a: readonly Tensor[], b: readonly Tensor[]): boolean =>
  a.every((left, i) => {
    const right = b[i];
    if (right === undefined || left.data.length !== right.data.length) return false;
    if (left.shape.length !== right.shape.length) return false;
    for (let j = 0; j < left.data.length; j += 1) {
      const x = left.data[j];
      const y = right.data[j];
      if (x === y) continue;
      if (typeof x !== 'number' || typeof y !== 'number') return false;
      if (Number.isNaN(x) && Number.isNaN(y)) continue;
      if (!(Math.abs(x - y) <= 1e-5 * Math.max(1, Math.abs(x), Math.abs(y)))) return false;
    }
    return true;
  });

/** Warms the model up. A model that refuses made-up inputs is served all the same, one request at a time. */
export const warmUp = async (runner: Runner, options: WarmUpOptions): Promise<WarmUpResult> => {
  const { nowMs } = options;
  const startedAt = nowMs();
  const run = async (inputs: readonly Tensor[]) => (await runner.run(inputs, options.outputs)).outputs;
  const inputsOf = (rows: number, guess: number) => options.inputs.map((spec) => madeUp(spec, rows, guess));
  const costs = new Map<number, number>();
  const cpuCosts = new Map<number, number>();

  if (options.budgetMs === 0) return { ...whole, costs, cpuCosts, remark: 'not warmed, so not batched' };
  const guess = await firstThatRuns(guesses, async (size) => void (await run(inputsOf(1, size))));
  if (guess === undefined)
    return { ...whole, costs, cpuCosts, remark: 'the model refuses made-up inputs: not warmed, not batched' };
  const measure = async (rows: number, times: number) => {
    const samples: number[] = [];
    const cpuSamples: number[] = [];
    for (let i = 0; i < times; i += 1) {
      const inputs = inputsOf(rows, guess);
      const from = nowMs();
      const { cpuMs } = await runner.run(inputs, options.outputs);
      const ms = nowMs() - from;
      samples.push(ms);
      cpuSamples.push(cpuMs ?? ms);
      if (nowMs() - startedAt > options.budgetMs) break;
    }
    costs.set(rows, middleOf(samples));
    // Neighbours slow a run by what they do to caches and memory, even in CPU time; nothing makes one fast.
    cpuCosts.set(rows, Math.min(...cpuSamples));
  };
  await measure(1, runsEach);
  const rowElements = inputsOf(1, guess).reduce((sum, { data }) => sum + data.length, 0);
  const alone = { ...whole, rowElements, guess, costs, cpuCosts };
  if (!options.mayBatch) return { ...alone, remark: 'the model has no dimension for batches' };
  if (options.maxRows === 1) return { ...alone, remark: 'not batched: the largest batch is 1' };
  const why = await refutation(guess, inputsOf, run);
  if (why !== undefined) return { ...alone, remark: `not batched: ${why}` };
  const rate = (rows: number) => rows / Math.max(cpuCosts.get(rows) ?? 0, 1e-3);
  let best = rate(1);
  let flat = 0;
  for (let rows = 2; rows <= options.maxRows && flat < (best === rate(1) ? 1 : mostFlat); rows *= 2) {
    const expectedMs = runsEach * 2 * (costs.get(rows / 2) ?? 0);
    if (nowMs() - startedAt + expectedMs > options.budgetMs) break;
    await measure(rows, runsEach);
    flat = rate(rows) < gain * best ? flat + 1 : 0;
    best = Math.max(best, rate(rows));
  }
  const usual = new CostCurve(cpuCosts).choose(options.maxRows, Number.POSITIVE_INFINITY);
  const splitRows = chooseSplitRows(costs, usual);
  const remark = `batches of up to ${usual} rows, pieces of ${splitRows}`;
  return { maxRows: options.maxRows, rowElements, guess, splitRows, costs, cpuCosts, remark };
};

const middleOf = (samples: number[]): number =>
  samples.sort((a, b) => a - b)[Math.floor((samples.length - 1) / 2)] ?? 0;

const firstThatRuns = async (sizes: readonly number[], attempt: (size: number) => Promise<void>) => {
  for (const size of sizes) {
    try {
      await attempt(size);
      return size;
    } catch {
      // The next size may fit; when none does, that is the answer.
    }
  }
  return undefined;
};

/** Runs rows together and one by one: says why they must not be batched, or undefined when the answers are equal. */
const refutation = async (
  guess: number,
  inputsOf: (rows: number, guess: number) => Tensor[],
  run: (inputs: readonly Tensor[]) => Promise<readonly Tensor[]>,
): Promise<string | undefined> => {
  const rows = trialRows;
  const sample = inputsOf(rows, guess);
  try {
    const alone: (readonly Tensor[])[] = [];
    for (let row = 0; row < rows; row += 1) alone.push(await run(sample.map((tensor) => rowOf(tensor, row))));
    const together = splitOutputs(await run(sample), new Array<number>(rows).fill(1));
    if (together === undefined) return 'an output has not one row per row of input';
    const equal = together.every((outputs, row) => sameOutputs(outputs, alone[row] ?? []));
    return equal ? undefined : 'rows change each other’s answers';
  } catch (error) {
    return `the model refuses ${rows} rows (${error instanceof Error ? error.message.slice(0, 200) : String(error)})`;
  }
};
