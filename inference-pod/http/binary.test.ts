/** Binary tensors (open-inference-protocol.md §4.5) and classification (§4.8), against really running servers. */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request as undiciRequest } from 'undici';
import type { Datatype } from '../../protocol/datatypes.ts';
import { classifier, everyDatatype, identity, reciprocal, twoInputs } from '../testing/models.ts';
import { serveModel, type TestPod } from '../testing/pod.ts';

const types: readonly Datatype[] = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
];
let two: TestPod;
let every: TestPod;
let classes: TestPod;
let infinite: TestPod;
let text: TestPod;
beforeAll(async () => {
  [two, every, classes, infinite, text] = await Promise.all([
    serveModel(twoInputs()),
    serveModel(everyDatatype(types)),
    serveModel(classifier()),
    serveModel(reciprocal()),
    serveModel(identity('BYTES', ['N'])),
  ]);
});
afterAll(async () => {
  await Promise.all([two, every, classes, infinite, text].map((pod) => pod.stop()));
});

interface Output {
  name: string;
  datatype: string;
  shape: number[];
  data?: unknown[];
  parameters?: { binary_data_size?: number };
}
interface Answer {
  status: number;
  headers: Headers;
  json: { error?: string; id?: string; outputs?: Output[] };
  blobs: Buffer[];
}

const split = (bytes: Buffer, headers: Headers): Pick<Answer, 'json' | 'blobs'> => {
  const header = headers.get('inference-header-content-length');
  const length = header === null ? bytes.length : Number(header);
  const json = JSON.parse(bytes.toString('utf8', 0, length)) as Answer['json'];
  let at = length;
  const blobs = (json.outputs ?? []).flatMap(({ parameters }) => {
    if (parameters?.binary_data_size === undefined) return [];
    at += parameters.binary_data_size;
    return [bytes.subarray(at - parameters.binary_data_size, at)];
  });
  expect(at).toBe(bytes.length);
  return { json, blobs };
};

/** Posts JSON and blobs; the header says where the JSON ends unless another value is given. */
const post = async (
  pod: TestPod,
  json: unknown,
  blobs: readonly Uint8Array[] = [],
  headers: Record<string, string> = {},
): Promise<Answer> => {
  const head = json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json));
  const response = await fetch(`${pod.url}/v2/models/m/infer`, {
    method: 'POST',
    body: Buffer.concat([head, ...blobs]),
    headers: { 'inference-header-content-length': String(head.length), ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, ...split(bytes, response.headers) };
};
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const ints = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);
const binary = (name: string, shape: number[], datatype: string, size: unknown) => ({
  name,
  shape,
  datatype,
  parameters: { binary_data_size: size },
});
const chunksOf = (whole: Buffer) =>
  Array.from({ length: Math.ceil(whole.length / 11) }, (_, i) => whole.subarray(i * 11, i * 11 + 11));
const a = binary('a', [1, 2], 'FP32', 8);
const b = { name: 'b', shape: [1, 2], datatype: 'FP32', data: [10, 20] };
const n = binary('n', [1, 1], 'INT32', 4);

describe('binary inputs', () => {
  test('some binary, some not; blobs in the order of the request, not of the model', async () => {
    const { status, json, headers } = await post(two, { inputs: [n, b, a] }, [ints(7), floats(1, 2)]);
    expect({ status, outputs: json.outputs?.map(({ data }) => data) }).toEqual({
      status: 200,
      outputs: [[11, 22], [7]],
    });
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('inference-header-content-length')).toBeNull();
  });
  test('a blob may begin at any byte', async () => {
    for (const id of ['', 'x', 'xx', 'xxx', 'xxxx']) {
      const { json } = await post(two, { id, inputs: [a, b, n] }, [floats(1, 2), ints(7)]);
      expect(json.outputs?.[0]?.data).toEqual([11, 22]);
    }
  });
  test('no rows', async () => {
    const none = [
      binary('a', [0, 2], 'FP32', 0),
      binary('b', [0, 2], 'FP32', 0),
      binary('n', [0, 1], 'INT32', 0),
    ];
    const { json } = await post(two, { inputs: none, parameters: { binary_data_output: true } });
    expect(json.outputs?.map(({ shape }) => shape)).toEqual([
      [0, 2],
      [0, 1],
    ]);
  });
  test('each datatype comes back bit by bit, FP16 and BYTES too', async () => {
    const blobs = types.map((datatype) => {
      if (datatype === 'BYTES') return Buffer.from([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]);
      if (datatype === 'BOOL') return Buffer.from([1, 0]);
      const size = datatype.endsWith('64')
        ? 8
        : datatype.endsWith('32')
          ? 4
          : datatype.endsWith('16')
            ? 2
            : 1;
      return Buffer.from(Array.from({ length: 2 * size }, (_, i) => 60 + i));
    });
    const {
      status,
      json,
      blobs: got,
    } = await post(
      every,
      {
        inputs: types.map((type, i) => binary(`in_${type}`, [1, 2], type, blobs[i]?.length)),
        parameters: { binary_data_output: true },
      },
      blobs,
    );
    expect({ status, error: json.error }).toEqual({ status: 200, error: undefined });
    expect(json.outputs?.map(({ datatype }) => datatype)).toEqual(types);
    expect(got.map((blob) => [...blob])).toEqual(blobs.map((blob) => [...blob]));
  });
  test('a compressed body: the header counts the bytes before compression', async () => {
    const head = Buffer.from(JSON.stringify({ inputs: [a, b, n] }));
    const response = await fetch(`${two.url}/v2/models/m/infer`, {
      method: 'POST',
      body: gzipSync(Buffer.concat([head, floats(1, 2), ints(7)])),
      headers: { 'inference-header-content-length': String(head.length), 'content-encoding': 'gzip' },
    });
    expect(response.status).toBe(200);
  });
  test('a chunked body', async () => {
    const head = Buffer.from(JSON.stringify({ inputs: [a, b, n] }));
    const whole = Buffer.concat([head, floats(1, 2), ints(7)]);
    const response = await undiciRequest(`${two.url}/v2/models/m/infer`, {
      method: 'POST',
      headers: { 'inference-header-content-length': String(head.length) },
      body: Readable.from(chunksOf(whole)),
    });
    expect(response.statusCode).toBe(200);
    expect(((await response.body.json()) as Answer['json']).outputs?.[0]?.data).toEqual([11, 22]);
  });
});

describe('binary outputs', () => {
  const all = { inputs: [a, b, n] };
  const blobs = [floats(1, 2), ints(7)];
  test('all by one parameter', async () => {
    const {
      json,
      blobs: got,
      headers,
    } = await post(two, { ...all, id: 'é', parameters: { binary_data_output: true } }, blobs);
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(json).toEqual({
      model_name: 'm',
      id: 'é',
      outputs: [
        { name: 'sum', shape: [1, 2], datatype: 'FP32', parameters: { binary_data_size: 8 } },
        { name: 'count', shape: [1, 1], datatype: 'INT32', parameters: { binary_data_size: 4 } },
      ],
    });
    expect(got.map((blob) => [...blob])).toEqual([[...floats(11, 22)], [...ints(7)]]);
  });
  test.each([
    [true, false],
    [false, true],
  ])('what one output says counts more than what is said for all (%s, %s)', async (forAll, forOne) => {
    const outputs = [{ name: 'count', parameters: { binary_data: forOne } }, { name: 'sum' }];
    const { json } = await post(two, { ...all, outputs, parameters: { binary_data_output: forAll } }, blobs);
    expect(json.outputs?.map(({ name, data }) => [name, data === undefined])).toEqual([
      ['count', forOne],
      ['sum', forAll],
    ]);
  });
  test('NaN and infinity, which JSON cannot carry', async () => {
    const x = { name: 'x', shape: [2], datatype: 'FP32', data: [0, 2] };
    const asJson = await post(infinite, { inputs: [x] });
    expect(asJson.status).toBe(400);
    expect(asJson.json.error).toMatch(
      /^output 'y': element 0 is Infinity, which JSON cannot carry: ask for a binary tensor/,
    );
    const asBinary = await post(infinite, { inputs: [x], parameters: { binary_data_output: true } });
    expect([...(asBinary.blobs[0] ?? [])]).toEqual([...floats(Number.POSITIVE_INFINITY, 0.5)]);
  });
});

describe('a raw body', () => {
  test('its length tells the rows; all outputs are binary', async () => {
    const { status, json, blobs } = await post(classes, undefined, [floats(1, 2, 3, 4, 1, 2, 3, 4)]);
    expect(status).toBe(200);
    expect(json.outputs?.[0]).toMatchObject({ shape: [2, 3], parameters: { binary_data_size: 24 } });
    expect(blobs[0]?.subarray(0, 12)).toEqual(blobs[0]?.subarray(12));
  });
  test('BYTES: the body is the one element', async () => {
    const { json, blobs } = await post(text, undefined, [Buffer.from('héllo')]);
    expect(json.outputs?.[0]).toMatchObject({ shape: [1], datatype: 'BYTES' });
    expect(blobs[0]).toEqual(Buffer.concat([Buffer.from([6, 0, 0, 0]), Buffer.from('héllo')]));
  });
  test('not whole rows', async () => {
    const { status, json } = await post(classes, undefined, [floats(1, 2, 3)]);
    expect({ status, ...json }).toEqual({
      status: 400,
      error:
        "a raw binary request (Inference-Header-Content-Length: 0) cannot be made of model 'm': 12 bytes are no multiple of the 16 bytes that input 'x' takes per step",
    });
  });
  test('a model of several inputs', async () => {
    const { status, json } = await post(two, undefined, [floats(1)]);
    expect({ status, ...json }).toEqual({
      status: 400,
      error: expect.stringMatching(/it has 3 inputs, wanted one$/),
    });
  });
});

describe('refused', () => {
  const blobs = [floats(1, 2), ints(7)];
  const with1 = (input: object) => ({ inputs: [{ ...a, ...input }, b, n] });
  const cases: [string, unknown, Uint8Array[], string | RegExp, Record<string, string>?][] = [
    [
      'bytes left over',
      { inputs: [a, b, n] },
      [...blobs, floats(1)],
      "unexpected additional input data for model 'm': 4 bytes more than the inputs' binary_data_size",
    ],
    [
      'too few bytes',
      { inputs: [a, b, n] },
      [floats(1, 2)],
      "unexpected size for input 'n', expecting 4 additional bytes for model 'm'",
    ],
    [
      'a size far above the body',
      with1({ parameters: { binary_data_size: 2 ** 40 } }),
      blobs,
      /^unexpected size for input 'a', expecting \d+ additional bytes/,
    ],
    [
      'a size that does not fit the shape',
      { inputs: [{ ...a, shape: [2, 2] }, b, n] },
      blobs,
      "input byte size mismatch for input 'a' for model 'm'. Expected 16, got 8",
    ],
    ['data and a blob', with1({ data: [1, 2] }), blobs, /^input 'a' has both 'data' and 'binary_data_size'/],
    [
      'a size that is negative',
      with1({ parameters: { binary_data_size: -1 } }),
      blobs,
      "input 'a': parameter 'binary_data_size' is -1, wanted a whole number of bytes",
    ],
    [
      'a size that is text',
      with1({ parameters: { binary_data_size: '8' } }),
      blobs,
      /'binary_data_size' is "8"/,
    ],
    [
      'a flag that is none',
      { inputs: [a, b, n], parameters: { binary_data_output: 1 } },
      blobs,
      "the request: parameter 'binary_data_output' is 1, wanted true or false",
    ],
    [
      'an output’s flag that is none',
      { inputs: [a, b, n], outputs: [{ name: 'sum', parameters: { binary_data: 'yes' } }] },
      blobs,
      /^output 'sum': parameter 'binary_data' is "yes"/,
    ],
    [
      'a header above the body',
      { inputs: [a, b, n] },
      blobs,
      /^Inference-Header-Content-Length is "99999", wanted a whole number: how many of the \d+ bytes/,
      { 'inference-header-content-length': '99999' },
    ],
    [
      'a negative header',
      { inputs: [a, b, n] },
      blobs,
      /^Inference-Header-Content-Length is "-1"/,
      { 'inference-header-content-length': '-1' },
    ],
    [
      'a header that cuts the JSON',
      { inputs: [a, b, n] },
      blobs,
      /^failed to parse the request JSON buffer: found the end/,
      { 'inference-header-content-length': '20' },
    ],
  ];
  test.each(cases)('%s', async (_name, json, bytes, error, headers = {}) => {
    const answer = await post(two, json, bytes, headers);
    expect(answer.status).toBe(400);
    if (typeof error === 'string') expect(answer.json.error).toBe(error);
    else expect(answer.json.error).toMatch(error);
  });
  test('no header: there is nothing behind the JSON', async () => {
    const { status, body } = await two.infer({ inputs: [a, b, n] });
    expect({ status, body }).toEqual({
      status: 400,
      body: { error: "unexpected size for input 'a', expecting 8 additional bytes for model 'm'" },
    });
  });
  test('shared memory', async () => {
    const shared = { name: 'a', shape: [1, 2], datatype: 'FP32', parameters: { shared_memory_region: 'r' } };
    expect((await post(two, { inputs: [shared, b, n] }, [ints(7)])).status).toBe(501);
    const outputs = [{ name: 'sum', parameters: { shared_memory_region: 'r' } }];
    expect((await post(two, { inputs: [a, b, n], outputs }, blobs)).status).toBe(501);
  });
});

describe('classification', () => {
  const x = { name: 'x', shape: [2, 4], datatype: 'FP32', data: [1, 2, 3, 4, 4, 3, 2, 1] };
  const ask = (parameters: object) => post(classes, { inputs: [x], outputs: [{ name: 'p', parameters }] });
  test('the highest of each row', async () => {
    const plain = (await post(classes, { inputs: [x] })).json.outputs?.[0]?.data as number[];
    const { json } = await ask({ classification: 2 });
    const output = json.outputs?.[0] as Output;
    expect(output).toMatchObject({ name: 'p', datatype: 'BYTES', shape: [2, 2] });
    for (const row of [0, 1]) {
      const values = plain.slice(row * 3, row * 3 + 3);
      const want = values
        .map((value, index) => ({ value, index }))
        .sort((one, other) => other.value - one.value)
        .map(({ value, index }) => `${value}:${index}`);
      expect((output.data as string[]).slice(row * 2, row * 2 + 2)).toEqual(want.slice(0, 2));
    }
  });
  test('as a binary tensor', async () => {
    const { json, blobs } = await ask({ classification: 1, binary_data: true });
    expect(json.outputs?.[0]).toMatchObject({ datatype: 'BYTES', shape: [2, 1] });
    expect(blobs[0]?.readUInt32LE(0)).toBeGreaterThan(3);
  });
  test.each([[0], [-1], [1.5], ['2'], [true]])('%j classes are refused', async (classification) => {
    const { status, json } = await ask({ classification });
    expect({ status, ...json }).toEqual({
      status: 400,
      error: expect.stringMatching(/^output 'p': classification is .*, wanted a whole number from 1 on/),
    });
  });
});
