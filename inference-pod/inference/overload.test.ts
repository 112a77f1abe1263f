/** Overload, simulated: the real admission, queue, dispatcher and cost book; the clock and the runner are the test's. */
import { expect, test } from '@jest/globals';
import type { Tensor } from '../../protocol/datatypes.ts';
import { Bias } from '../admission/bias.ts';
import { CostBook } from '../batching/cost-book.ts';
import { CostCurve } from '../batching/cost-curve.ts';
import { Dispatcher, type Job } from '../batching/dispatcher.ts';
import { FairQueue } from '../batching/fair-queue.ts';
import type { BatchResult, Runner } from '../runner/runner.ts';
import { Deadlines } from './deadlines.ts';
import { createInferenceService } from './service.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const promisedMs = 100;
const rowOf = (rows: number): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [rows, 1],
  data: new Float32Array(rows),
});

interface Outcome {
  readonly good: number;
  readonly late: number;
  readonly p99Ms: number;
  readonly refused: number;
  readonly slowestRefusalMs: number;
}

/** Poisson arrivals for so many seconds; true costs are the curve's, ± a fifth, `slower` times. */
const simulate = async (
  costs: Record<number, number>,
  perSecond: number,
  seconds: number,
  { shed = true, slower = 1, clientTimeoutMs = undefined as number | undefined } = {},
): Promise<Outcome> => {
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const clock = { ms: 0 };
  const nowMs = () => clock.ms;
  const curve = new CostCurve(new Map(Object.entries(costs).map(([rows, ms]) => [Number(rows), ms])));
  let run: { endMs: number; rows: number; resolve(result: BatchResult): void } | undefined;
  const runner: Runner = {
    busySinceMs: undefined,
    stop: () => Promise.resolve(),
    run: (inputs) =>
      new Promise((resolve) => {
        const rows = inputs[0]?.shape[0] ?? 0;
        const ms = curve.costMs(rows) * slower * (0.8 + 0.4 * random());
        run = { endMs: clock.ms + ms, rows, resolve };
      }),
  };
  const queue = new FairQueue<Job>();
  const quiet = {
    started: () => undefined,
    finished: () => undefined,
    waited: () => undefined,
    batchingOff: () => undefined,
  };
  const book = new CostBook({
    warm: curve.points(),
    rowElements: 1,
    maxRows: 32,
    capMs: () => promisedMs / 3,
  });
  const dispatcher = new Dispatcher(queue, runner, book, quiet, { maxDelayMs: 0, gathers: false, nowMs });
  const deadlines = new Deadlines(nowMs);
  const latencies: number[] = [];
  const refusals: number[] = [];
  const service = createInferenceService({
    modelName: 'm',
    observer: {
      arrived: () => undefined,
      finished: (_at, { outcome, latencyMs }) =>
        void (outcome.status === 200 ? latencies : refusals).push(latencyMs),
    },
    nowMs,
    stoodMs: () => 0,
    timeoutMs: () => 1000,
    signature: () => ({ name: 'm', inputs: [], outputs: [] }),
    admission: () => ({
      modelName: 'm',
      phase: 'ready',
      digestMoved: false,
      inFlight: 0,
      maxInFlight: 4096,
      bytesHeld: 0,
      maxBytesHeld: 1e9,
    }),
    hold: () => undefined,
    waiting: () => ({ waiting: queue.length, maxQueue: 512, shedMs: shed ? promisedMs : undefined }),
    deadlines,
    bias: new Bias(),
    queue: () => dispatcher,
  });
  const names = ['y'];
  const arrive = () => {
    const call = service.begin({
      protocol: 'rest',
      requestId: 'r',
      bytes: 4,
      connection: {},
      clientTimeoutMs,
    });
    try {
      call.admit();
    } catch (error) {
      call.finish({ status: (error as { status: number }).status });
      return;
    }
    call.infer({ inputs: [rowOf(1)], outputs: names, parameters: {} }).then(
      () => call.finish({ status: 200 }),
      (error: { status: number }) => call.finish({ status: error.status }),
    );
  };
  let nextMs = 0;
  const endMs = seconds * 1000;
  while (nextMs < endMs || run !== undefined) {
    const isArrival = nextMs < endMs && (run === undefined || nextMs < run.endMs);
    clock.ms = isArrival ? nextMs : (run?.endMs ?? nextMs);
    deadlines.advance();
    if (isArrival) {
      arrive();
      nextMs += (-Math.log(1 - random()) * 1000) / perSecond;
    } else {
      const ended = run;
      run = undefined;
      ended?.resolve({ outputs: [{ ...rowOf(ended.rows), name: 'y' }], runMs: 1 });
    }
    // While the runner is busy an arrival only joins the queue.
    if (run === undefined || !isArrival) await turn();
  }
  await turn();
  latencies.sort((a, b) => a - b);
  const good = latencies.filter((ms) => ms <= promisedMs).length;
  return {
    good: good / seconds,
    late: latencies.length - good,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    refused: refusals.length,
    slowestRefusalMs: Math.max(0, ...refusals),
  };
};

const models: [name: string, costs: Record<number, number>, capacity: number][] = [
  ['one that gains much by batches', { 1: 4.2, 2: 4.6, 4: 4.9, 8: 6.5, 16: 9.2, 32: 15.8 }, 2000],
  ['a slow one', { 1: 9.2, 2: 10, 4: 12, 8: 16, 16: 23 }, 690],
  ['one that gains nothing', { 1: 5, 2: 10, 4: 20 }, 200],
];

test.each(models)('%s keeps its promise at three times its capacity', async (_name, costs, capacity) => {
  const seconds = Math.min(4, 1200 / capacity);
  const calm = await simulate(costs, 0.9 * capacity, seconds);
  const over = await simulate(costs, 3 * capacity, seconds);
  expect(over.good).toBeGreaterThanOrEqual(0.9 * calm.good);
  expect(over.p99Ms).toBeLessThanOrEqual(promisedMs);
  // Who is refused hears of it at once.
  expect(over.slowestRefusalMs).toBeLessThan(5);
  expect(over.refused).toBeGreaterThan(0);
});

test('a machine that is twice as slow as at warm-up is learned, and the promise kept', async () => {
  const [, costs] = models[0] ?? ['', {}];
  const over = await simulate(costs, 3000, 1, { slower: 2 });
  expect(over.good).toBeGreaterThanOrEqual(0.8 * 1000);
  expect(over.p99Ms).toBeLessThanOrEqual(1.1 * promisedMs);
});

test('without shedding by the promise the timeout bounds the wait: answers are late but few are lost', async () => {
  const over = await simulate({ 1: 5 }, 600, 2, { shed: false });
  expect(over.good).toBeLessThan(100);
  expect(over.p99Ms).toBeLessThanOrEqual(1000);
});

test('deadlines of clients are kept at overload: what is answered comes in time, the rest is refused early', async () => {
  const over = await simulate({ 1: 5 }, 600, 2, { shed: false, clientTimeoutMs: 80 });
  expect(over.good).toBeGreaterThanOrEqual(170);
  expect(over.p99Ms).toBeLessThanOrEqual(80);
});
