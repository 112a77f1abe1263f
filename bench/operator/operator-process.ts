/** The operator as a process of its own, as in its image, and what the kernel and its `/metrics` say of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildBundles, operatorNodeEnv, operatorNodeFlags } from '../../local/bundles.ts';
import { cpuSecondsOf } from './processes.ts';

export interface OperatorProcess {
  /** Milliseconds of `performance.now()` at its start. */
  readonly startedMs: number;
  readonly pid: number;
  cpuSeconds(): number;
  /** Resident memory now and at its highest, MB. */
  memoryMb(): { readonly now: number; readonly peak: number };
  metrics(): Promise<Metrics>;
  /** Warnings and errors that it logged. */
  readonly complaints: readonly string[];
  stop(): Promise<void>;
}

export interface Metrics {
  /** Sum of the series of that name whose labels match. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** Copies the operator's bundle into `directory`, so that sources may change while the bench runs. */
export async function bundleOperator(root: string, directory: string): Promise<string> {
  const built = await buildBundles(root, join(root, '.ballast'));
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(built.directory, directory, { recursive: true, verbatimSymlinks: true });
  return join(directory, 'operator.mjs');
}

/** Starts the operator with no limit of its own on requests; resolves when it serves `/metrics`. */
export async function startOperatorProcess(
  bundle: string,
  kubeconfig: string,
  nodeFlags: readonly string[] = [],
  settings: Readonly<Record<string, string>> = {},
): Promise<OperatorProcess> {
  const startedMs = performance.now();
  const flags = {
    kubeconfig,
    'ops-host': '127.0.0.1',
    'ops-port': '0',
    qps: '10000',
    burst: '20000',
    ...settings,
  };
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...operatorNodeFlags,
      ...nodeFlags,
      bundle,
      ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    ],
    { env: { ...operatorNodeEnv, PATH: process.env.PATH ?? '' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const { stderr, pid } = child;
  if (stderr === null || pid === undefined) throw new Error('the operator did not start');
  const complaints: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code, signal) =>
      reject(new Error(`the operator ended with ${signal ?? `code ${code}`}: ${complaints.join('\n')}`)),
    );
    createInterface({ input: stderr }).on('line', (line) => {
      if (!line.startsWith('{')) return void complaints.push(line);
      const entry = JSON.parse(line) as { level: string; opsPort?: number };
      if (entry.level === 'error' || entry.level === 'warn') complaints.push(line);
      if (entry.opsPort !== undefined) resolve(entry.opsPort);
    });
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    startedMs,
    pid,
    complaints,
    cpuSeconds: () => cpuSecondsOf(pid),
    memoryMb: () => ({ now: statusMb(pid, 'VmRSS'), peak: statusMb(pid, 'VmHWM') }),
    metrics: async () => parseMetrics(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

const statusMb = (pid: number, field: string) =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

/** Reads Prometheus' text format as far as the bench needs it. */
export function parseMetrics(text: string): Metrics {
  const series = text
    .split('\n')
    .map((line) => /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name = '', labels = '', value]) => ({ name, labels, value: Number(value) }));
  return {
    sum: (name, labels = {}) =>
      series
        .filter(
          (one) =>
            one.name === name &&
            Object.entries(labels).every(([label, value]) => one.labels.includes(`${label}="${value}"`)),
        )
        .reduce((sum, one) => sum + one.value, 0),
  };
}
