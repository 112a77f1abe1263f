/** KServe's V1 protocol against really running servers. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { classifier, everyDatatype, twoInputs } from '../testing/models.ts';
import { serveModel, type TestPod } from '../testing/pod.ts';

let two: TestPod;
let one: TestPod;
let typed: TestPod;
beforeAll(async () => {
  two = await serveModel(twoInputs());
  one = await serveModel(classifier());
  typed = await serveModel(everyDatatype(['INT64']));
});
afterAll(async () => {
  await Promise.all([two.stop(), one.stop(), typed.stop()]);
});

const predict = async (pod: TestPod, body: unknown, path = '/v1/models/m:predict') => {
  const response = await fetch(`${pod.url}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
};
const predicted = async (pod: TestPod, body: unknown) => {
  const { status, text } = await predict(pod, body);
  expect({ status, text }).toMatchObject({ status: 200 });
  return JSON.parse(text) as unknown;
};

describe('the models', () => {
  const get = async (path: string) => {
    const response = await fetch(`${one.url}${path}`);
    return { status: response.status, body: (await response.json()) as unknown };
  };
  test('are listed, and are ready', async () => {
    expect(await get('/v1/models')).toEqual({ status: 200, body: { models: ['m'] } });
    expect(await get('/v2/models')).toEqual({ status: 200, body: { models: ['m'] } });
    expect(await get('/v1/models/m')).toEqual({ status: 200, body: { name: 'm', ready: true } });
    expect(await get('/v1/models/x')).toEqual({
      status: 404,
      body: { error: "Request for unknown model: 'x' is not found" },
    });
  });
});

describe('predictions', () => {
  const row = [0.1, 0.2, 0.3, 0.4];
  const v2 = async (rows: number) => {
    const { body } = await one.infer({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 4], data: new Array(rows).fill(row).flat() }],
    });
    return (body as { outputs: { data: number[] }[] }).outputs[0]?.data ?? [];
  };
  test('one input, one output: rows in, rows out, equal to V2', async () => {
    const data = await v2(2);
    expect(await predicted(one, { instances: [row, row] })).toEqual({
      predictions: [data.slice(0, 3), data.slice(3)],
    });
  });
  test('the same by name, and column by column', async () => {
    const predictions = [await v2(1)];
    expect(await predicted(one, { instances: [{ x: row }] })).toEqual({ predictions });
    expect(await predicted(one, { instances: { x: [row] } })).toEqual({ predictions });
    expect(await predicted(one, { inputs: [row] })).toEqual({ outputs: predictions });
    expect(await predicted(one, { inputs: { x: [row] }, signature_name: 'serving_default' })).toEqual({
      outputs: predictions,
    });
  });
  test('no rows', async () => {
    expect(await predicted(one, { instances: [] })).toEqual({ predictions: [] });
  });
  test('several inputs and outputs: an object per row; a single value stands for a list of one', async () => {
    const instances = [
      { a: [1, 2], b: [10, 20], n: [7] },
      { n: [8], b: [1, 1], a: [3, 4] },
    ];
    const predictions = [
      { sum: [11, 22], count: [7] },
      { sum: [4, 5], count: [8] },
    ];
    expect(await predicted(two, { instances })).toEqual({ predictions });
    expect(await predicted(two, { instances: instances.map((row) => ({ ...row, n: row.n[0] })) })).toEqual({
      predictions,
    });
  });
  test('several inputs column by column', async () => {
    const inputs = { a: [[1, 2]], b: [[10, 20]], n: [[7]] };
    expect(await predicted(two, { inputs })).toEqual({ outputs: { sum: [[11, 22]], count: [[7]] } });
  });
  test('64-bit integers are exact', async () => {
    const body = '{"instances":[[9007199254740993,-9223372036854775808]]}';
    expect((await predict(typed, body)).text).toBe(
      '{"predictions":[[9007199254740993,-9223372036854775808]]}',
    );
  });
  test('a body and an answer so large that others have their turns', async () => {
    const rows = 20_000;
    const { predictions } = (await predicted(one, { instances: new Array(rows).fill(row) })) as {
      predictions: number[][];
    };
    const [first] = predictions;
    expect(predictions.length).toBe(rows);
    expect(predictions.every((each) => each.every((value, i) => value === first?.[i]))).toBe(true);
  });
});

describe('refusals', () => {
  test.each([
    [
      'malformed',
      '{"instances":',
      400,
      /^failed to parse the request JSON buffer: found the end, .*position 13/,
    ],
    ['neither', {}, 400, /^failed to parse the request: instances: is missing/],
    ['both', { instances: [], inputs: [] }, 400, /has both 'instances' and 'inputs'/],
    ['no object', [], 400, /^failed to parse the request: body: must be an object/],
    [
      'too wide',
      { instances: [[1, 2, 3, 4, 5]] },
      400,
      /^unexpected shape for input 'x' .*Expected \[-1,4\], got \[1,5\]/,
    ],
    ['ragged', { instances: [[1, 2, 3, 4], [1]] }, 400, /^Shape does not match true shape/],
    ['text', { instances: [[1, 2, 'x', 4]] }, 400, /^input 'x': element 2 is "x", wanted an FP32/],
    ['NaN', '{"instances":[[1,2,3,NaN]]}', 400, /^input 'x': element 3 is NaN/],
    ['unknown', { instances: [{ y: [1] }] }, 400, /^instances\[0\]: unexpected inference input 'y'/],
    [
      'mixed',
      { instances: [{ x: [1, 2, 3, 4] }, [1]] },
      400,
      /^failed to parse the request: instances: 1 of 2 rows are objects/,
    ],
    [
      'another width',
      { instances: [{ x: [1, 2, 3, 4] }, { x: [1] }] },
      400,
      /^instances\[1\]: Shape does not/,
    ],
  ] as const)('%s', async (_name, body, status, words) => {
    const answer = await predict(one, body);
    expect(answer.status).toBe(status);
    expect((JSON.parse(answer.text) as { error: string }).error).toMatch(words);
  });
  test('several inputs without names', async () => {
    const { status, text } = await predict(two, { instances: [[1, 2]] });
    expect({ status, text }).toEqual({
      status: 400,
      text: expect.stringMatching(/model 'm' has 3 inputs: they must be given by name/),
    });
  });
  test('another model, another method', async () => {
    expect((await predict(one, {}, '/v1/models/x:predict')).status).toBe(404);
    expect((await fetch(`${one.url}/v1/models/m:predict`)).status).toBe(405);
  });
  test('explain, which there is not', async () => {
    expect((await predict(one, {}, '/v1/models/m:explain')).status).toBe(405);
  });
});
