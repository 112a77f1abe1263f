/** `npm run bench:pod-start [-- RUNS]`: from the start of the pod's process to its first ready answer, as the bundle that images hold. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { buildBundles, podNodeEnv, podNodeFlags } from '../local/bundles.ts';

const targetMs = 400;
const runs = Number(process.argv[2] ?? 11);
const root = join(import.meta.dirname, '..');
const work = join(root, '.ballast');
mkdirSync(work, { recursive: true });
const dir = mkdtempSync(join(work, 'bench-pod-start-'));
const bundles = await buildBundles(root, work);

const environment = (model: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH ?? '',
  ...podNodeEnv,
  BALLAST_MODEL_NAME: 'bench',
  BALLAST_MODEL_URI: `file://${model}`,
  BALLAST_FILE_ROOTS: join(root, 'samples'),
  BALLAST_MODEL_DIR: join(dir, 'model'),
  BALLAST_CONFIG_DIR: join(dir, 'config'),
  BALLAST_TERMINATION_LOG: join(dir, 'termination'),
  BALLAST_LISTEN_HOST: '127.0.0.1',
  BALLAST_HTTP_PORT: '0',
  BALLAST_OPS_PORT: '0',
  BALLAST_DRAIN_DELAY_MS: '0',
});

const start = (command: string, model: string): ChildProcess =>
  spawn(process.execPath, [...podNodeFlags, join(bundles.directory, 'inference-pod.mjs'), command], {
    env: environment(model),
    stdio: ['ignore', 'pipe', 'inherit'],
  });

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

const isReady = (port: number) =>
  new Promise<boolean>((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false));
  });

/** CPU time of a process so far, all threads, milliseconds; undefined where there is no /proc. */
const cpuMs = (pid: number | undefined): number | undefined => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // utime and stime, in ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return undefined;
  }
};

/** One start: reads the ops port from the log, then asks /readyz until it says yes. */
const measure = async (model: string): Promise<{ tookMs: number; usedMs: number | undefined }> => {
  const startedAt = performance.now();
  const child = start('serve', model);
  const exit = ended(child);
  let log = '';
  const opsPort = await new Promise<number>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      const port = /"opsPort":(\d+)/.exec(log)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  while (!(await isReady(opsPort))) await new Promise((resolve) => setTimeout(resolve, 2));
  const tookMs = performance.now() - startedAt;
  const usedMs = cpuMs(child.pid);
  child.kill('SIGTERM');
  await exit;
  return { tookMs, usedMs };
};

try {
  let isMissed = false;
  for (const sample of ['wine', 'digits', 'penguins', 'digit-images']) {
    const model = join(root, 'samples', sample, 'model.onnx');
    if ((await ended(start('fetch', model).on('error', () => undefined))) !== 0)
      throw new Error(`${sample} cannot be fetched`);
    const times: number[] = [];
    const used: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const { tookMs, usedMs } = await measure(model);
      times.push(tookMs);
      if (usedMs !== undefined) used.push(usedMs);
    }
    const at = (values: number[], p: number) =>
      Math.round(
        values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(p * values.length))] ?? 0,
      );
    const median = at(times, 0.5);
    isMissed ||= median > targetMs;
    console.log(
      `${sample.padEnd(13)} start to ready: median ${median} ms (fastest ${at(times, 0)}, slowest ${at(times, 1)}, CPU ${at(used, 0.5)} ms, ${runs} runs, load average ${(loadavg()[0] ?? 0).toFixed(1)}), target ${targetMs} ms: ${median <= targetMs ? 'MET' : 'MISSED'}`,
    );
  }
  process.exitCode = isMissed ? 1 : 0;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
