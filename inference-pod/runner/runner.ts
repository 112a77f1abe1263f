/** The main thread's side of the runner thread. */
import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { Tensor } from '../../protocol/datatypes.ts';
import type { FromRunner, RunnerOptions, ToRunner } from './messages.ts';

export interface BatchResult {
  readonly outputs: readonly Tensor[];
  readonly runMs: number;
  /** What of that the runner's thread had the CPU for; unknown where nobody measures it. */
  readonly cpuMs?: number | undefined;
}

/** The model refused or failed this batch; other batches are untouched. */
export class RunFailed extends Error {
  readonly runMs: number;
  constructor(message: string, runMs: number) {
    super(message);
    this.name = 'RunFailed';
    this.runMs = runMs;
  }
}

/** Runs batches on another thread. At most one batch at a time may be given to it. */
export interface Runner {
  /** Takes the inputs' buffers away from the caller. */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<BatchResult>;
  /** When the running batch (or the loading) began, monotonic milliseconds; undefined when idle. */
  readonly busySinceMs: number | undefined;
  /** Stops between two batches; must not be called while one runs. */
  stop(): Promise<void>;
}

/** The worker's file: beside this one in the sources, `runner-worker.mjs` beside the bundle. */
const workerUrl = () =>
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './runner-worker.mjs', import.meta.url);

/** Starts the thread and loads the model; rejects with onnxruntime's words when it cannot. */
export const startRunner = (
  options: RunnerOptions,
  onLost: (message: string) => void,
  onStarted?: (busySince: () => number | undefined) => void,
): Promise<Runner> => {
  const worker = new Worker(workerUrl(), {
    workerData: options,
    name: 'runner',
    // Native code in the worker reads the environment of the process: see config.ts.
    env: SHARE_ENV,
    execArgv: [],
  });
  let busySinceMs: number | undefined = performance.now();
  onStarted?.(() => busySinceMs);
  let nextId = 0;
  let stopping = false;
  let waiting: { id: number; resolve(result: BatchResult): void; reject(error: Error): void } | undefined;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  const runner: Runner = {
    run: (inputs, outputs) =>
      new Promise((resolve, reject) => {
        if (waiting !== undefined) throw new Error('the runner was given a batch while one runs');
        nextId += 1;
        waiting = { id: nextId, resolve, reject };
        busySinceMs = performance.now();
        const transfer = new Set<ArrayBuffer>();
        for (const { data } of inputs)
          if (!Array.isArray(data) && data.byteLength > 0) transfer.add(data.buffer);
        const message: ToRunner = { kind: 'run', id: nextId, inputs, outputs };
        try {
          worker.postMessage(message, [...transfer]);
        } catch (error) {
          // What cannot be sent must not look like a run that hangs.
          waiting = undefined;
          busySinceMs = undefined;
          throw error;
        }
      }),
    get busySinceMs() {
      return busySinceMs;
    },
    stop: async () => {
      stopping = true;
      const message: ToRunner = { kind: 'stop' };
      worker.postMessage(message);
      await exited;
    },
  };

  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromRunner) => {
      busySinceMs = undefined;
      if (message.kind === 'loaded') resolve(runner);
      else if (message.kind === 'loadFailed') {
        stopping = true;
        reject(new Error(message.message));
      } else {
        const current = waiting;
        waiting = undefined;
        if (current === undefined || current.id !== message.id) return;
        if (message.kind === 'done') current.resolve(message);
        else current.reject(new RunFailed(message.message, message.runMs));
      }
    });
    const lose = (message: string) => {
      if (stopping) return;
      stopping = true;
      waiting?.reject(new Error(message));
      reject(new Error(message));
      onLost(message);
    };
    worker.on('error', (error) => lose(`the runner thread failed: ${error.message}`));
    worker.on('exit', (code) => lose(`the runner thread ended with code ${code}`));
  });
};
