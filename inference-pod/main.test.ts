/** The pod as a process: exit codes, last words, hang and memory limits, the drain. */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, get, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { classifier, infiniteLoop, loopOnDemand, memoryOnDemand } from './testing/models.ts';
import { makePodDirectory, type PodDirectory, type PodProcess, spawnPod, until } from './testing/pod.ts';

const directories: PodDirectory[] = [];
const processes: PodProcess[] = [];
const directoryWith = (model?: Uint8Array) => {
  const directory = makePodDirectory(model);
  directories.push(directory);
  return directory;
};
const run = (command: string, env: Record<string, string>) => {
  const process = spawnPod(command, env);
  processes.push(process);
  return process;
};
afterEach(async () => {
  for (const { child, exited } of processes.splice(0)) {
    child.kill('SIGKILL');
    await exited;
  }
  for (const directory of directories.splice(0)) directory.remove();
});

const status = async (port: number, path: string): Promise<number> => {
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  } catch {
    return 0;
  }
};
const infer = async (port: number, name: string, shape: number[], data: number[], datatype = 'INT64') => {
  const response = await fetch(`http://127.0.0.1:${port}/v2/models/m/infer`, {
    method: 'POST',
    body: JSON.stringify({ inputs: [{ name, shape, datatype, data }] }),
  });
  return { status: response.status, body: (await response.json()) as unknown };
};

describe('exit codes and last words', () => {
  test('a variable that nothing reads', async () => {
    const directory = directoryWith();
    const pod = run('serve', { ...directory.env, BALLAST_TREADS: '2', BALLAST_HTTP_PORT: 'x' });
    expect((await pod.exited).code).toBe(2);
    expect(directory.termination()).toEqual({
      reason: 'ConfigInvalid',
      message:
        'BALLAST_TREADS is not a variable of the inference pod; BALLAST_HTTP_PORT: must be a whole number',
    });
  });
  test('fetch writes the manifest, and an exit code for each failure', async () => {
    const directory = directoryWith();
    writeFileSync(join(directory.root, 'files/m.onnx'), classifier());
    const fetchOf = (env: Record<string, string>) => run('fetch', { ...directory.env, ...env }).exited;
    const uri = `file://${directory.root}/files/m.onnx`;
    const results = await Promise.all([
      fetchOf({ BALLAST_MODEL_URI: uri }),
      fetchOf({
        BALLAST_MODEL_URI: `file://${directory.root}/files/none.onnx`,
        BALLAST_MODEL_DIR: join(directory.root, 'model2'),
        BALLAST_TERMINATION_LOG: join(directory.root, 't2'),
      }),
      fetchOf({
        BALLAST_MODEL_URI: uri,
        BALLAST_MODEL_SHA256: 'a'.repeat(64),
        BALLAST_MODEL_DIR: join(directory.root, 'model3'),
        BALLAST_TERMINATION_LOG: join(directory.root, 't3'),
      }),
    ]);
    expect(results.map(({ code }) => code)).toEqual([0, 3, 4]);
    expect(directory.termination()).toEqual({
      uri,
      bytes: classifier().length,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
  test('a model that cannot be loaded ends with 6, one that is none with 3', async () => {
    const empty = directoryWith(new Uint8Array());
    expect((await run('serve', empty.env).exited).code).toBe(3);
    expect(empty.termination()).toEqual({ reason: 'ModelInvalid', message: 'the file is empty' });
    const missing = directoryWith();
    expect((await run('serve', missing.env).exited).code).toBe(3);
    expect(missing.termination()?.reason).toBe('ModelNotFound');
  });
});

test('onnxruntime neither phones home nor writes there', async () => {
  const directory = directoryWith(classifier());
  const home = join(directory.root, 'home');
  mkdirSync(home);
  // With a delay that passes by itself.
  const pod = run('serve', { ...directory.env, HOME: home, TMPDIR: home, BALLAST_DRAIN_DELAY_MS: '600' });
  const ports = await pod.ports();
  await until(async () => (await status(ports.ops, '/readyz')) === 200);
  pod.child.kill('SIGTERM');
  expect((await pod.exited).code).toBe(0);
  expect(readdirSync(home)).toEqual([]);
});

/** The way a process ends that aborts: by the signal, or as PID 1 with 128 + a signal's number. */
const aborted = { code: null, signal: 'SIGABRT' };

describe('limits that end the pod', () => {
  test('a run that hangs: 504 at the deadline, probes answered meanwhile, then the end', async () => {
    const directory = directoryWith(loopOnDemand());
    directory.writeLiveConfig({ timeoutMs: 200 });
    const pod = run('serve', { ...directory.env, BALLAST_HANG_LIMIT_MS: '3000' });
    const ports = await pod.ports();
    await until(async () => (await status(ports.ops, '/readyz')) === 200);
    expect((await infer(ports.http, 'trips', [], [3])).status).toBe(200);
    const sentAt = performance.now();
    const late = await infer(ports.http, 'trips', [], [1e15]);
    expect(late).toEqual({
      status: 504,
      body: { error: 'Request timeout expired: not answered within 200 ms' },
    });
    expect(performance.now() - sentAt).toBeLessThan(2500);
    // What waits behind it is answered at its deadline too, and never run.
    const behind = infer(ports.http, 'trips', [], [1]);
    const askedAt = performance.now();
    expect(await status(ports.ops, '/livez')).toBe(200);
    expect(performance.now() - askedAt).toBeLessThan(500);
    expect((await behind).status).toBe(504);
    expect(await pod.exited).toEqual(aborted);
    expect(directory.termination()).toEqual({
      reason: 'RunHung',
      message: expect.stringMatching(/^the model ran for \d+ ms without an end, the limit is 3000 ms$/),
    });
    // The last line is out before the end.
    expect(pod.log()).toMatch(/"message":"the pod ends itself".*"reason":"RunHung"/);
  });
  test('a model that never ends is found while warming up', async () => {
    const directory = directoryWith(infiniteLoop());
    expect(infiniteLoop().length).toBeLessThan(300);
    const pod = run('serve', { ...directory.env, BALLAST_HANG_LIMIT_MS: '500' });
    expect(await pod.exited).toEqual(aborted);
    expect(directory.termination()?.reason).toBe('WarmUpFailed');
  });
  test('a run that takes memory without end', async () => {
    const directory = directoryWith(memoryOnDemand());
    const limitMiB = 512;
    const pod = run('serve', { ...directory.env, BALLAST_MEMORY_LIMIT_BYTES: String(limitMiB * 2 ** 20) });
    const ports = await pod.ports();
    await until(async () => (await status(ports.ops, '/readyz')) === 200);
    expect((await infer(ports.http, 'size', [1], [1000])).status).toBe(200);
    await infer(ports.http, 'size', [1], [1e9]).catch(() => undefined);
    expect(await pod.exited).toEqual(aborted);
    const message = directory.termination();
    expect(message?.reason).toBe('MemoryExceeded');
    // Caught on the way up, close to 90 % of the limit, and not after the 4 GB that the run wanted.
    const usedMiB = Number(/uses (\d+) MiB/.exec(message?.message ?? '')?.[1]);
    expect(usedMiB).toBeGreaterThan(limitMiB * 0.85);
    expect(usedMiB).toBeLessThan(limitMiB * 4);
  });
  test('what abort leaves on the disk holds no memory of the pod', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'ballast-core-'));
    const script = join(import.meta.dirname, 'limits/core-size.ts');
    const code = `import { withoutCoreDumps } from ${JSON.stringify(script)}; console.log(withoutCoreDumps()); globalThis.secret = Buffer.alloc(50_000_000, 7); process.abort();`;
    const child = spawn(
      'sh',
      ['-c', 'ulimit -c unlimited && exec "$0" --input-type=module -e "$1"', process.execPath, code],
      {
        cwd,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(said === 'filter is 0\n' || process.platform !== 'linux').toBe(true);
    for (const file of readdirSync(cwd)) expect(statSync(join(cwd, file)).size).toBeLessThan(1_000_000);
    rmSync(cwd, { recursive: true, force: true });
  });
});

describe('SIGTERM', () => {
  test('unready at once, serving on, then drained, exit 0, nothing dropped', async () => {
    const directory = directoryWith(classifier());
    // Longer than any machine takes for what follows; the second signal ends it.
    const pod = run('serve', { ...directory.env, BALLAST_DRAIN_DELAY_MS: '60000' });
    const ports = await pod.ports();
    await until(async () => (await status(ports.ops, '/readyz')) === 200);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const body = JSON.stringify({
      inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }],
    });
    const outcomes: (number | string)[] = [];
    const send = () =>
      new Promise<number | string>((resolve) => {
        const request = httpRequest(
          { host: '127.0.0.1', port: ports.http, path: '/v2/models/m/infer', method: 'POST', agent },
          (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode ?? 0));
          },
        );
        request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
        request.end(body);
      });
    let isOut = false;
    const client = async () => {
      while (!isOut) outcomes.push(await send());
    };
    const clients = Array.from({ length: 8 }, client);
    await until(() => outcomes.length > 50);
    const before = outcomes.length;
    pod.child.kill('SIGTERM');
    await until(async () => (await status(ports.ops, '/readyz')) === 503);
    expect(await status(ports.http, '/v2/health/ready')).toBe(503);
    // As a proxy does that takes a moment to learn it.
    const after = outcomes.length;
    await until(() => outcomes.length > after + 50);
    isOut = true;
    await Promise.all(clients);
    pod.child.kill('SIGTERM');
    expect(await pod.exited).toEqual({ code: 0, signal: null });
    agent.destroy();
    expect(outcomes.length).toBeGreaterThan(before);
    expect(outcomes.filter((outcome) => outcome !== 200)).toEqual([]);
  });
  test('a long run that began before is answered', async () => {
    const directory = directoryWith(loopOnDemand());
    directory.writeLiveConfig({ timeoutMs: 20_000 });
    const pod = run('serve', directory.env);
    const ports = await pod.ports();
    await until(async () => (await status(ports.ops, '/readyz')) === 200);
    const answer = infer(ports.http, 'trips', [], [1_000_000]);
    await until(async () => {
      const load = (await (await fetch(`http://127.0.0.1:${ports.ops}/load`)).json()) as { inFlight: number };
      return load.inFlight === 1;
    });
    pod.child.kill('SIGTERM');
    expect((await answer).status).toBe(200);
    expect(await pod.exited).toEqual({ code: 0, signal: null });
  });
  test('while it still loads: exit 0', async () => {
    const directory = directoryWith(classifier());
    const pod = run('serve', { ...directory.env, BALLAST_DRAIN_DELAY_MS: '60000' });
    const ports = await pod.ports();
    get({ host: '127.0.0.1', port: ports.ops, path: '/livez' }).on('error', () => undefined);
    pod.child.kill('SIGTERM');
    // The delay is for pods that were ready; a second signal cuts it short where the start was faster than the signal.
    setTimeout(() => pod.child.kill('SIGTERM'), 300);
    expect(await pod.exited).toEqual({ code: 0, signal: null });
  });
});
