/** `npm run bench:pod-start [-- RUNS]`: from the start of the pod's process to its first ready answer, as the bundle that images hold. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';

const targetMs = 400;
const runs = Number(process.argv[2] ?? 11);
const root = join(import.meta.dirname, '..');
// Inside the checkout, so that the bundle finds onnxruntime-node.
const work = join(root, '.ballast');
mkdirSync(work, { recursive: true });
const dir = mkdtempSync(join(work, 'bench-pod-start-'));

const bundle = async () => {
  await build({
    entryPoints: {
      main: join(root, 'inference-pod/main.ts'),
      'runner-worker': join(root, 'inference-pod/runner/worker.ts'),
    },
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['onnxruntime-node'],
    banner: {
      js: "import { createRequire as _createRequire } from 'node:module'; const require = _createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
};

const environment = (model: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH ?? '',
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
  spawn(process.execPath, [join(dir, 'main.mjs'), command], {
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

/** One start: reads the ops port from the log, then asks /readyz until it says yes. */
const measure = async (model: string): Promise<number> => {
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
  child.kill('SIGTERM');
  await exit;
  return tookMs;
};

try {
  await bundle();
  let isMissed = false;
  for (const sample of ['wine', 'digits', 'penguins', 'digit-images']) {
    const model = join(root, 'samples', sample, 'model.onnx');
    if ((await ended(start('fetch', model).on('error', () => undefined))) !== 0)
      throw new Error(`${sample} cannot be fetched`);
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) times.push(await measure(model));
    times.sort((a, b) => a - b);
    const at = (p: number) =>
      Math.round(times[Math.min(times.length - 1, Math.floor(p * times.length))] ?? 0);
    const median = at(0.5);
    isMissed ||= median > targetMs;
    console.log(
      `${sample.padEnd(13)} start to ready: median ${median} ms (fastest ${at(0)}, slowest ${at(1)}, ${runs} runs), target ${targetMs} ms: ${median <= targetMs ? 'MET' : 'MISSED'}`,
    );
  }
  process.exitCode = isMissed ? 1 : 0;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
