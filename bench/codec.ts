/**
 * How long the codec takes beside JSON.parse and a loop that fills the typed array, in the same process, in turns.
 * `npm run bench:codec`.
 */
import { isUtf8 } from 'node:buffer';
import type { ModelSignature } from '../protocol/datatypes.ts';
import { decodeInferRequest } from '../protocol/decode.ts';

const rounds = 15;
const roundMs = 12;

const random = (() => {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
})();
const list = (count: number, print: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => print(i)).join(',');
const signed = () => random() * 2 - 1;

interface Subject {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: string;
  /** Ratio that must be reached. */
  readonly target: number;
}

const pixels = () => String(Number((Math.round(random() * 255) / 255).toPrecision(8)));
const subjects: readonly Subject[] = [
  {
    name: '20,000 floats, FP32 in its shortest form',
    shape: [1, 20_000],
    data: `[${list(20_000, () => String(Number(Math.fround(signed()).toPrecision(8))))}]`,
    target: 2,
  },
  {
    name: '20,000 floats, FP32 as Python prints them (17 digits)',
    shape: [1, 20_000],
    data: `[${list(20_000, () => String(Math.fround(signed())))}]`,
    target: 2,
  },
  {
    name: '20,000 floats, six decimals',
    shape: [1, 20_000],
    data: `[${list(20_000, () => signed().toFixed(6))}]`,
    target: 2,
  },
  {
    name: '150,528 pixels, nested 224x224x3',
    shape: [224, 224, 3],
    data: `[${list(224, () => `[${list(224, () => `[${pixels()},${pixels()},${pixels()}]`)}]`)}]`,
    target: 1.5,
  },
  { name: '4 floats', shape: [1, 4], data: '[5.1,3.5,1.4,0.2]', target: 0.7 },
];

/** What could be done at the least without a reader of its own: text, JSON.parse, a loop; hardly a check of the frame. */
const plain = (body: Buffer, model: ModelSignature): Float32Array => {
  if (!isUtf8(body)) throw new Error('not UTF-8');
  const parsed = JSON.parse(body.toString('utf8')) as {
    inputs: { name: string; datatype: string; shape: number[]; data: unknown[] }[];
  };
  const input = parsed.inputs[0];
  if (input === undefined || input.name !== model.inputs[0]?.name || input.datatype !== 'FP32')
    throw new Error('frame');
  const out = new Float32Array(input.shape.reduce((count, dim) => count * dim, 1));
  let at = 0;
  const fill = (values: readonly unknown[]) => {
    for (const value of values) {
      if (Array.isArray(value)) fill(value);
      else {
        if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) throw new Error('element');
        out[at] = value;
        at += 1;
      }
    }
  };
  fill(input.data);
  return out;
};

/** The least disturbed of all rounds. */
const best = (values: readonly number[]) => Math.min(...values);

let isMet = true;
for (const { name, shape, data, target } of subjects) {
  const body = Buffer.from(
    `{"inputs":[{"name":"x","shape":[${shape.join(',')}],"datatype":"FP32","data":${data}}]}`,
  );
  const model: ModelSignature = {
    name: 'm',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, ...shape.slice(1)] }],
    outputs: [],
  };
  const ours = () => decodeInferRequest(body, model).inputs[0]?.data as Float32Array;
  const theirs = () => plain(body, model);
  const [a, b] = [ours(), theirs()];
  if (a.some((value, i) => !Object.is(value, b[i]))) throw new Error(`${name}: the two do not agree`);
  const measure = (run: () => unknown, calls: number) => {
    const from = performance.now();
    for (let i = 0; i < calls; i += 1) run();
    return ((performance.now() - from) * 1000) / calls;
  };
  let calls = 1;
  while (measure(theirs, calls) * calls < roundMs * 1000 && calls < 1_000_000) calls *= 2;
  for (let i = 0; i < 3; i += 1) [ours, theirs].map((run) => measure(run, calls));
  const times: [number, number][] = Array.from({ length: rounds }, () => [
    measure(ours, calls),
    measure(theirs, calls),
  ]);
  const [mine, other] = [best(times.map(([time]) => time)), best(times.map(([, time]) => time))];
  const ratio = other / mine;
  isMet &&= ratio >= target;
  console.log(
    `${name.padEnd(54)} ${mine.toFixed(2).padStart(8)} µs, JSON.parse + fill ${other.toFixed(2).padStart(8)} µs: ${ratio.toFixed(2)}x (at least ${target}x: ${ratio >= target ? 'MET' : 'MISSED'})`,
  );
}
if (!isMet) process.exitCode = 1;
