/**
 * `npm run bench:measure-pods [-- MODEL …] [--starts N] [--requests N]`: start-up and service times of real inference
 * pods, written to bench/autoscaling/measured/, from where the simulator takes them. What a busy machine gave goes to
 * .ballast/measured/ instead: it is true of that machine at that hour and of no other.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { podNodeEnv, podNodeFlags } from '../../local/bundles.ts';
import { isReady, startEmbeddedBed, until } from '../fidelity/embedded-bed.ts';
import { steadyModel, steadyRequest } from '../fidelity/steady-model.ts';
import type { BenchModel } from '../pod/models.ts';
import { prepareOurs } from '../pod/ours.ts';
import { freePort, startServer } from '../pod/server-process.ts';
import { type MeasuredService, type MeasuredStartup, machineFacts, quantiles } from './measured.ts';

const root = join(import.meta.dirname, '../..');
/** More processes than this that wait for a core before it begins, and the figures are not fit to be kept. */
const quiet = 0.5;
const loadBefore = machineFacts().loadAverage;
const out = loadBefore <= quiet ? join(import.meta.dirname, 'measured') : join(root, '.ballast/measured');
const rowCounts = [1, 2, 4, 8, 16];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { starts: { type: 'string', default: '12' }, requests: { type: 'string', default: '400' } },
});
const starts = Number(values.starts);
const requests = Number(values.requests);
mkdirSync(join(root, '.ballast'), { recursive: true });
const work = mkdtempSync(join(root, '.ballast', 'measure-pods-'));
const folder = join(work, 'models');
mkdirSync(folder, { recursive: true });
mkdirSync(out, { recursive: true });

interface Inference {
  readonly inputs: readonly { name: string; datatype: string; shape: number[]; data: unknown[] }[];
}

/** The first row of a request, `rows` times. */
function repeated({ inputs }: Inference, rows: number): string {
  return JSON.stringify({
    inputs: inputs.map(({ name, datatype, shape, data }) => {
      const row = data.slice(0, data.length / (shape[0] ?? 1));
      return {
        name,
        datatype,
        shape: [rows, ...shape.slice(1)],
        data: Array.from({ length: rows }, () => row).flat(),
      };
    }),
  });
}

interface Subject {
  readonly model: BenchModel;
  readonly body: (rows: number) => string;
  readonly rows: readonly number[];
}

/** A sample, or `steady-N`, which takes one row. */
function subjectOf(name: string): Subject {
  const steps = /^steady-(\d+)$/.exec(name)?.[1];
  if (steps !== undefined)
    return { model: steadyModel(folder, Number(steps)), body: () => steadyRequest, rows: [1] };
  const path = join(folder, `${name}.onnx`);
  copyFileSync(join(root, 'samples', name, 'model.onnx'), path);
  const golden = JSON.parse(
    readFileSync(join(root, 'samples', name, 'golden/request.json'), 'utf8'),
  ) as Inference;
  const none = { name: '', datatype: 'FP32' as const, row: [] };
  return {
    model: { name, path, megabytes: 0, input: none, output: none },
    body: (rows) => repeated(golden, rows),
    rows: rowCounts,
  };
}

const bed = await startEmbeddedBed(folder);

/** Starts the serving process several times; with the last one, service times: one request at a time. */
async function measureProcess({ model, body, rows }: Subject) {
  const ready: number[] = [];
  const service: Record<string, number[]> = {};
  for (let start = 0; start < starts; start += 1) {
    const port = await freePort();
    const setting = { model, port, directory: join(work, `${model.name}-${start}`) };
    const env = { ...podNodeEnv, ...prepareOurs(setting, bed.bundles) };
    const agent = new Agent({ connections: 1 });
    const startedMs = performance.now();
    const argv = [
      process.execPath,
      ...podNodeFlags,
      join(bed.bundles.directory, 'inference-pod.mjs'),
      'serve',
    ];
    const server = startServer({ argv, env }, join(setting.directory, 'log'));
    const base = `http://127.0.0.1:${port}`;
    try {
      await until(`${model.name} is ready`, async () => {
        const answer = await request(`${base}/v2/health/ready`, { dispatcher: agent }).catch(() => undefined);
        await answer?.body.dump();
        return answer?.statusCode === 200;
      });
      ready.push((performance.now() - startedMs) / 1_000);
      if (start < starts - 1) continue;
      for (const count of rows) {
        const times: number[] = [];
        const sent = body(count);
        // The first tenth warms connections, caches and the engine's memory, and is left out.
        for (let index = 0; index < 1.1 * requests; index += 1) {
          const sentMs = performance.now();
          const answer = await request(`${base}/v2/models/bench/infer`, {
            method: 'POST',
            dispatcher: agent,
            body: sent,
            headers: { 'content-type': 'application/json' },
          });
          await answer.body.dump();
          if (answer.statusCode !== 200)
            throw new Error(`${model.name}: ${count} rows: ${answer.statusCode}`);
          if (index >= 0.1 * requests) times.push((performance.now() - sentMs) / 1_000);
        }
        service[count] = times;
      }
    } finally {
      await agent.destroy();
      await server.stop();
    }
  }
  return { ready, service };
}

/** Pods of one deployment, each made after the one before is Ready: seconds from the API server's having it to Ready. */
async function measureCluster({ model }: Subject): Promise<number[]> {
  const times: number[] = [];
  const file = model.path.split('/').at(-1) ?? '';
  const { name } = model;
  await bed.create(name, file, {
    scaling: { mode: 'Fixed', replicas: 1 },
    runtime: { resources: { requests: { cpu: '500m' }, limits: { cpu: '1' } } },
  });
  for (let replicas = 1; replicas <= starts; replicas += 1) {
    if (replicas > 1) await bed.patch(name, { scaling: { replicas } });
    let seenMs: number | undefined;
    await until(`${replicas} pods of ${name}`, async () => {
      const pods = await bed.pods(name);
      if (seenMs === undefined && pods.length >= replicas) seenMs = performance.now();
      return pods.filter(isReady).length >= replicas;
    });
    times.push((performance.now() - (seenMs ?? performance.now())) / 1_000);
  }
  await bed.patch(name, { scaling: { replicas: 1 } });
  return times;
}

const ms = (seconds: readonly number[], share: number) => {
  const sorted = [...seconds].sort((one, other) => one - other);
  return ((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0) * 1_000).toFixed(1);
};

if (loadBefore > quiet)
  console.log(
    `load average ${loadBefore}: a busy machine. The figures go to .ballast/measured/, not into the repository`,
  );
try {
  for (const name of positionals.length > 0 ? positionals : ['wine', 'digit-images', 'steady-24']) {
    const subject = subjectOf(name);
    const { ready, service } = await measureProcess(subject);
    const createToReady = await measureCluster(subject);
    const rows = Object.fromEntries(
      Object.entries(service).map(([count, times]) => [count, quantiles(times)]),
    );
    // Its own work is no other's: the load that counts is that before it began.
    const machine = { ...machineFacts(), loadAverage: loadBefore };
    const serviceFile: MeasuredService = { version: 1, model: name, rows, machine };
    const startupFile: MeasuredStartup = {
      version: 1,
      model: name,
      createToReady: quantiles(createToReady),
      processToReady: quantiles(ready),
      machine,
    };
    const paths = [join(out, `${name}.service.json`), join(out, `${name}.startup.json`)];
    for (const [index, path] of paths.entries())
      writeFileSync(path, JSON.stringify([serviceFile, startupFile][index]));
    // Files of the repository are in the form that `npm run check` asks for.
    if (loadBefore <= quiet)
      spawnSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', ...paths]);
    console.log(
      `${name}: process to ready ${ms(ready, 0.5)} ms (p90 ${ms(ready, 0.9)}), create to ready ${ms(createToReady, 0.5)} ms (p90 ${ms(createToReady, 0.9)}), ${starts} starts`,
    );
    for (const [count, times] of Object.entries(service))
      console.log(
        `  ${count.padStart(2)} rows: p50 ${ms(times, 0.5)} ms, p90 ${ms(times, 0.9)}, p99 ${ms(times, 0.99)}, ${requests} requests one after the other`,
      );
  }
} finally {
  await bed.close();
  rmSync(work, { recursive: true, force: true });
}
