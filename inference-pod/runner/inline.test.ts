/** Pods that run their model on the main thread, as processes: jest's own context is none that onnxruntime can run in. */
import { afterEach, expect, test } from '@jest/globals';
import { classifier, lookupTable } from '../testing/models.ts';
import { makePodDirectory, type PodDirectory, type PodProcess, spawnPod, until } from '../testing/pod.ts';

let pod: PodProcess | undefined;
let directory: PodDirectory | undefined;
afterEach(async () => {
  pod?.child.kill('SIGKILL');
  await pod?.exited;
  directory?.remove();
});

const serve = async (model: Uint8Array, runnerThread: string) => {
  directory = makePodDirectory(model);
  const served = spawnPod('serve', { ...directory.env, BALLAST_RUNNER_THREAD: runnerThread });
  pod = served;
  const { http } = await served.ports();
  await until(() => served.log().includes('"message":"ready"'), 30_000);
  const line =
    served
      .log()
      .split('\n')
      .find((text) => text.includes('"message":"ready"')) ?? '';
  const infer = async (rows: number, data: readonly number[], name = 'x', datatype = 'FP32') => {
    const shape = name === 'x' ? [rows, 4] : [rows];
    const body = JSON.stringify({ inputs: [{ name, shape, datatype, data }] });
    const answer = await fetch(`http://127.0.0.1:${http}/v2/models/m/infer`, { method: 'POST', body });
    return { status: answer.status, body: (await answer.json()) as { outputs: { data: number[] }[] } };
  };
  const end = async () => {
    served.child.kill('SIGTERM');
    return served.exited;
  };
  return { runner: (JSON.parse(line) as { runner: string }).runner, infer, end };
};

test('answers are those of the thread, alone, together and in pieces, and the pod ends well', async () => {
  const data = Array.from({ length: 4 * 2_000 }, (_, i) => (i % 100) / 10);
  const threaded = await serve(classifier(), 'Always');
  expect(threaded.runner).toBe('thread');
  const want = (await threaded.infer(2_000, data)).body.outputs[0]?.data ?? [];
  expect((await threaded.end()).code).toBe(0);
  directory?.remove();

  const { runner, infer, end } = await serve(classifier(), 'Auto');
  // A machine that is too busy for a run within a millisecond measures itself back to the thread.
  expect(['main thread', 'thread']).toContain(runner);
  const rows = Array.from({ length: 40 }, (_, row) => data.slice(4 * row, 4 * row + 4));
  const together = await Promise.all(rows.map((row) => infer(1, row)));
  for (const [row, { status, body }] of together.entries()) {
    expect(status).toBe(200);
    for (const [i, value] of (body.outputs[0]?.data ?? []).entries())
      expect(value).toBeCloseTo(want[3 * row + i] ?? Number.NaN, 5);
  }
  const large = (await infer(2_000, data)).body.outputs[0]?.data ?? [];
  expect(large).toHaveLength(6_000);
  for (const [i, value] of large.entries())
    expect(Math.abs(value - (want[i] ?? Number.NaN))).toBeLessThan(1e-5);
  expect(await end()).toEqual({ code: 0, signal: null });
}, 60_000);

test('a model whose work its values decide gets a thread', async () => {
  const { runner, infer, end } = await serve(lookupTable(), 'Auto');
  expect(runner).toBe('thread');
  expect((await infer(1, [0], 'i', 'INT64')).status).toBe(200);
  expect(await end()).toEqual({ code: 0, signal: null });
}, 60_000);
