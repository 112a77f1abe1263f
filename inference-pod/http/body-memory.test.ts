/** The memory of bodies: given back as soon as they are read, and never while something in it is still needed. */
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolError } from '../../protocol/errors.ts';
import type { Call, Work } from '../inference/types.ts';
import { identity } from '../testing/models.ts';
import { memoryLogger, serveModel, type TestPod, until } from '../testing/pod.ts';
import { BodyAborted, readBody, throwAway } from './body.ts';
import type { Client } from './client.ts';
import type { InferContext } from './exchange.ts';
import { createInferHandler } from './infer.ts';
import { createPredictHandler } from './v1-predict.ts';

const perRow = 64;
const model = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, perRow] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, perRow] }],
};

/** Bytes in a memory of their own, as they come from a socket. */
const own = (bytes: Uint8Array, before = 0): Buffer => {
  const memory = new ArrayBuffer(before + bytes.length);
  Buffer.from(memory, before).set(bytes);
  return Buffer.from(memory, before);
};

const values = (rows: number, from = 0) =>
  Float32Array.from({ length: rows * perRow }, (_, i) => ((from + i) % 4096) / 4);
const jsonOf = (data: Float32Array) => {
  const input = { name: 'x', datatype: 'FP32', shape: [data.length / perRow, perRow], data: [...data] };
  return Buffer.from(JSON.stringify({ inputs: [input] }));
};
const binaryOf = (data: Float32Array) => {
  const bytes = Buffer.from(data.buffer);
  const input = { name: 'x', datatype: 'FP32', shape: [data.length / perRow, perRow] };
  const inputs = [{ ...input, parameters: { binary_data_size: bytes.length } }];
  const header = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  return { header: header.length, body: Buffer.concat([header, bytes]) };
};
const v1Of = (data: Float32Array) => {
  const rows: number[][] = [];
  for (let at = 0; at < data.length; at += perRow) rows.push([...data.subarray(at, at + perRow)]);
  return Buffer.from(JSON.stringify({ instances: rows }));
};

/** Jest looks at each element of typed arrays for itself, which takes seconds. */
const isSame = (got: Float32Array | undefined, sent: Float32Array | undefined): boolean =>
  got !== undefined &&
  sent !== undefined &&
  Buffer.from(got.buffer, got.byteOffset, got.byteLength).equals(
    Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength),
  );

/** Hands a body to a handler whose model is a stub. */
const exchange = async (
  make: typeof createInferHandler,
  body: Buffer,
  options: { header?: number; infer?: (work: Work) => void; hold?: () => void; isFinished?: boolean } = {},
) => {
  let seen: Work | undefined;
  const call = {
    arrival: { requestId: 'r', bytes: body.length, trace: undefined },
    startedMs: 0,
    deadlineMs: 1000,
    isFinished: options.isFinished ?? false,
    tryAdmit: () => model,
    onTimeout: () => undefined,
    holdBytes: () => options.hold?.(),
    infer: (work: Work) => {
      seen = work;
      options.infer?.(work);
      return Promise.resolve({ outputs: work.inputs.map((x) => ({ ...x, name: 'y' })), flagged: undefined });
    },
    finish: () => {
      call.isFinished = true;
    },
  };
  const log = memoryLogger();
  const context = {
    modelName: 'm',
    modelVersion: undefined,
    maxBodyBytes: 1e9,
    log,
    inference: { begin: () => call as unknown as Call },
    closing: () => false,
  } as unknown as InferContext;
  let status: number | undefined;
  let answer: Buffer | undefined;
  const client: Client = {
    method: 'POST',
    headers:
      options.header === undefined ? {} : { 'inference-header-content-length': String(options.header) },
    connection: {},
    isComplete: true,
    readBody: () => Promise.resolve(body),
    onClose: () => undefined,
    answer: (code, bytes) => {
      status = code;
      answer = bytes;
    },
    drop: () => undefined,
  };
  make(context)(client, { model: 'm', version: undefined });
  if (options.isFinished !== true) await until(() => status !== undefined);
  else await until(() => body.buffer.byteLength === 0);
  return { status, text: String(answer), seen, log };
};

const dataOf = (work: Work | undefined): Float32Array | undefined =>
  work?.inputs[0]?.data as Float32Array | undefined;

describe('the memory of a body', () => {
  // Read at once, and in turns: 50 and 500 KB of floats, about twice as much as JSON.
  const sizes = [200, 2000];
  test.each(sizes)('of JSON is given back before the model runs (%i rows)', async (rows) => {
    const data = values(rows);
    const body = own(jsonOf(data));
    let left: number | undefined;
    const { status, seen } = await exchange(createInferHandler, body, {
      infer: () => {
        left = body.buffer.byteLength;
      },
    });
    expect({ status, left }).toEqual({ status: 200, left: 0 });
    expect(isSame(dataOf(seen), data)).toBe(true);
  });

  test.each(sizes)('of the V1 protocol too (%i rows)', async (rows) => {
    const body = own(v1Of(values(rows)));
    const { status, seen } = await exchange(createPredictHandler, body);
    expect({ status, left: body.buffer.byteLength }).toEqual({ status: 200, left: 0 });
    expect(isSame(dataOf(seen), values(rows))).toBe(true);
  });

  test.each(sizes)('of binary tensors stays where they lie in it (%i rows)', async (rows) => {
    const data = values(rows);
    const { header, body: bytes } = binaryOf(data);
    const body = own(bytes, -header & 7);
    const { status, seen } = await exchange(createInferHandler, body, { header });
    expect(status).toBe(200);
    expect(dataOf(seen)?.buffer).toBe(body.buffer);
    expect(isSame(dataOf(seen), data)).toBe(true);
  });

  test('of binary tensors that had to be copied is given back', async () => {
    const data = values(200);
    const { header, body: bytes } = binaryOf(data);
    const body = own(bytes, (-header & 7) ^ 1);
    const { status, seen } = await exchange(createInferHandler, body, { header });
    expect({ status, left: body.buffer.byteLength }).toEqual({ status: 200, left: 0 });
    expect(isSame(dataOf(seen), data)).toBe(true);
  });

  test('in which something else lies stays: it may be the next request', async () => {
    const json = jsonOf(values(200));
    const both = own(Buffer.concat([json, json]));
    for (const body of [both.subarray(0, json.length), both.subarray(json.length)]) {
      const { status } = await exchange(createInferHandler, body);
      expect({ status, left: body.length }).toEqual({ status: 200, left: json.length });
    }
  });

  test.each(sizes)(
    'of a refused request is given back, and its refusal says what stood there (%i rows)',
    async (rows) => {
      const body = own(Buffer.concat([jsonOf(values(rows)).subarray(0, -3), Buffer.from(',oops]}]}')]));
      const { status, text } = await exchange(createInferHandler, body);
      expect({ status, left: body.buffer.byteLength }).toEqual({ status: 400, left: 0 });
      expect(text).toMatch(/found \\"o\\"/);
    },
  );

  test('is given back when there is no room for it, or it came too late', async () => {
    const full = own(jsonOf(values(200)));
    const hold = () => {
      throw new ProtocolError(429, 'full');
    };
    expect(await exchange(createInferHandler, full, { hold })).toMatchObject({
      status: 429,
      seen: undefined,
    });
    expect(full.buffer.byteLength).toBe(0);
    const late = own(jsonOf(values(200)));
    expect((await exchange(createInferHandler, late, { isFinished: true })).seen).toBeUndefined();
    expect(late.buffer.byteLength).toBe(0);
  });
});

type Request = Parameters<typeof readBody>[0];
const requestOf = () =>
  Object.assign(new PassThrough({ highWaterMark: 1 << 20 }), {
    headers: {},
    complete: false,
  }) as unknown as PassThrough & Request;

describe('what comes of a body that nobody wants', () => {
  const pieces = () => Array.from({ length: 4 }, (_, i) => own(Buffer.alloc(60_000, i)));
  const left = (chunks: readonly Buffer[]) => chunks.map((chunk) => chunk.buffer.byteLength);

  test('is given back as it comes', async () => {
    const request = requestOf();
    const chunks = pieces();
    request.write(chunks[0]);
    throwAway(request);
    for (const chunk of chunks.slice(1)) request.write(chunk);
    await until(() => left(chunks).every((bytes) => bytes === 0));
  });

  test('is given back when the reading is refused: what is here, and what follows', async () => {
    const request = requestOf();
    const chunks = pieces();
    const body = readBody(request, 1e6, (total) => {
      if (total > 70_000) throw new ProtocolError(429, 'full');
    });
    body.catch(() => undefined);
    for (const chunk of chunks) request.write(chunk);
    await expect(body).rejects.toThrow('full');
    await until(() => left(chunks).every((bytes) => bytes === 0));
  });

  test('is given back when the client leaves, and a body that is whole is not', async () => {
    const gone = requestOf();
    const chunks = pieces();
    const cut = readBody(gone, 1e6);
    cut.catch(() => undefined);
    for (const chunk of chunks) gone.emit('data', chunk);
    expect(left(chunks)).toEqual([60_000, 60_000, 60_000, 60_000]);
    gone.destroy();
    await expect(cut).rejects.toBeInstanceOf(BodyAborted);
    expect(left(chunks)).toEqual([0, 0, 0, 0]);

    const whole = requestOf();
    const only = own(Buffer.alloc(60_000, 7));
    const body = readBody(whole, 1e6);
    whole.end(only);
    const read = await body;
    // The connection fails while the model runs.
    whole.emit('error', new Error('reset'));
    whole.emit('close');
    expect(read.equals(Buffer.alloc(60_000, 7))).toBe(true);
  });
});

describe('whatever forms of requests come together', () => {
  let pod: TestPod;
  beforeAll(async () => {
    pod = await serveModel(identity('FP32', ['N', perRow]), { live: { timeoutMs: 60_000 } });
  });
  afterAll(() => pod.stop());

  const post = async (path: string, body: Buffer, headers: Record<string, string> = {}) => {
    const response = await fetch(`${pod.url}${path}`, {
      method: 'POST',
      body: Uint8Array.from(body),
      headers,
    });
    return {
      status: response.status,
      headers: response.headers,
      bytes: Buffer.from(await response.arrayBuffer()),
    };
  };
  const v2 = '/v2/models/m/infer';
  const jsonData = (bytes: Buffer) =>
    Float32Array.from(
      (JSON.parse(String(bytes)) as { outputs: { data: number[] }[] }).outputs[0]?.data ?? [],
    );
  const send = {
    json: async (data: Float32Array) => jsonData((await post(v2, jsonOf(data))).bytes),
    zipped: async (data: Float32Array) =>
      jsonData((await post(v2, gzipSync(jsonOf(data), { level: 1 }), { 'content-encoding': 'gzip' })).bytes),
    binary: async (data: Float32Array) => {
      const { header, body } = binaryOf(data);
      const name = 'inference-header-content-length';
      const { bytes, headers } = await post(v2, body, { [name]: String(header) });
      return new Float32Array(Uint8Array.from(bytes.subarray(Number(headers.get(name)))).buffer);
    },
    v1: async (data: Float32Array) => {
      const { bytes } = await post('/v1/models/m:predict', v1Of(data));
      return Float32Array.from((JSON.parse(String(bytes)) as { predictions: number[][] }).predictions.flat());
    },
    refused: async (data: Float32Array) => {
      const { status } = await post(v2, Buffer.concat([jsonOf(data), Buffer.from('x')]));
      return status === 400 ? data : new Float32Array();
    },
  };

  test('each gets its own numbers back', async () => {
    const request = fc.record({
      form: fc.constantFrom(...(Object.keys(send) as (keyof typeof send)[])),
      rows: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 100, max: 900 })),
      from: fc.nat(4095),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 2, maxLength: 8 }), async (requests) => {
        const sent = requests.map(({ rows, from }) => values(rows, from));
        const got = await Promise.all(requests.map(({ form }, i) => send[form](sent[i] ?? values(0))));
        expect(got.map((data, i) => isSame(data, sent[i]))).toEqual(sent.map(() => true));
      }),
      { numRuns: 20 },
    );
  });
});
