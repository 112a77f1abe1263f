/** Requests to each kind of server, and how their answers are read. */
import type { BenchModel } from './models.ts';
import { madeUpNumbers } from './models.ts';

/** One kind of request to one server; sent as it is, again and again. */
export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The numbers of the first output in an answer. */
  numbersOf(answer: Buffer, headers: Headers): number[];
}

/** How a request carries its tensors. */
export type Form = 'json' | 'binary';

/** The elements of one row, rounded to four decimals as people send them. */
export function rowOf({ input }: BenchModel): number[] {
  const count = input.row.reduce((product, dim) => product * dim, 1);
  const unit = [...madeUpNumbers(count, 7)];
  if (input.datatype === 'INT32') return unit.map((value) => Math.floor((value + 1) * 128) % 256);
  return unit.map((value) => Math.round(value * 10_000) / 10_000);
}

const headerLength = 'inference-header-content-length';

/** A request of the Open Inference Protocol V2. */
export function v2Exchange(url: string, model: BenchModel, form: Form): Exchange {
  const row = rowOf(model);
  const { name, datatype } = model.input;
  const input = { name, shape: [1, ...model.input.row], datatype };
  if (form === 'json')
    return {
      url,
      headers: { 'Content-Type': 'application/json' },
      body: Buffer.from(JSON.stringify({ inputs: [{ ...input, data: row }] })),
      numbersOf: v2Numbers,
    };
  const blob = Buffer.from((datatype === 'FP32' ? Float32Array.from(row) : Int32Array.from(row)).buffer);
  const header = Buffer.from(
    JSON.stringify({
      inputs: [{ ...input, parameters: { binary_data_size: blob.length } }],
      parameters: { binary_data_output: true },
    }),
  );
  return {
    url,
    headers: {
      'Content-Type': 'application/octet-stream',
      'Inference-Header-Content-Length': String(header.length),
    },
    body: Buffer.concat([header, blob]),
    numbersOf: v2Numbers,
  };
}

interface V2Answer {
  readonly outputs: readonly [{ readonly datatype: string; readonly data?: readonly number[] }];
}

function v2Numbers(answer: Buffer, headers: Headers): number[] {
  const length = headers.get(headerLength);
  if (length === null) {
    const [output] = (JSON.parse(answer.toString()) as V2Answer).outputs;
    return (output.data ?? []).flat();
  }
  const { outputs } = JSON.parse(answer.subarray(0, Number(length)).toString()) as V2Answer;
  if (outputs[0].data !== undefined) return [...outputs[0].data].flat();
  const blob = Uint8Array.from(answer.subarray(Number(length)));
  return [...new Float32Array(blob.buffer)];
}

/** A request to the servers that have a form of their own: `{"data": [[…]]}`, answered with nested lists. */
export function plainExchange(url: string, model: BenchModel): Exchange {
  return {
    url,
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.from(JSON.stringify({ data: [nested(rowOf(model), model.input.row)] })),
    numbersOf: (answer) => flatten(JSON.parse(answer.toString())),
  };
}

function nested(values: readonly number[], dims: readonly number[]): unknown[] {
  if (dims.length <= 1) return [...values];
  const size = values.length / (dims[0] ?? 1);
  return Array.from({ length: dims[0] ?? 1 }, (_, i) =>
    nested(values.slice(i * size, (i + 1) * size), dims.slice(1)),
  );
}

function flatten(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (Array.isArray(value)) return value.flatMap(flatten);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(flatten) : [];
}
