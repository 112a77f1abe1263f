/** Answers that are packed as the caller takes them, by a really running server. */
import { gunzipSync, unzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { classifier } from '../testing/models.ts';
import { serveModel, type TestPod } from '../testing/pod.ts';
import { packed } from './packed.ts';

let classes: TestPod;
beforeAll(async () => {
  classes = await serveModel(classifier());
});
afterAll(() => classes.stop());

describe('packed answers', () => {
  const rows = 11_000;
  const body = JSON.stringify({
    inputs: [{ name: 'x', shape: [rows, 4], datatype: 'FP32', data: new Array(rows * 4).fill(0.25) }],
  });
  const ask = async (accepted: string, json = body) => {
    const response = await request(`${classes.url}/v2/models/m/infer`, {
      method: 'POST',
      headers: { 'accept-encoding': accepted },
      body: json,
    });
    const bytes = Buffer.from(await response.body.arrayBuffer());
    return { encoding: response.headers['content-encoding'], vary: response.headers.vary, bytes };
  };
  test('large ones, as the caller takes them', async () => {
    const { bytes: plain, encoding } = await ask('identity');
    expect(encoding).toBeUndefined();
    // It was read and written in turns: no piece of it is missing, none is there twice.
    const { data } = (JSON.parse(plain.toString()) as { outputs: { data: number[] }[] }).outputs[0] ?? {
      data: [],
    };
    expect(data.length).toBe(rows * 3);
    expect(data.every((value, i) => value === data[i % 3])).toBe(true);
    const gzipped = await ask('gzip, deflate');
    expect([gzipped.encoding, gzipped.vary]).toEqual(['gzip', 'accept-encoding']);
    expect(gunzipSync(gzipped.bytes).equals(plain)).toBe(true);
  });
  test.each([
    ['gzip;q=0, deflate', 'deflate'],
    ['deflate, gzip;q=0.5', 'deflate'],
    ['GZIP', 'gzip'],
    ['*', 'gzip'],
    ['*;q=0', undefined],
    ['br', undefined],
    ['', undefined],
    ['gzip;q=x', undefined],
  ])('Accept-Encoding: %s', async (accepted, encoding) => {
    const body = Buffer.alloc(100_000, 'a');
    const answer = await packed({ body, headers: {} }, accepted);
    expect(answer.headers['content-encoding']).toBe(encoding);
    if (encoding !== undefined) expect(unzipSync(answer.body).equals(body)).toBe(true);
  });
  test('small ones never', async () => {
    const small = JSON.stringify({
      inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }],
    });
    expect((await ask('gzip', small)).encoding).toBeUndefined();
  });
});
