/** The generator against a real server on loopback, and its parts. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KubeApi } from '../../kube/api.ts';
import { ApiError } from '../../kube/errors.ts';
import { poissonGaps } from './arrivals.ts';
import { loadCommand } from './command.ts';
import { checkout } from './config.ts';
import { findModel } from './find-model.ts';
import { isLoopback } from './loopback.ts';
import { parseLoadOptions } from './options.ts';
import { replayOf } from './replay.ts';
import { exampleRequest, sampleRequest } from './request-body.ts';
import { runLoad } from './run-load.ts';
import { summarize } from './tally.ts';
import { duration, resultText } from './tell.ts';

let server: Server;
let connections: number;
let handler: RequestListener;
const bodyOf = async (request: IncomingMessage) => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
};

beforeEach(async () => {
  connections = 0;
  handler = (request, response) => {
    request.resume();
    response.end('{}');
  };
  server = createServer((request, response) => handler(request, response));
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const output = () => {
  const lines: string[] = [];
  return { write: (text: string) => lines.push(text), text: () => lines.join('') };
};

describe('runLoad', () => {
  test('sends at the asked rate, whatever the answers take, and tells each second', async () => {
    const seconds: number[] = [];
    const result = await runLoad({
      url: origin(),
      body: '{}',
      rps: 200,
      seconds: 2,
      onSecond: ({ second }) => seconds.push(second),
    });
    expect(result.sent).toBeGreaterThan(300);
    expect(result.sent).toBeLessThan(500);
    expect(result).toMatchObject({ succeeded: result.sent, errors: {} });
    expect(result.latencyMs?.p50).toBeGreaterThan(0);
    expect(seconds.slice(0, 2)).toEqual([1, 2]);
  });

  test('a server that stalls cannot hide it: latency counts from when a request was due', async () => {
    let stalledUntil: number | undefined;
    handler = (request, response) => {
      request.resume();
      stalledUntil ??= performance.now() + 500;
      setTimeout(() => response.end('{}'), Math.max(0, stalledUntil - performance.now()));
    };
    const result = await runLoad({ url: origin(), body: '{}', rps: 100, seconds: 1, connections: 1 });
    expect(result.sent).toBeGreaterThan(60);
    // One connection: half of the requests were due while the first one was stalled, and waited for it.
    expect(result.latencyMs?.p50).toBeGreaterThan(5);
    expect(result.latencyMs?.p90).toBeGreaterThan(200);
  });

  test('counts answers that are not 2xx, time-outs and broken connections by kind, with an example', async () => {
    let call = 0;
    handler = (request, response) => {
      request.resume();
      call += 1;
      if (call % 4 === 0) response.writeHead(429).end('{"error":"queue full"}');
      else if (call % 4 === 1) request.socket.destroy();
      else if (call % 4 === 3) response.end('{}');
    };
    const result = await runLoad({ url: origin(), body: '{}', rps: 100, seconds: 0.5, timeoutMs: 150 });
    expect(Object.keys(result.errors)).toEqual(['HTTP 429', 'broken connection', 'timeout']);
    expect(result.errorExamples['HTTP 429']).toBe('{"error":"queue full"}');
    expect(result.succeeded + Object.values(result.errors).reduce((sum, count) => sum + count, 0)).toBe(
      result.sent,
    );
    expect(resultText(result)).toContain('× HTTP 429: {"error":"queue full"}');
  });

  test('renews its connections, so that new replicas get their share', async () => {
    await runLoad({ url: origin(), body: '{}', rps: 100, seconds: 1, connections: 20 });
    expect(connections).toBeGreaterThan(5);
  });

  test('sends at the moments that it is given, and tells of each request how it ended', async () => {
    let call = 0;
    handler = (request, response) => {
      request.resume();
      call += 1;
      response.writeHead(call % 2 === 0 ? 503 : 200).end('{}');
    };
    const told: [number, boolean][] = [];
    const arrivalsMs = [5, 50, 50, 120, 900];
    const result = await runLoad({
      url: origin(),
      body: '{}',
      rps: 1,
      seconds: 0.5,
      arrivalsMs,
      onAnswer: (dueMs, latencyMs) => told.push([Math.round(dueMs), latencyMs !== undefined]),
    });
    expect(result.sent).toBe(4);
    expect(told.map(([dueMs]) => dueMs).sort((one, other) => one - other)).toEqual([5, 50, 50, 120]);
    expect(told.filter(([, ok]) => ok)).toHaveLength(2);
  });

  test('ends early when told to', async () => {
    const stop = new AbortController();
    const result = await runLoad({
      url: origin(),
      body: '{}',
      rps: 50,
      seconds: 600,
      signal: stop.signal,
      onSecond: () => stop.abort(),
    });
    expect(result.seconds).toBeLessThan(10);
    expect(result.succeeded).toBe(result.sent);
  });

  test('never sends to another machine unasked', async () => {
    await expect(runLoad({ url: 'http://192.0.2.1/', body: '{}', rps: 1, seconds: 1 })).rejects.toThrow(
      'not on this machine: nothing was sent',
    );
  });
});

describe('loadCommand', () => {
  test('makes a request from the model’s metadata and prints a result', async () => {
    const bodies: string[] = [];
    handler = async (request, response) => {
      if (request.method === 'GET') {
        response.end(JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] }));
        return;
      }
      bodies.push(`${request.url} ${await bodyOf(request)}`);
      response.end('{}');
    };
    const out = output();
    expect(await loadCommand(['m', '--url', origin(), '--rps', '40', '--seconds', '1'], out)).toBe(0);
    expect(bodies[0]).toBe(
      '/v2/models/m/infer {"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[0.5,0.5]}]}',
    );
    expect(out.text()).toMatch(/latency {2}p50 .* p90 .* p95 .* p99 .* max/);
    expect(out.text()).toContain('errors   none');
  });

  test.each<[string, string[], string]>([
    [
      'a kubeconfig that is not there',
      ['m', '--kubeconfig', '/nonexistent/k'],
      'there is no kubeconfig /nonexistent/k',
    ],
    ['an unknown option', ['m', '--foo'], "ballast load: Unknown option '--foo'\n"],
  ])('%s is said in plain words', async (_name, args, text) => {
    const out = output();
    expect(await loadCommand(args, out)).toBeGreaterThan(0);
    expect(out.text()).toContain(text);
  });

  test('a cluster that does not run is said with its address', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ballast-load-'));
    const file = join(folder, 'kubeconfig');
    writeFileSync(
      file,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'c',
        clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
        users: [{ name: 'c', user: {} }],
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
      }),
    );
    const out = output();
    try {
      expect(await loadCommand(['m', '--kubeconfig', file], out)).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(out.text()).toBe(
      `ballast load: no cluster answers at http://127.0.0.1:1 (from ${file}): does "npm start" run?\n`,
    );
  });

  test('prints one JSON object with --json, and fails when nothing was answered', async () => {
    handler = (_request, response) => void response.writeHead(404).end('{"error":"no such model"}');
    const out = output();
    const args = ['m', '--url', origin(), '--rps', '40', '--seconds', '1', '--json'];
    expect(await loadCommand([...args, '--request', 'package.json'], out)).toBe(1);
    const result = JSON.parse(out.text()) as { errors: Record<string, number>; sent: number };
    expect(result.errors).toEqual({ 'HTTP 404': result.sent });
    const unknown = output();
    expect(await loadCommand(args, unknown)).toBe(1);
    expect(unknown.text()).toContain('answered HTTP 404: {"error":"no such model"}');
  });

  test.each([
    [[], 2, 'name the model'],
    [['--help'], 0, '--allow-remote'],
    [['a', 'b'], 2, '"b" is one too many'],
    [['a', '--rps', 'fast'], 2, '--rps is "fast": give a number'],
    [['a', '--connections', '1.5'], 2, 'give a whole number'],
    [['a', '--speed', '1'], 2, "Unknown option '--speed'"],
    [['a', '--url', 'http://192.0.2.1'], 1, 'nothing was sent'],
    [['a', '--kubeconfig', '/nowhere/kubeconfig'], 1, '/nowhere/kubeconfig'],
  ])('%j ends with %d and says %s', async (args, code, words) => {
    const out = output();
    expect(await loadCommand(args, out)).toBe(code);
    expect(out.text()).toContain(words);
  });
});

describe('findModel', () => {
  const notFound = new ApiError({ code: 404, reason: 'NotFound', message: 'not found' });
  const api = (objects: Record<string, unknown>): KubeApi =>
    ({
      get: async (type: { kind: string }) => {
        const found = objects[type.kind];
        if (found === undefined) throw notFound;
        return found;
      },
    }) as unknown as KubeApi;
  const md = { spec: { model: { uri: 'file:///samples/wine/model.onnx' } } };
  const service = (changes: object = {}, annotations?: Record<string, string>) => ({
    metadata: { name: 'wine', annotations },
    spec: { clusterIP: '127.96.0.5', ports: [{ name: 'http', port: 8080 }], ...changes },
  });

  test('takes the Service’s address, or the annotation that people on this machine use', async () => {
    expect(await findModel(api({ ModelDeployment: md, Service: service() }), 'team', 'wine')).toEqual({
      url: 'http://127.96.0.5:8080',
      modelUri: 'file:///samples/wine/model.onnx',
    });
    const annotated = service(
      {},
      { 'local.ballast.dev/url': 'http://127.0.0.1:40123/,grpc://127.0.0.1:40124' },
    );
    const found = await findModel(api({ ModelDeployment: md, Service: annotated }), 'team', 'wine');
    expect(found.url).toBe('http://127.0.0.1:40123');
  });

  test.each([
    [{}, 'no ModelDeployment "wine" in namespace "team"'],
    [{ ModelDeployment: md }, 'has no Service yet'],
    [{ ModelDeployment: md, Service: service({ clusterIP: 'None' }) }, 'has no address yet'],
  ])('with %j says %s', async (objects, words) => {
    await expect(findModel(api(objects), 'team', 'wine')).rejects.toThrow(words);
  });
});

describe('parts', () => {
  test('a trace gives the moments of the requests, from a second on and scaled', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ballast-load-'));
    try {
      const file = join(folder, 'rates.txt');
      writeFileSync(file, '5\n5\n100\n10\n');
      const { rps, seconds, arrivalsMs } = replayOf(file, { from: 2, seconds: undefined, scale: 2 }, 1);
      expect({ rps, seconds }).toEqual({ rps: 110, seconds: 2 });
      const first = arrivalsMs.filter((ms) => ms < 1_000).length;
      expect(first).toBeGreaterThan(150);
      expect(first).toBeLessThan(250);
      expect(arrivalsMs.length - first).toBeLessThan(40);
      expect(arrivalsMs.toSorted((one, other) => one - other)).toEqual(arrivalsMs);
      expect(replayOf(file, { from: 0, seconds: 3, scale: 1 }, 1).seconds).toBe(3);
      expect(() => replayOf(file, { from: 4, seconds: undefined, scale: 1 }, 1)).toThrow('ends after 4 s');
      expect(() => replayOf(file, { from: 0, seconds: undefined, scale: 1e6 }, 1)).toThrow('smaller --scale');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    [['wine', '--scale', '2'], 'name its file'],
    [['wine', '--trace', 'f', '--rps', '5'], '--scale makes them larger'],
  ])('%j: %s', (args, words) => {
    expect(() => parseLoadOptions(args)).toThrow(words);
  });

  test('arrivals are a Poisson stream, the same for the same seed', () => {
    const [one, same, other] = [poissonGaps(100, 1), poissonGaps(100, 1), poissonGaps(100, 2)];
    const gaps = Array.from({ length: 20_000 }, one);
    expect(gaps.slice(0, 5)).toEqual(Array.from({ length: 5 }, same));
    expect(gaps[0]).not.toBe(other());
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeCloseTo(10, 0);
    expect(variance / mean ** 2).toBeCloseTo(1, 1);
    expect(gaps.every((gap) => gap > 0 && Number.isFinite(gap))).toBe(true);
  });

  test('percentiles are nearest ranks', () => {
    const summary = summarize(Array.from({ length: 100 }, (_, index) => 100 - index));
    expect(summary).toEqual({ p50: 50, p90: 90, p95: 95, p99: 99, max: 100 });
    expect(summarize([])).toBeUndefined();
  });

  test.each([
    ['http://127.3.4.5:8080', true],
    ['http://localhost/x', true],
    ['http://[::1]:80', true],
    ['http://10.0.0.1', false],
    ['http://127.0.0.1.example.com', false],
    ['http://example.com', false],
    ['http://[fd00::1]', false],
  ])('%s is on this machine: %s', (url, expected) => expect(isLoopback(url)).toBe(expected));

  test('the sample’s own request is found, and nothing outside the samples', () => {
    expect(sampleRequest('file:///samples/wine/model.onnx', checkout)).toContain('"features"');
    expect(sampleRequest('file:///samples/../../etc/passwd', checkout)).toBeUndefined();
    expect(sampleRequest('https://example.com/samples/wine/model.onnx', checkout)).toBeUndefined();
  });

  test('made-up requests have every input, free dimensions as 1', () => {
    const inputs = [
      { name: 'text', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'n', datatype: 'INT64', shape: [2] },
      { name: 'flag', datatype: 'BOOL', shape: [-1] },
    ];
    expect(JSON.parse(exampleRequest(inputs))).toEqual({
      inputs: [
        { name: 'text', datatype: 'BYTES', shape: [1, 1], data: ['example'] },
        { name: 'n', datatype: 'INT64', shape: [2], data: [1, 1] },
        { name: 'flag', datatype: 'BOOL', shape: [1], data: [true] },
      ],
    });
    expect(() => exampleRequest([{ name: 'big', datatype: 'FP32', shape: [10_000, 10_000] }])).toThrow(
      '--request FILE',
    );
  });

  test('options have their defaults', () => {
    expect(parseLoadOptions(['wine'])).toMatchObject({
      model: 'wine',
      rps: 50,
      seconds: 30,
      connections: 64,
    });
  });

  test.each([
    [0.5, '500µs'],
    [41.23, '41.2ms'],
    [412.3, '412ms'],
    [1_250, '1.25s'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});
