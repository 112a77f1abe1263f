/** Every row of open-inference-protocol.md §4.3 that REST has, against a really running server with its real runner. */

import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { twoInputs } from '../testing/models.ts';
import { serveModel, type TestPod } from '../testing/pod.ts';

let pod: TestPod;
beforeAll(async () => {
  pod = await serveModel(twoInputs(), {
    env: { BALLAST_MODEL_VERSION: 'v10', BALLAST_MAX_BODY_BYTES: '65536' },
  });
});
afterAll(() => pod.stop());

const a = { name: 'a', shape: [1, 2], datatype: 'FP32', data: [1, 2] };
const b = { name: 'b', shape: [1, 2], datatype: 'FP32', data: [10, 20] };
const n = { name: 'n', shape: [1, 1], datatype: 'INT32', data: [7] };
const good = { inputs: [a, b, n] };

const sum = { name: 'sum', shape: [1, 2], datatype: 'FP32', data: [11, 22] };
const count = { name: 'count', shape: [1, 1], datatype: 'INT32', data: [7] };
const answer = { model_name: 'm', model_version: 'v10', outputs: [sum, count] };

describe('answers', () => {
  const cases: Record<string, { body: unknown; want: unknown }> = {
    'all outputs in the model’s order': { body: good, want: answer },
    'an empty list of outputs means all': { body: { ...good, outputs: [] }, want: answer },
    'inputs in any order': { body: { inputs: [n, b, a] }, want: answer },
    'the outputs asked for, in the order asked for': {
      body: { ...good, outputs: [{ name: 'count' }, { name: 'sum' }] },
      want: { ...answer, outputs: [count, sum] },
    },
    'one output of two': {
      body: { ...good, outputs: [{ name: 'count' }] },
      want: { ...answer, outputs: [count] },
    },
    'the id comes back': { body: { ...good, id: 'r-1' }, want: { ...answer, id: 'r-1' } },
    'nested data': {
      body: {
        inputs: [
          { ...a, data: [[1, 2]] },
          { ...b, data: [[10, 20]] },
          { ...n, data: [[7]] },
        ],
      },
      want: answer,
    },
    'unknown parameters are ignored': {
      body: { ...good, parameters: { priority: 1, anything: 'x', flag: true } },
      want: answer,
    },
    'several rows': {
      body: {
        inputs: [
          { ...a, shape: [2, 2], data: [1, 2, 3, 4] },
          { ...b, shape: [2, 2], data: [1, 1, 1, 1] },
          { ...n, shape: [2, 1], data: [5, 6] },
        ],
      },
      want: {
        ...answer,
        outputs: [
          { ...sum, shape: [2, 2], data: [2, 3, 4, 5] },
          { ...count, shape: [2, 1], data: [5, 6] },
        ],
      },
    },
    'no rows': {
      body: {
        inputs: [
          { ...a, shape: [0, 2], data: [] },
          { ...b, shape: [0, 2], data: [] },
          { ...n, shape: [0, 1], data: [] },
        ],
      },
      want: {
        ...answer,
        outputs: [
          { ...sum, shape: [0, 2], data: [] },
          { ...count, shape: [0, 1], data: [] },
        ],
      },
    },
  };
  test.each(Object.entries(cases))('%s', async (_name, { body, want }) => {
    const response = await pod.infer(body);
    expect(response).toMatchObject({ status: 200, body: want });
    expect(response.body).toEqual(want);
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  test('a version in the path', async () => {
    const response = await fetch(`${pod.url}/v2/models/m/versions/v10/infer`, {
      method: 'POST',
      body: JSON.stringify(good),
    });
    expect(await response.json()).toEqual(answer);
  });
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('a body in %s', async (encoding, pack) => {
    const response = await pod.infer(pack(JSON.stringify(good)), {
      headers: { 'content-encoding': encoding },
    });
    expect(response).toMatchObject({ status: 200, body: answer });
  });
});

describe('refusals', () => {
  const with1 = (input: object) => ({ inputs: [{ ...a, ...input }, b, n] });
  const cases: Record<string, { body: unknown; status: number; error: string | RegExp }> = {
    'malformed JSON': {
      body: '{"inputs": [',
      status: 400,
      error:
        'failed to parse the request JSON buffer: found the end, wanted a value, at position 12 (line 1, column 13)',
    },
    'an empty body': { body: '', status: 400, error: /^failed to parse the request JSON buffer: / },
    'a NaN in the text': {
      body: '{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,NaN]},{"name":"b","shape":[1,2],"datatype":"FP32","data":[1,1]},{"name":"n","shape":[1,1],"datatype":"INT32","data":[1]}]}',
      status: 400,
      error: "input 'a': element 1 is NaN, wanted an FP32: a number within ±3.4028235e38",
    },
    'an Infinity in the text': {
      body: '{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[-Infinity,1]},{"name":"b","shape":[1,2],"datatype":"FP32","data":[1,1]},{"name":"n","shape":[1,1],"datatype":"INT32","data":[1]}]}',
      status: 400,
      error: "input 'a': element 0 is -Infinity, wanted an FP32: a number within ±3.4028235e38",
    },
    'a body that is no object': { body: [], status: 400, error: /^failed to parse the request: body: / },
    'missing inputs': { body: {}, status: 400, error: /^failed to parse the request: inputs: / },
    'an input without a name': {
      body: { inputs: [{ shape: [1], datatype: 'FP32', data: [1] }] },
      status: 400,
      error: /^failed to parse the request: inputs\[0\]\.name: /,
    },
    'an unknown input': {
      body: { inputs: [a, b, n, { ...a, name: 'zz' }] },
      status: 400,
      error: /^unexpected inference input 'zz' for model 'm'/,
    },
    'missing input': {
      body: { inputs: [a] },
      status: 400,
      error:
        "expected 3 inputs but got 1 inputs for model 'm'. Got input(s) ['a'], but missing required input(s) ['b', 'n']",
    },
    'a duplicate input': {
      body: { inputs: [a, a, b, n] },
      status: 400,
      error: "input 'a' is given more than once for model 'm'",
    },
    'a wrong datatype': {
      body: with1({ datatype: 'INT64' }),
      status: 400,
      error: "inference input 'a' data-type is 'INT64', model expects 'FP32' for 'm'",
    },
    'an unknown datatype': {
      body: with1({ datatype: 'FLOAT' }),
      status: 400,
      error: /^input 'a' has the unknown data-type "FLOAT"/,
    },
    'a wrong dimension': {
      body: with1({ shape: [1, 3], data: [1, 2, 3] }),
      status: 400,
      error: "unexpected shape for input 'a' for model 'm'. Expected [-1,2], got [1,3]",
    },
    'a wrong rank': {
      body: with1({ shape: [2] }),
      status: 400,
      error: "unexpected shape for input 'a' for model 'm'. Expected [-1,2], got [2]",
    },
    'a shape that the data do not fill': {
      body: with1({ shape: [2, 2] }),
      status: 400,
      error:
        "Shape does not match true shape of 'data' field for input 'a': shape [2,2] wants 4 elements, 'data' has 2",
    },
    'a shape that overflows': {
      body: with1({ shape: [4_503_599_627_370_496, 2] }),
      status: 400,
      error: /^Shape does not match true shape of 'data' field for input 'a'/,
    },
    'ragged nested data': {
      body: with1({ shape: [2, 2], data: [[1, 2, 3], [4]] }),
      status: 400,
      error: /^Shape does not match true shape of 'data' field for input 'a': the nested lists/,
    },
    'a negative dimension': {
      body: with1({ shape: [-1, 2] }),
      status: 400,
      error: "unexpected shape for input 'a' for model 'm': [-1,2] has a negative dimension",
    },
    'a fractional dimension': {
      body: with1({ shape: [1.5, 2] }),
      status: 400,
      error: /^failed to parse the request: inputs\[0\]\.shape\[0\]: /,
    },
    'a value out of range': {
      body: { inputs: [a, b, { ...n, data: [2147483648] }] },
      status: 400,
      error:
        "input 'n': element 0 is 2147483648, wanted an INT32: a whole number from -2147483648 to 2147483647",
    },
    'a fraction for an integer': {
      body: { inputs: [a, b, { ...n, data: [1.5] }] },
      status: 400,
      error: /^input 'n': element 0 is 1\.5, wanted an INT32/,
    },
    'text for a number': {
      body: with1({ data: [1, '2'] }),
      status: 400,
      error: /^input 'a': element 1 is "2", wanted an FP32/,
    },
    'null for a number': {
      body: with1({ data: [1, null] }),
      status: 400,
      error: /^input 'a': element 1 is null/,
    },
    'a number that is infinite as FP32': {
      body: with1({ data: [1, 1e39] }),
      status: 400,
      error: /^input 'a': element 1 is 1e\+39, wanted an FP32/,
    },
    'a number that is infinite as text': {
      body: '{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[1e400,1]},{"name":"b","shape":[1,2],"datatype":"FP32","data":[1,1]},{"name":"n","shape":[1,1],"datatype":"INT32","data":[1]}]}',
      status: 400,
      error: /^input 'a': element 0 is /,
    },
    'no data': { body: with1({ data: undefined }), status: 400, error: /^input 'a' has no 'data'/ },
    'data that is an object': {
      body: with1({ data: { 0: 1 } }),
      status: 400,
      error: /^input 'a' has no 'data'/,
    },
    'an unknown output': {
      body: { ...good, outputs: [{ name: 'y' }] },
      status: 400,
      error: /^unexpected inference output 'y' for model 'm'/,
    },
    'a duplicate output': {
      body: { ...good, outputs: [{ name: 'sum' }, { name: 'sum' }] },
      status: 400,
      error: "output 'sum' is asked for more than once for model 'm'",
    },
    'a parameter that is a list': {
      body: { ...good, parameters: { x: [1] } },
      status: 400,
      error: 'failed to parse the request: parameters.x: must be a string, a number or a boolean',
    },
    'deep nesting in data': {
      body: `{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}`,
      status: 400,
      error: 'failed to parse the request JSON buffer: nested deeper than 64 levels',
    },
    'deep nesting where nobody looks': {
      body: `{"junk":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)},"inputs":[]}`,
      status: 400,
      error: /nested deeper than 64 levels/,
    },
    'a body that is too large': {
      body: JSON.stringify({ ...good, junk: 'x'.repeat(70_000) }),
      status: 413,
      error: /^the request body is larger than 65536 bytes/,
    },
    'bytes that are not UTF-8': {
      body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d),
      status: 400,
      error: 'failed to parse the request JSON buffer: the body is not UTF-8',
    },
  };
  test.each(Object.entries(cases))('%s', async (_name, { body, status, error }) => {
    const response = await pod.infer(body);
    expect(response.status).toBe(status);
    expect(Object.keys(response.body as object)).toEqual(['error']);
    const text = (response.body as { error: string }).error;
    if (typeof error === 'string') expect(text).toBe(error);
    else expect(text).toMatch(error);
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  const post = (path: string, init: RequestInit = {}) =>
    fetch(`${pod.url}${path}`, { method: 'POST', body: JSON.stringify(good), ...init });
  test('an unknown model', async () => {
    const response = await post('/v2/models/nope/infer');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "Request for unknown model: 'nope' is not found" });
  });
  test('an unknown version', async () => {
    const response = await post('/v2/models/m/versions/9/infer');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "Request for unknown model: 'm' version 9 is not found" });
  });
  test('a wrong method', async () => {
    const response = await fetch(`${pod.url}/v2/models/m/infer`);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(await response.json()).toEqual({ error: 'Method Not Allowed' });
  });
  test('an encoding that nobody knows', async () => {
    expect((await post('/v2/models/m/infer', { headers: { 'content-encoding': 'br' } })).status).toBe(415);
  });
  test('gzip that is none', async () => {
    expect((await post('/v2/models/m/infer', { headers: { 'content-encoding': 'gzip' } })).status).toBe(400);
  });
  test('a gzip bomb is counted unfolded', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    const response = await pod.infer(bomb, { headers: { 'content-encoding': 'gzip' } });
    expect(response.status).toBe(413);
  });
  test('keys that poison prototypes do nothing', async () => {
    const body = `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"parameters":{"__proto__":"x"},"inputs":${JSON.stringify(good.inputs)}}`;
    expect((await pod.infer(body)).status).toBe(200);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const response = await pod.infer({ inputs: [{ ...a, name }, b, n] });
      expect(response.status).toBe(400);
      expect((response.body as { error: string }).error).toContain(`unexpected inference input '${name}'`);
    }
  });
});

test('inputs that differ in rows are never mixed with another caller’s, whatever its request id', async () => {
  const odd = (value: number) => ({
    inputs: [
      { ...a, shape: [1, 2], data: [value, value] },
      { ...b, shape: [2, 2], data: [1, 2, 3, 4] },
      { ...n, data: [value] },
    ],
  });
  const headers = { 'x-request-id': 'the-same' };
  const answers = await Promise.all([1, 2, 3, 4].map((value) => pod.infer(odd(value), { headers })));
  for (const [i, { status, body }] of answers.entries()) {
    const value = i + 1;
    expect(status).toBe(200);
    // The shorter input is stretched by the model's own Add.
    expect((body as { outputs: { data: number[] }[] }).outputs.map(({ data }) => data)).toEqual([
      [value + 1, value + 2, value + 3, value + 4],
      [value],
    ]);
  }
});

describe('request ids', () => {
  test('the caller’s comes back', async () => {
    const response = await pod.infer(good, { headers: { 'x-request-id': 'abc-1' } });
    expect(response.headers.get('x-request-id')).toBe('abc-1');
  });
  test('one that could be an injection is replaced', async () => {
    const response = await pod.infer(good, { headers: { 'x-request-id': 'a b' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
