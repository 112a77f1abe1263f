/** Health, metadata and the ops port: rows R1-R11 of open-inference-protocol.md §4.1. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { twoInputs } from '../testing/models.ts';
import { serveModel, type TestPod, until } from '../testing/pod.ts';

let pod: TestPod;
beforeAll(async () => {
  pod = await serveModel(twoInputs(), { env: { BALLAST_MODEL_VERSION: 'v10', BALLAST_REVISION: 'rev1' } });
});
afterAll(() => pod.stop());

const metadata = {
  name: 'm',
  versions: ['v10'],
  platform: 'onnx_onnxv1',
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [-1, 2] },
    { name: 'b', datatype: 'FP32', shape: [-1, 2] },
    { name: 'n', datatype: 'INT32', shape: [-1, 1] },
  ],
  outputs: [
    { name: 'sum', datatype: 'FP32', shape: [-1, 2] },
    { name: 'count', datatype: 'INT32', shape: [-1, 1] },
  ],
};

const extensions = ['binary_tensor_data', 'classification', 'parameters', 'statistics'];

const cases: Record<string, { path: string; method?: string; status: number; want: unknown }> = {
  'R1 live': { path: '/v2/health/live', status: 200, want: { live: true } },
  'R2 ready': { path: '/v2/health/ready', status: 200, want: { live: true, ready: true } },
  'R3 server metadata': {
    path: '/v2',
    status: 200,
    want: { name: 'ballast', version: '0.0.0', extensions },
  },
  'R3 with a slash': {
    path: '/v2/',
    status: 200,
    want: { name: 'ballast', version: '0.0.0', extensions },
  },
  'R4 model metadata': { path: '/v2/models/m', status: 200, want: metadata },
  'R4 unknown model': {
    path: '/v2/models/x',
    status: 404,
    want: { error: "Request for unknown model: 'x' is not found" },
  },
  'R5 a version’s metadata': { path: '/v2/models/m/versions/v10', status: 200, want: metadata },
  'R5 unknown version': {
    path: '/v2/models/m/versions/1',
    status: 404,
    want: { error: "Request for unknown model: 'm' version 1 is not found" },
  },
  'R6 model ready': { path: '/v2/models/m/ready', status: 200, want: { name: 'm', ready: true } },
  'R6 unknown model': {
    path: '/v2/models/x/ready',
    status: 404,
    want: { error: "Request for unknown model: 'x' is not found" },
  },
  'R7 version ready': {
    path: '/v2/models/m/versions/v10/ready',
    status: 200,
    want: { name: 'm', ready: true },
  },
  'R10 wrong method': {
    path: '/v2/models/m',
    method: 'POST',
    status: 405,
    want: { error: 'Method Not Allowed' },
  },
  'R10 on health': {
    path: '/v2/health/live',
    method: 'DELETE',
    status: 405,
    want: { error: 'Method Not Allowed' },
  },
  'R11 unknown path': { path: '/v3', status: 404, want: { error: 'there is nothing at /v3' } },
  'R11 broken percent-encoding': {
    path: '/v2/models/%zz',
    status: 400,
    want: { error: "Failed to decode param '%zz'" },
  },
};

test.each(Object.entries(cases))('%s', async (_name, { path, method, status, want }) => {
  const response = await fetch(`${pod.url}${path}`, { method: method ?? 'GET' });
  expect({ status: response.status, body: await response.json() }).toEqual({ status, body: want });
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  if (status === 405) expect(response.headers.get('allow')).toBe('GET, HEAD');
});

describe('the ops port', () => {
  const ops = async (path: string) => {
    const response = await fetch(`${pod.opsUrl}${path}`);
    return { status: response.status, text: await response.text() };
  };
  test('probes', async () => {
    expect(await ops('/livez')).toEqual({ status: 200, text: '{"live":true}' });
    expect(await ops('/readyz')).toEqual({ status: 200, text: '{"ready":true}' });
    expect((await ops('/nothing')).status).toBe(404);
  });
  test('metrics count requests by status', async () => {
    await pod.infer({});
    const { status, text } = await ops('/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/^ballast_requests_total\{code="400",protocol="rest"\} [1-9]/m);
    expect(text).toMatch(
      /^ballast_model_info\{model="m",version="v10",revision="rev1",sha256="[0-9a-f]{64}"\} 1$/m,
    );
    expect(text).toContain('ballast_ready 1');
    // Base units, and nothing of ours under another name.
    for (const name of text.match(/^# TYPE ballast_\S+/gm) ?? []) expect(name).not.toMatch(/_(ms|millis)/);
  });
  test('the digest of another file takes the pod out, and the right one brings it back', async () => {
    const sha256 = (await pod.load()).modelSha256;
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    pod.directory.writeLiveConfig({ digests: { rev1: 'f'.repeat(64) } });
    await until(async () => (await ops('/readyz')).status === 503);
    expect(JSON.parse((await ops('/readyz')).text)).toMatchObject({ ready: false, reason: 'DigestMoved' });
    expect((await fetch(`${pod.url}/v2/health/ready`)).status).toBe(503);
    expect((await pod.infer({})).status).toBe(503);
    pod.directory.writeLiveConfig({ digests: { rev1: sha256, other: 'f'.repeat(64) } });
    await until(async () => (await ops('/readyz')).status === 200);
  });
  test('a live configuration that does not parse leaves the last one in force', async () => {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(`${pod.directory.root}/config/config.json`, '{"version":');
    await until(() => pod.log.lines.some((line) => line.message === 'live configuration ignored'));
    expect((await ops('/readyz')).status).toBe(200);
  });
});
