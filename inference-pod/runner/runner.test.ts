/** The model side of the pod, with onnxruntime itself: datatypes, batching, failures of single requests. */
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Datatype } from '../../protocol/datatypes.ts';
import {
  classifier,
  everyDatatype,
  identity,
  lookupTable,
  reciprocal,
  rowsDepend,
  zipMap,
} from '../testing/models.ts';
import { serveModel, type TestPod, type TestPodOptions, until } from '../testing/pod.ts';

let pod: TestPod | undefined;
const serve = async (model: Uint8Array, options?: TestPodOptions) => {
  pod = await serveModel(model, options);
  return pod;
};
afterEach(async () => {
  await pod?.stop();
  pod = undefined;
});

interface Answer {
  error: string;
  outputs: { name: string; shape: number[]; datatype: string; data: unknown[] }[];
}
const bodyOf = (response: { body: unknown } | undefined): Answer => (response?.body ?? {}) as Answer;
const remark = (served: TestPod) =>
  served.log.lines.find((line) => line.message === 'ready')?.fields.batching;

const samples: Partial<Record<Datatype, unknown[]>> = {
  BOOL: [true, false],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  FP32: [0.1, -3.4028235e38],
  FP64: [0.1, 1.7976931348623157e308],
  BYTES: ['', 'é \u0001 "\n 𝄞'],
};

describe('datatypes', () => {
  const types = Object.keys(samples) as Datatype[];
  test('every one goes through onnxruntime and back', async () => {
    const served = await serve(everyDatatype([...types, 'INT64', 'UINT64']));
    const inputs = types.map((type) => ({
      name: `in_${type}`,
      shape: [1, 2],
      datatype: type,
      data: samples[type],
    }));
    const big =
      ',{"name":"in_INT64","shape":[1,2],"datatype":"INT64","data":[-9223372036854775808,9007199254740993]},{"name":"in_UINT64","shape":[1,2],"datatype":"UINT64","data":[0,18446744073709551615]}';
    const body = JSON.stringify({ inputs }).replace(/\]\}$/, `${big}]}`);
    const response = await fetch(`${served.url}/v2/models/m/infer`, { method: 'POST', body });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toContain('"data":[-9223372036854775808,9007199254740993]');
    expect(text).toContain('"data":[0,18446744073709551615]');
    const { outputs } = JSON.parse(text) as Answer;
    for (const type of types) {
      const output = outputs.find(({ name }) => name === `out_${type}`);
      expect(output).toEqual({ name: `out_${type}`, shape: [1, 2], datatype: type, data: samples[type] });
    }
  });

  test('a NUL in a string, which onnxruntime cuts off, is refused', async () => {
    const served = await serve(identity('BYTES', ['N']));
    const { status, body } = await served.infer({
      inputs: [{ name: 'x', shape: [2], datatype: 'BYTES', data: ['a', 'b\u0000c'] }],
    });
    expect(status).toBe(400);
    expect(bodyOf({ body }).error).toMatch(/^input 'x': element 1 holds a NUL character/);
  });

  test('FP16 is served, and JSON is told that it cannot carry it', async () => {
    const served = await serve(identity('FP16', ['N', 2]));
    const metadata = (await (await fetch(`${served.url}/v2/models/m`)).json()) as { inputs: unknown };
    expect(metadata.inputs).toEqual([{ name: 'x', datatype: 'FP16', shape: [-1, 2] }]);
    const { status, body } = await served.infer({
      inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP16', data: [1, 2] }],
    });
    expect(status).toBe(400);
    expect(body).toEqual({
      error:
        "input 'x' has data-type FP16, which has no JSON form: it can be carried as a binary tensor only",
    });
  });

  test.each([
    ['a scalar', [], [], 5],
    ['a shape that varies everywhere', ['a', 'b', 'c'], [1, 2, 3], [1, 2, 3, 4, 5, 6]],
    ['a fixed shape', [2, 2], [2, 2], [1, 2, 3, 4]],
    ['a rank that is not declared', undefined, [3, 1], [1, 2, 3]],
  ] as const)('%s', async (_name, declared, shape, data) => {
    const served = await serve(identity('FP32', declared as (number | string)[] | undefined));
    const { status, body } = await served.infer({ inputs: [{ name: 'x', shape, datatype: 'FP32', data }] });
    expect(status).toBe(200);
    expect((body as Answer).outputs).toEqual([
      { name: 'y', shape: [...shape], datatype: 'FP32', data: [data].flat() },
    ]);
  });
});

const row = (data: number[]) => ({
  inputs: [{ name: 'x', shape: [data.length / 4, 4], datatype: 'FP32', data }],
});

describe('batching', () => {
  test('answers equal those of single runs within 1e-5', async () => {
    const served = await serve(classifier());
    expect(remark(served)).toMatch(/^batches of up to \d+ rows, pieces of \d+$/);
    const value = fc.float({ min: -10, max: 10, noNaN: true });
    const request = fc
      .integer({ min: 1, max: 4 })
      .chain((rows) => fc.array(value, { minLength: rows * 4, maxLength: rows * 4 }));
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 16 }), async (requests) => {
        const alone: Answer[] = [];
        for (const data of requests) alone.push((await served.infer(row(data))).body as Answer);
        const together = await Promise.all(
          requests.map(async (data) => (await served.infer(row(data))).body as Answer),
        );
        for (const [i, answer] of together.entries()) {
          expect(answer.outputs[0]?.shape).toEqual(alone[i]?.outputs[0]?.shape);
          for (const [j, got] of (answer.outputs[0]?.data ?? []).entries())
            expect(Math.abs((got as number) - (alone[i]?.outputs[0]?.data[j] as number))).toBeLessThan(1e-5);
        }
      }),
      { numRuns: 10 },
    );
    const metrics = await (await fetch(`${served.opsUrl}/metrics`)).text();
    const runs = Number(/^ballast_batch_rows_count (\d+)/m.exec(metrics)?.[1]);
    const answered = Number(
      /^ballast_requests_total\{code="200",protocol="rest"\} (\d+)/m.exec(metrics)?.[1],
    );
    expect(runs).toBeLessThan(answered);
  });

  test('more rows than fit into a piece are answered all the same, and others get in between', async () => {
    const served = await serve(classifier(), { live: { timeoutMs: 60_000 } });
    const rows = 20_000;
    const data = Array.from({ length: rows * 4 }, (_, i) => (i % 100) / 10);
    const large = served.infer(row(data));
    await until(async () => (await served.load()).counters.busySeconds > 0);
    const small = await served.infer(row([1, 2, 3, 4]));
    expect(small.status).toBe(200);
    const between = (await served.load()).counters;
    expect(between.succeeded).toBe(1);
    const { status, body } = await large;
    expect(status).toBe(200);
    const [output] = bodyOf({ body }).outputs;
    expect(output?.shape).toEqual([rows, 3]);
    const last = bodyOf(await served.infer(row(data.slice(-4)))).outputs[0];
    for (const [i, want] of (last?.data ?? []).entries())
      expect(Math.abs((output?.data.at(i - 3) as number) - (want as number))).toBeLessThan(1e-5);
    const { counters } = await served.load();
    expect(counters.serviceCount).toBeCloseTo(3);
  });

  test('rows that depend on each other are never batched', async () => {
    const served = await serve(rowsDepend());
    expect(remark(served)).toBe('not batched: rows change each other’s answers');
    const answers = await Promise.all(Array.from({ length: 8 }, () => served.infer(row([1, 2, 3, 4]))));
    for (const { body } of answers) expect((body as Answer).outputs[0]?.data).toEqual([1, 1, 1, 1]);
  });

  test('a fixed first dimension is not batched', async () => {
    const served = await serve(identity('FP32', [1, 4]));
    expect(remark(served)).toBe('the model has no dimension for batches');
    const answers = await Promise.all([1, 2, 3].map((v) => served.infer(row([v, v, v, v]))));
    expect(answers.map(({ body }) => (body as Answer).outputs[0]?.data[0])).toEqual([1, 2, 3]);
  });

  test('one request that makes the model fail does not fail the others of its batch', async () => {
    const served = await serve(lookupTable());
    const look = (i: number) =>
      served.infer({ inputs: [{ name: 'i', shape: [1], datatype: 'INT64', data: [i] }] });
    const answers = await Promise.all([0, 1, 99, 2, 1, 99, 0].map(look));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 500, 200, 200, 500, 200]);
    expect(bodyOf(answers[3]).outputs[0]?.data).toEqual([5, 6]);
    const { error } = bodyOf(answers[2]);
    expect(error).toMatch(/^the model failed: /);
    expect(error).not.toMatch(/\n| at /);
    const { counters } = await served.load();
    expect(counters).toMatchObject({ arrivals: 7, succeeded: 5, failed: 2, clientErrors: 0, rejected: 0 });
  });
});

test('an output that JSON cannot carry is a 400 that says which element', async () => {
  const served = await serve(reciprocal());
  const { status, body } = await served.infer({
    inputs: [{ name: 'x', shape: [2], datatype: 'FP32', data: [1, 0] }],
  });
  expect({ status, body }).toEqual({
    status: 400,
    body: {
      error:
        "output 'y': element 1 is Infinity, which JSON cannot carry: ask for a binary tensor ('binary_data': true), leave the output out with 'outputs', or correct the input that leads to it",
    },
  });
});

test('ZipMap is rewired to the tensor behind it, and said', async () => {
  const served = await serve(zipMap());
  expect(
    served.log.lines.some(({ message }) => message.includes("'output_probability' is a list of maps")),
  ).toBe(true);
  const { status, body } = await served.infer(row([1, 2, 3, 4, 0, 0, 0, 0]));
  expect(status).toBe(200);
  const [label, probability] = (body as Answer).outputs;
  expect(label).toMatchObject({ name: 'output_label', shape: [2], datatype: 'INT64' });
  expect(probability).toMatchObject({ name: 'output_probability', shape: [2, 3], datatype: 'FP32' });
  const sum = ((probability?.data ?? []) as number[]).slice(0, 3).reduce((total, p) => total + p, 0);
  expect(sum).toBeCloseTo(1, 5);
});

describe('a model that onnxruntime refuses', () => {
  test('ends the start with its words', async () => {
    const { model, node } = await import('../testing/onnx.ts');
    const broken = model({
      inputs: [{ name: 'x', type: 'FP32', shape: [1] }],
      outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
      nodes: [node('NoSuchOperator', ['x'], ['y'])],
    });
    const served = await serve(broken, { waitReady: false });
    await expect(served.pod.ready).rejects.toMatchObject({
      reason: 'LoadFailed',
      message: expect.stringMatching(/^onnxruntime refused the model: .*NoSuchOperator/s),
    });
    expect((await fetch(`${served.opsUrl}/livez`)).status).toBe(200);
    expect((await served.infer({})).status).toBe(503);
  });
  test('a file that changed since it was fetched is never served', async () => {
    const served = await serve(classifier(), {
      env: { BALLAST_MODEL_SHA256: 'a'.repeat(64) },
      waitReady: false,
    });
    await expect(served.pod.ready).rejects.toMatchObject({ reason: 'DigestMismatch' });
    expect((await served.infer(row([1, 2, 3, 4]))).status).toBe(503);
  });
});
