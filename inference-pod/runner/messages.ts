/** What the main thread and the runner thread say to each other: one message per batch, buffers transferred. */
import type { Tensor } from '../../protocol/datatypes.ts';

/** How to load the model; the runner thread gets it as its workerData. */
export interface RunnerOptions {
  readonly modelPath: string;
  /** A model that was changed in memory (ZipMap rewired) is loaded from here instead of from its path. */
  readonly modelBytes?: Uint8Array;
  readonly threads: number;
}

export interface RunBatch {
  readonly kind: 'run';
  readonly id: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly string[];
}

export interface StopRunner {
  readonly kind: 'stop';
}

export type ToRunner = RunBatch | StopRunner;

export interface RunnerLoaded {
  readonly kind: 'loaded';
  readonly loadMs: number;
}

export interface RunnerLoadFailed {
  readonly kind: 'loadFailed';
  readonly message: string;
}

export interface BatchDone {
  readonly kind: 'done';
  readonly id: number;
  readonly outputs: readonly Tensor[];
  readonly runMs: number;
  readonly cpuMs: number;
}

export interface BatchFailed {
  readonly kind: 'failed';
  readonly id: number;
  readonly message: string;
  readonly runMs: number;
}

export type FromRunner = RunnerLoaded | RunnerLoadFailed | BatchDone | BatchFailed;
