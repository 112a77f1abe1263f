/** Answers that are packed as the caller takes them, by a really running server. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { classifier } from '../testing/models.ts';
import { serveModel, type TestPod } from '../testing/pod.ts';

let classes: TestPod;
beforeAll(async () => {
  classes = await serveModel(classifier());
});
afterAll(() => classes.stop());

describe('packed answers', () => {
  const rows = 8_000;
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
    const gzipped = await ask('gzip, deflate');
    expect([gzipped.encoding, gzipped.vary]).toEqual(['gzip', 'accept-encoding']);
    expect(gunzipSync(gzipped.bytes)).toEqual(plain);
    const deflated = await ask('gzip;q=0, deflate');
    expect(deflated.encoding).toBe('deflate');
    expect(inflateSync(deflated.bytes)).toEqual(plain);
    expect((await ask('*')).encoding).toBe('gzip');
    expect((await ask('br')).encoding).toBeUndefined();
  });
  test('small ones never', async () => {
    const small = JSON.stringify({
      inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }],
    });
    expect((await ask('gzip', small)).encoding).toBeUndefined();
  });
});
