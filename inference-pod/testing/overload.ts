/** Overload, simulated: the real admission, queue, dispatcher and cost book; the clock, the core and the runner are the test's. */
import type { Tensor } from '../../protocol/datatypes.ts';
import { Deadlines } from '../../queue/deadlines.ts';
import { Bias } from '../admission/bias.ts';
import { BatchQueue } from '../batching/batch-queue.ts';
import { CostBook } from '../batching/cost-book.ts';
import { CostCurve } from '../batching/cost-curve.ts';
import { Dispatcher, type Job } from '../batching/dispatcher.ts';
import { createInferenceService } from '../inference/service.ts';
import type { BatchResult, Runner } from '../runner/runner.ts';

/** What the simulated clients were promised, milliseconds. */
export const promisedMs = 100;

/** What the main thread takes of the core that it shares with the runner, milliseconds of CPU per request. */
export interface MainThread {
  readonly refuseMs: number;
  readonly readMs: number;
  readonly answerMs: number;
}

export interface OverloadSetting {
  /** Milliseconds that a batch of so many rows takes: what warm-up measured. */
  readonly costs: Readonly<Record<number, number>>;
  readonly perSecond: number;
  readonly seconds: number;
  /** False: `traffic.shedAt: Timeout`. */
  readonly shed?: boolean;
  /** Runs take so many times what warm-up measured. */
  readonly slower?: number;
  readonly clientTimeoutMs?: number;
  /** One core for both threads; without it the main thread takes no time. */
  readonly main?: MainThread;
  readonly seed?: number;
  /** A neighbour takes the core, at random moments. */
  readonly neighbour?: { readonly perSecond: number; readonly ms: number };
}

export interface OverloadOutcome {
  /** Answers within the promise, per second. */
  readonly good: number;
  readonly late: number;
  readonly p99Ms: number;
  readonly refused: number;
  /** Refused, or late for a deadline, after they had been let in. */
  readonly dropped: number;
  readonly slowestRefusalMs: number;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const rowOf = (rows: number): Tensor => ({
  name: 'x',
  datatype: 'FP32',
  shape: [rows, 1],
  data: new Float32Array(rows),
});
const quiet = {
  started: () => undefined,
  finished: () => undefined,
  waited: () => undefined,
  batchingOff: () => undefined,
};
const noMain: MainThread = { refuseMs: 0, readMs: 0, answerMs: 0 };

/** Poisson arrivals for so many seconds; runs take what the costs say, ± a fifth. The same numbers every time. */
export const simulateOverload = async (setting: OverloadSetting): Promise<OverloadOutcome> => {
  const { perSecond, seconds, shed = true, slower = 1, clientTimeoutMs, neighbour } = setting;
  const main = setting.main ?? noMain;
  let { seed = 7 } = setting;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const gapMs = (rate: number) => (-Math.log(1 - random()) * 1000) / rate;
  const clock = { ms: 0 };
  const nowMs = () => clock.ms;
  const curve = new CostCurve(new Map(Object.entries(setting.costs).map(([rows, ms]) => [Number(rows), ms])));
  let run: { endMs: number; rows: number; resolve(result: BatchResult): void } | undefined;
  /** The main thread, or a neighbour, has the core: the run goes on when it is done. */
  const taken = (ms: number) => {
    clock.ms += ms;
    if (run !== undefined) run.endMs += ms;
  };
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
  const queue = new BatchQueue<Job>();
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
  let dropped = 0;
  /** When the request that is read now came to its socket. */
  let cameMs = 0;
  const service = createInferenceService({
    modelName: 'm',
    observer: {
      arrived: () => undefined,
      finished: (_at, { outcome, latencyMs }) =>
        void (outcome.status === 200 ? latencies : refusals).push(latencyMs),
    },
    nowMs,
    stoodMs: (atMs) => atMs - cameMs,
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
      taken(main.refuseMs);
      call.finish({ status: (error as { status: number }).status });
      return;
    }
    taken(main.readMs);
    const enqueuedMs = clock.ms;
    call.infer({ inputs: [rowOf(1)], outputs: names, parameters: {} }).then(
      () => {
        taken(main.answerMs);
        call.finish({ status: 200 });
      },
      (error: { status: number }) => {
        if (clock.ms > enqueuedMs) dropped += 1;
        taken(main.refuseMs);
        call.finish({ status: error.status });
      },
    );
  };
  let nextMs = 0;
  let stallMs = neighbour === undefined ? Number.POSITIVE_INFINITY : gapMs(neighbour.perSecond);
  const endMs = seconds * 1000;
  while (nextMs < endMs || run !== undefined) {
    if (neighbour !== undefined && clock.ms >= stallMs) {
      taken(neighbour.ms);
      stallMs += gapMs(neighbour.perSecond);
    }
    const isArrival = nextMs < endMs && (run === undefined || nextMs < run.endMs);
    // What comes while the main thread is busy, or has not got the core, stands in its socket.
    clock.ms = Math.max(clock.ms, isArrival ? nextMs : (run?.endMs ?? nextMs));
    deadlines.advance();
    if (isArrival) {
      cameMs = nextMs;
      nextMs += gapMs(perSecond);
      arrive();
    } else {
      const ended = run;
      run = undefined;
      ended?.resolve({ outputs: [{ ...rowOf(ended.rows), name: 'y' }], runMs: 1 });
    }
    // While the runner is busy an arrival only joins the queue, or is refused.
    if (run === undefined || !isArrival) await turn();
    else await Promise.resolve();
  }
  await turn();
  latencies.sort((a, b) => a - b);
  const good = latencies.filter((ms) => ms <= promisedMs).length;
  return {
    good: good / seconds,
    late: latencies.length - good,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    refused: refusals.length,
    dropped,
    slowestRefusalMs: Math.max(0, ...refusals),
  };
};
