/** What a request leaves behind: its line in the log, its place in the metrics, its trace. */
import { readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bytesField, join, messageField, textField, varint } from '../inspect/protobuf-writer.ts';
import { classifier } from '../testing/models.ts';
import { serveModel, type TestPod, until } from '../testing/pod.ts';

let pod: TestPod;
beforeAll(async () => {
  pod = await serveModel(classifier(), {
    env: { ACCESS_LOG_PER_SECOND: '1000' },
    live: { slaLatencyMs: [5000] },
  });
});
afterAll(() => pod.stop());

const good = { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] };
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
const send = (body: unknown, headers: Record<string, string> = {}) => pod.infer(body, { headers });
const linesOf = (requestId: string) =>
  pod.log.lines.filter(({ message, fields }) => message === 'request' && fields.requestId === requestId);
const metrics = async (accept: string) =>
  await (await fetch(`${pod.opsUrl}/metrics`, { headers: { accept } })).text();

describe('the trace', () => {
  test('comes back, stands in the log, and is the exemplar of its bucket', async () => {
    const { status, headers } = await send(good, {
      traceparent,
      tracestate: 'vendor=1',
      'x-request-id': 'traced',
    });
    expect(status).toBe(200);
    const [, spanId = ''] =
      /^00-4bf92f3577b34da6a3ce929d0e0e4736-([0-9a-f]{16})-01$/.exec(headers.get('traceresponse') ?? '') ??
      [];
    expect(spanId).not.toBe('');
    expect(linesOf('traced').map(({ fields }) => fields)).toEqual([
      expect.objectContaining({
        protocol: 'rest',
        status: 200,
        traceId,
        spanId,
        parentId: '00f067aa0ba902b7',
        traceFlags: '01',
        traceState: 'vendor=1',
        rows: 1,
        batchRows: 1,
      }),
    ]);
    expect(await metrics('application/openmetrics-text')).toMatch(
      new RegExp(
        `^ballast_request_duration_seconds_bucket\\{le="[^"]+"\\} 1 # \\{trace_id="${traceId}"\\} [0-9.e-]+ \\d+\\.\\d{3}$`,
        'm',
      ),
    );
    expect(await metrics('text/plain')).not.toContain('# {');
  });
  test('that is not valid is ignored, one that is not recorded is no exemplar', async () => {
    const invalid = await send(good, { traceparent: 'x', tracestate: 'a=b', 'x-request-id': 'untraced' });
    expect([invalid.status, invalid.headers.get('traceresponse')]).toEqual([200, null]);
    expect(linesOf('untraced')[0]?.fields.traceId).toBeUndefined();
    const other = traceId.replace('4', 'a');
    const silent = await send(good, { traceparent: `00-${other}-00f067aa0ba902b7-00` });
    expect(silent.headers.get('traceresponse')).toMatch(/-00$/);
    expect(await metrics('application/openmetrics-text')).not.toContain(other);
  });
  test('comes by gRPC as well', async () => {
    const shape = join([varint(1), varint(4)]);
    const input = messageField(5, textField(1, 'x'), textField(2, 'FP32'), bytesField(3, shape));
    const request = join([textField(1, 'm'), input, bytesField(7, new Uint8Array(16))]);
    const client = new Client(`127.0.0.1:${pod.pod.grpcPort}`, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('traceparent', traceparent);
    metadata.set('x-request-id', 'by-grpc');
    const headers = await new Promise<Metadata>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelInfer',
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        request,
        metadata,
        (error) => error && reject(error),
      );
      call.once('metadata', resolve);
    });
    client.close();
    const [answered] = headers.get('traceresponse');
    await until(() => linesOf('by-grpc').length === 1);
    expect(linesOf('by-grpc')[0]?.fields).toMatchObject({ protocol: 'grpc', status: 200, traceId });
    expect(answered).toBe(`00-${traceId}-${linesOf('by-grpc')[0]?.fields.spanId}-01`);
  });
  test('of a page or of metadata comes back too', async () => {
    const response = await fetch(`${pod.url}/v2`, { headers: { traceparent, 'x-request-id': 'meta' } });
    expect(response.headers.get('traceresponse')).toContain(traceId);
    expect(linesOf('meta')[0]?.fields).toMatchObject({ protocol: 'http', path: '/v2', status: 200, traceId });
  });
});

describe('the access log', () => {
  test('never holds what was sent', async () => {
    const secret = 'Jane-Doe-1971';
    for (const body of [
      `{"inputs":[{"name":"${secret}","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}`,
      `{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":["${secret}",2,3,4]}]}`,
      `{"inputs":${secret}`,
      secret,
    ]) {
      const { status } = await send(body, { 'x-request-id': 'secret' });
      expect(status).toBe(400);
    }
    expect(linesOf('secret')).toHaveLength(4);
    expect(JSON.stringify(pod.log.lines)).not.toContain(secret);
  });
  test('has no line for probes', async () => {
    for (const path of ['/v2/health/live', '/v2/health/ready', '/v2/models/m/ready'])
      await fetch(`${pod.url}${path}`, { headers: { 'x-request-id': 'probe' } });
    expect(linesOf('probe')).toEqual([]);
  });
});

describe('the metrics', () => {
  test('count what was refused by reason', async () => {
    pod.directory.writeLiveConfig({ timeoutMs: 10_000, digests: { '': 'f'.repeat(64) } });
    let status = 200;
    while (status !== 503) ({ status } = await send(good));
    expect(await metrics('text/plain')).toMatch(/^ballast_rejected_total\{reason="[A-Z][A-Za-z]+"\} [1-9]/m);
    pod.directory.writeLiveConfig({ timeoutMs: 10_000 });
    while (status !== 200) ({ status } = await send(good));
  });
  test('say what the pod can do', async () => {
    const text = await metrics('text/plain');
    const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(figure('ballast_capacity_rows_per_second')).toBeGreaterThan(0);
    expect(figure('ballast_batch_target_rows')).toBeGreaterThanOrEqual(1);
    expect(figure('ballast_predicted_wait_seconds')).toBeGreaterThanOrEqual(0);
    expect(figure('ballast_utilisation_ratio')).toBeGreaterThanOrEqual(0);
    expect(figure('ballast_rows_total')).toBeGreaterThan(0);
    expect(figure('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
    expect(figure('process_resident_memory_bytes')).toBeGreaterThan(0);
  });
  test('are those of the reference page, all of them and no others', async () => {
    const page = readFileSync(joinPath(import.meta.dirname, '../../docs/reference/metrics-pod.md'), 'utf8');
    const described = [...page.matchAll(/^\| `(ballast_\w+)` \| (\w+) \|/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    const told = [...(await metrics('text/plain')).matchAll(/^# TYPE (ballast_\w+ \w+)$/gm)].map(
      ([, both]) => both,
    );
    expect(told).toEqual(described);
    // What the text mentions beside the table exists as well.
    const text = await metrics('text/plain');
    for (const [, name = ''] of page.matchAll(/\b((?:ballast|process|nodejs)_\w+[a-z])\b/g))
      expect(text).toContain(`${name.replace(/_(bucket|count)$/, '')} `);
  });
});
