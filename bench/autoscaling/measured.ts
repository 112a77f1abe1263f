/** What was measured of real pods, as files that the simulator reads: quantiles of seconds, and the machine that they were measured on. */
import { cpus, loadavg, release, totalmem } from 'node:os';

/** The machine, and how busy it was: figures of a busy one hold for a busy one. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Mean number of processes that ran or waited for a core in the minute before. */
  readonly loadAverage: number;
}

/** Service times of one model: seconds that a client waits for a pod without a queue, by the rows of the request. */
export interface MeasuredService {
  readonly version: 1;
  readonly model: string;
  readonly rows: Readonly<Record<string, readonly number[]>>;
  readonly machine: Machine;
}

/** Start-up times of pods of one model, seconds. */
export interface MeasuredStartup {
  readonly version: 1;
  readonly model: string;
  /** From the pod's being there at the API server to Ready, on the embedded cluster. */
  readonly createToReady: readonly number[];
  /** From the start of the serving process to its first "ready". */
  readonly processToReady: readonly number[];
  readonly machine: Machine;
}

/** Facts of this machine. */
export const machineFacts = (): Machine => ({
  processor: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
  loadAverage: Number((loadavg()[0] ?? 0).toFixed(1)),
});

/** At most `most` values that stand for all: each is the middle of an equal share of them, ascending, 4 digits. */
export function quantiles(values: readonly number[], most = 64): number[] {
  const sorted = [...values].sort((one, other) => one - other);
  const count = Math.min(most, sorted.length);
  return Array.from({ length: count }, (_, index) =>
    Number((sorted[Math.floor(((index + 0.5) * sorted.length) / count)] ?? 0).toPrecision(4)),
  );
}
