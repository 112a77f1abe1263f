/** What the table of the protocol asks for and no test of the pod's own files has: HEAD, not ready, many rows. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { classifier } from '../../inference-pod/testing/models.ts';
import { serveModel, type TestPod, until } from '../../inference-pod/testing/pod.ts';

let pod: TestPod;
beforeAll(async () => {
  pod = await serveModel(classifier());
});
afterAll(() => pod.stop());

const ask = async (method: 'GET' | 'HEAD' | 'POST' | 'DELETE', path: string) => {
  const { statusCode, headers, body } = await request(`${pod.url}${path}`, { method });
  return {
    status: statusCode,
    allow: headers.allow,
    length: headers['content-length'],
    text: await body.text(),
  };
};
const row = [0.1, 0.2, 0.3, 0.4];
const infer = (rows: number) =>
  pod.infer({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 4], data: new Array(rows).fill(row).flat() }],
  });

const readable = [
  '/',
  '/v1/models',
  '/v1/models/m',
  '/v2',
  '/v2/health/live',
  '/v2/health/ready',
  '/v2/models',
  '/v2/models/m',
  '/v2/models/m/ready',
  '/v2/models/m/stats',
  '/v2/models/stats',
];
const posted = [
  '/v1/models/m:predict',
  '/v2/models/m/infer',
  '/v2/repository/index',
  '/v2/repository/models/m/load',
];

describe('methods', () => {
  test.each(readable)('HEAD %s is GET without a body', async (path) => {
    expect(await ask('HEAD', path)).toMatchObject({
      status: 200,
      text: '',
      length: expect.stringMatching(/^[1-9]/),
    });
  });
  test.each(readable)('DELETE %s', async (path) => {
    expect(await ask('DELETE', path)).toMatchObject({
      status: 405,
      allow: 'GET, HEAD',
      text: '{"error":"Method Not Allowed"}',
    });
  });
  test.each(posted)('GET and HEAD %s', async (path) => {
    expect(await ask('GET', path)).toMatchObject({
      status: 405,
      allow: 'POST',
      text: '{"error":"Method Not Allowed"}',
    });
    expect(await ask('HEAD', path)).toMatchObject({ status: 405, allow: 'POST', text: '' });
  });
  test.each(['/v2/models/m/nothing', '/v2/models/m/infer/more', '/v1', '/V2/models/m'])(
    'POST %s is 404',
    async (path) => {
      const { status, text } = await ask('POST', path);
      expect({ status, body: JSON.parse(text) as unknown }).toEqual({
        status: 404,
        body: { error: expect.stringMatching(/^there is nothing at /) },
      });
    },
  );
});

test('64 rows where a batch has at most 32', async () => {
  const one = ((await infer(1)).body as { outputs: { data: number[] }[] }).outputs[0]?.data;
  const { status, body } = await infer(64);
  const [output] = (body as { outputs: { shape: number[]; data: number[] }[] }).outputs;
  expect([status, output?.shape]).toEqual([200, [64, 3]]);
  for (const [i, value] of (output?.data ?? []).entries()) expect(value).toBeCloseTo(one?.[i % 3] ?? 0, 5);
});

test('a content type that is missing, or another', async () => {
  const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: row }] });
  for (const headers of [
    {},
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=utf-8' },
  ]) {
    const { statusCode } = await request(`${pod.url}/v2/models/m/infer`, { method: 'POST', body, headers });
    expect(statusCode).toBe(200);
  }
});

test('a pod that may not serve says so everywhere', async () => {
  pod.directory.writeLiveConfig({ digests: { '': 'f'.repeat(64) } });
  await until(async () => (await ask('GET', '/v2/health/ready')).status === 503);
  for (const path of ['/v2/models/m/ready', '/v1/models/m']) {
    const { status, text } = await ask('GET', path);
    expect({ status, body: JSON.parse(text) as unknown }).toEqual({
      status: 503,
      body: { name: 'm', ready: false, error: expect.stringMatching(/DigestMoved/) },
    });
  }
  expect((await ask('GET', '/v2/health/live')).status).toBe(200);
  expect(await infer(1)).toMatchObject({ status: 503, body: { error: "model 'm' is not ready" } });
});
