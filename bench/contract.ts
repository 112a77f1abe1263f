/**
 * What a contract costs each request, on the shape of the model `small` (1×256 floats in, 10 out): `npm run bench:contract`.
 * Beside it stands a plain loop over the same floats, in the same run, since times of a busy machine mean nothing alone. With `--pod` two pods are compared too (a minute).
 */
import { type Contract, createContract } from '../inference-pod/contract/checks.ts';
import { compileContract } from '../inference-pod/contract/compile.ts';
import type { Datatype, Tensor } from '../protocol/datatypes.ts';
import { comparePods } from './contract-pod.ts';

/** A request of `small` took about 90 µs on one core when the target was set (inference-performance.md). */
const requestUs = 90;
const targetShare = 0.05;
const rounds = 9;
const callsPerRound = 20_000;

const width = 256;
const signature = (datatype: Datatype) => ({
  name: 'small',
  inputs: [{ name: 'x', datatype, shape: [-1, width] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 10] }],
});
const floats = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.37 + seed));
const bounds = { min: '-1', max: '1' };
const everyColumn = Array.from({ length: width }, (_, column) => ({
  name: 'x',
  columns: [column],
  min: String(-1 - column / width),
  max: String(1 + column / width),
}));
const outputs = [{ name: 'y', ...bounds }];
const none = () => undefined;
const contractOf = (datatype: Datatype, spec: Parameters<typeof compileContract>[0]) =>
  createContract(compileContract(spec, signature(datatype)), 'small', none);

/** Different inputs and answers, so that nothing repeats and no branch is learnt by heart. */
const requests = Array.from({ length: 64 }, (_, seed) => ({
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [1, width], data: floats(width, seed) }],
  integers: [
    {
      name: 'x',
      datatype: 'INT64' as const,
      shape: [1, width],
      data: BigInt64Array.from({ length: width }, (_, i) => BigInt(i + seed)),
    },
  ],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [1, 10], data: floats(10, seed) }],
}));

const through = (contract: Contract, inputs: readonly Tensor[], answer: readonly Tensor[]) => {
  const checked = contract.inputs(inputs);
  if (contract.outputs(answer, checked) !== undefined) throw new Error('a good request was flagged');
};
const one = contractOf('FP32', { inputs: [{ name: 'x', ...bounds }], outputs });
const each = contractOf('FP32', { inputs: everyColumn, outputs });
const sums = contractOf('FP32', {
  inputs: [{ name: 'x', ...bounds }],
  outputs: [{ name: 'y', ...bounds, sumTo: '0', tolerance: '10' }],
});
const integers = contractOf('INT64', { inputs: [{ name: 'x', min: '0', max: '1000' }], outputs });
const exact = contractOf('INT64', { inputs: [{ name: 'x', min: '-9007199254740993' }], outputs });
const stuck = contractOf('FP32', {
  inputs: [{ name: 'x', ...bounds }],
  outputs: [{ name: 'y', ...bounds, maxRepeats: 100_000 }],
});

let sink = 0;
const first = requests[0] as (typeof requests)[number];
const subjects: [name: string, run: (request: (typeof requests)[number]) => void][] = [
  [
    'a plain loop that adds up 256 + 10 floats',
    ({ inputs: [x], outputs: [y] }) => {
      let sum = 0;
      for (const data of [x?.data, y?.data])
        if (data) for (let i = 0; i < data.length; i += 1) sum += data[i] ?? 0;
      sink += sum;
    },
  ],
  ['contract: one rule for all 256 columns', (request) => through(one, request.inputs, request.outputs)],
  ['contract: 256 rules, each column its own', (request) => through(each, request.inputs, request.outputs)],
  [
    'contract: the same and the sum of the answer',
    (request) => through(sums, request.inputs, request.outputs),
  ],
  ['contract: 256 INT64', (request) => through(integers, request.integers, request.outputs)],
  [
    'contract: 256 INT64, a bound beyond 2^53',
    (request) => through(exact, request.integers, request.outputs),
  ],
  [
    'contract: a model that always answers the same',
    (request) => through(stuck, request.inputs, first.outputs),
  ],
];

const times = subjects.map((): number[] => []);
for (let round = -1; round < rounds; round += 1)
  for (const [at, [, run]] of subjects.entries()) {
    const from = process.cpuUsage();
    for (let i = 0; i < callsPerRound; i += 1) run(requests[i % requests.length] as typeof first);
    const { user, system } = process.cpuUsage(from);
    // The first round only warms up.
    if (round >= 0) times[at]?.push((user + system) / callsPerRound);
  }

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const loopUs = median(times[0] ?? []);
let isMet = true;
for (const [at, [name]] of subjects.entries()) {
  const us = median(times[at] ?? []);
  const share = us / requestUs;
  const isTarget = at === 1 || at === 2;
  if (isTarget && share > targetShare) isMet = false;
  const verdict = isTarget ? (share <= targetShare ? '  MET' : '  MISSED') : '';
  console.log(
    `${name.padEnd(46)} ${us.toFixed(2).padStart(7)} µs CPU  ${(us / loopUs).toFixed(1).padStart(6)}× the plain loop  ${(share * 100).toFixed(2).padStart(6)} % of ${requestUs} µs${verdict}`,
  );
}
if (process.argv.includes('--pod')) {
  const { withoutUs, withUs, more } = await comparePods();
  if (more > targetShare) isMet = false;
  console.log(
    `a whole request over HTTP and JSON: ${withoutUs.toFixed(1)} µs CPU without a contract, ${withUs.toFixed(1)} µs with 256 rules: ${(more * 100).toFixed(1)} % more in the same round  ${more <= targetShare ? 'MET' : 'MISSED'}`,
  );
}
if (!Number.isFinite(sink)) throw new Error('the loops were not run');
console.log(
  `target: at most ${targetShare * 100} % of a request of small for min, max and NaN of every column`,
);
process.exitCode = isMet ? 0 : 1;
