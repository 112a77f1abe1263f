/** What bad clients and bursts do to the pod: security.md S16, S19, and the queue's bounds. */

import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../log/logger.ts';
import { classifier, loopOnDemand } from '../testing/models.ts';
import { serveModel, type TestPod, type TestPodOptions, until } from '../testing/pod.ts';

let pod: TestPod | undefined;
const serve = async (model: Uint8Array, options?: TestPodOptions) => {
  pod = await serveModel(model, options);
  return pod;
};
afterEach(async () => {
  await pod?.stop();
  pod = undefined;
});

const row = { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] };
const trips = (count: number) => ({
  inputs: [{ name: 'trips', shape: [], datatype: 'INT64', data: [count] }],
});
const calibrations = 3;
/**
 * Rounds of the loop that keep the runner busy for about so long: by the fastest of a few runs, since the machine may be loaded,
 * and by what the runner took, since the way there and back may take many times that.
 */
const roundsFor = async (served: TestPod, ms: number) => {
  let fastestMs = Number.POSITIVE_INFINITY;
  let spentMs = 0;
  for (let i = 0; i < calibrations; i += 1) {
    await served.infer(trips(20_000));
    await until(async () => (await served.load()).counters.serviceCount === i + 1);
    const serviceMs = 1_000 * (await served.load()).counters.serviceSumSeconds;
    fastestMs = Math.min(fastestMs, serviceMs - spentMs);
    spentMs = serviceMs;
  }
  return Math.ceil((20_000 * ms) / fastestMs);
};

/** Sends raw bytes and returns what comes back until the server closes. */
const raw = (served: TestPod, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(served.pod.httpPort, '127.0.0.1', () => socket.write(text));
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString();
    });
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
  });

describe('malformed HTTP', () => {
  test.each([
    ['headers that are too large', `GET /v2 HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, '431'],
    ['no HTTP', 'hello\r\n\r\n', '400'],
    [
      'two lengths',
      'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      '400',
    ],
    [
      'a length and chunks',
      'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n',
      '400',
    ],
  ])('%s', async (_name, text, status) => {
    const answer = await raw(await serve(classifier()), text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/\{"error":"[^"]+"\}$/);
  });
});

const crumbs = (count: number) =>
  `POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(count)}`;

describe('bodies in chunks of one byte', () => {
  test('one that goes on and on is answered 413, long before its end, and closed', async () => {
    const answer = await raw(await serve(classifier()), crumbs(8_193));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/connection: close/i);
    expect(answer).toMatch(/more than 8192 pieces of a few bytes/);
  });

  test('one of a few thousand is served', async () => {
    const text = JSON.stringify(row);
    const body = `${' '.repeat(4_000)}${text}`;
    const chunks = [...body].map((byte) => `1\r\n${byte}\r\n`).join('');
    const head =
      'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n';
    const answer = await raw(await serve(classifier()), `${head}${chunks}0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('a client that goes away is counted as its own mistake and not run', async () => {
  const served = await serve(loopOnDemand(), { live: { timeoutMs: 60_000 } });
  const rounds = await roundsFor(served, 1500);
  const first = served.infer(trips(rounds));
  await until(async () => (await served.load()).inFlight === 1);
  const gone = httpRequest({
    host: '127.0.0.1',
    port: served.pod.httpPort,
    path: '/v2/models/m/infer',
    method: 'POST',
  });
  gone.on('error', () => undefined);
  gone.end(JSON.stringify(trips(1)));
  await until(async () => (await served.load()).queueLength === 1);
  gone.destroy();
  expect((await first).status).toBe(200);
  await until(async () => (await served.load()).inFlight === 0);
  const { counters } = await served.load();
  expect(counters).toMatchObject({
    arrivals: calibrations + 2,
    succeeded: calibrations + 1,
    clientErrors: 1,
    serviceCount: calibrations + 1,
  });
});

test('a full queue answers 429 with Retry-After, at once, and counts what it refuses', async () => {
  const served = await serve(loopOnDemand(), {
    env: { BALLAST_MAX_QUEUE: '2' },
    live: { timeoutMs: 60_000 },
  });
  const rounds = await roundsFor(served, 1500);
  const admitted = [served.infer(trips(rounds)), served.infer(trips(1)), served.infer(trips(1))];
  await until(async () => (await served.load()).inFlight === 3);
  const from = performance.now();
  const refused = await served.infer(trips(1));
  expect(performance.now() - from).toBeLessThan(1000);
  expect(refused.status).toBe(429);
  expect(refused.body).toEqual({ error: 'Exceeds maximum queue size: 2 requests wait' });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await Promise.all(admitted)).map(({ status }) => status)).toEqual([200, 200, 200]);
  const { counters, latency } = await served.load();
  expect(counters).toMatchObject({ arrivals: calibrations + 4, succeeded: calibrations + 3, rejected: 1 });
  expect(latency.counts.at(-1)).toBe(1);
});

describe('deadlines', () => {
  test('the deployment’s, read while it runs', async () => {
    const served = await serve(loopOnDemand(), { live: { timeoutMs: 60_000 } });
    const rounds = await roundsFor(served, 1500);
    served.directory.writeLiveConfig({ timeoutMs: 50 });
    await until(() => served.log.lines.some(({ fields }) => fields.timeoutMs === 50));
    const late = await served.infer(trips(rounds));
    expect(late.status).toBe(504);
    expect(late.body).toEqual({ error: 'Request timeout expired: not answered within 50 ms' });
    await until(async () => (await served.load()).counters.serviceCount === calibrations + 1);
  });
  test('the caller’s own, when it is shorter; work that waited past it is never run', async () => {
    const served = await serve(loopOnDemand(), { live: { timeoutMs: 60_000 } });
    const rounds = await roundsFor(served, 1500);
    const first = served.infer(trips(rounds));
    await until(async () => (await served.load()).inFlight === 1);
    const behind = await served.infer(trips(1), { headers: { 'x-request-timeout-ms': '30' } });
    expect(behind.body).toEqual({ error: 'Request timeout expired: not answered within 30 ms' });
    expect((await first).status).toBe(200);
    const { counters } = await served.load();
    expect(counters).toMatchObject({ rejected: 1, serviceCount: calibrations + 1 });
  });
});

test('a deadline that the queue cannot meet is refused early, by what runs and waits', async () => {
  const served = await serve(loopOnDemand(), { live: { timeoutMs: 60_000 } });
  const rounds = await roundsFor(served, 1500);
  const admitted = [served.infer(trips(rounds)), served.infer(trips(1))];
  await until(async () => (await served.load()).queueLength === 1);
  // The longer the run is over its time, the longer it is expected to go on.
  let refused = await served.infer(trips(1), { headers: { 'ballast-deadline-ms': '100' } });
  await until(async () => {
    if (refused.status === 429) return true;
    expect(refused.status).toBe(504);
    refused = await served.infer(trips(1), { headers: { 'ballast-deadline-ms': '100' } });
    return false;
  });
  expect((refused.body as { error: string }).error).toMatch(
    /too late for the \d+ ms that the request may take$/,
  );
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await Promise.all(admitted)).map(({ status }) => status)).toEqual([200, 200]);
});

test('an upload that is slower than the deadline is the client’s own mistake', async () => {
  const served = await serve(classifier(), { live: { timeoutMs: 100 } });
  const answer = await raw(
    served,
    'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"inputs":',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toMatch(/\{"error":"the request was not complete within 100 ms"\}$/);
  expect((await served.load()).counters).toMatchObject({ arrivals: 1, clientErrors: 1, rejected: 0 });
});

test('an upload in the open is refused once it is too large, and the client hears of it', async () => {
  const served = await serve(classifier(), { env: { BALLAST_MAX_BODY_BYTES: '10000' } });
  const answer = await new Promise<number>((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: served.pod.httpPort, path: '/v2/models/m/infer', method: 'POST' },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    request.on('error', reject);
    // Chunked: no length says how much is to come.
    for (let i = 0; i < 50; i += 1) request.write(Buffer.alloc(1000, 0x20));
    request.end();
  });
  expect(answer).toBe(413);
  expect((await served.infer(row)).status).toBe(200);
});

test('logs hold no bodies, and nothing that a caller sent can forge a line', async () => {
  const stream = new PassThrough();
  const log = createLogger('info', { pod: 'p\u001b[31m' }, stream);
  log.error('bad\r\n{"level":"info"}', { error: '\u0007\u009b2J\u2028' });
  log.debug('not shown');
  const text = String(stream.read());
  expect(text.split('\n').filter((line) => line !== '')).toHaveLength(1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
  expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/);
  expect(JSON.parse(text)).toMatchObject({
    level: 'error',
    message: 'bad\r\n{"level":"info"}',
    pod: 'p\u001b[31m',
  });

  const served = await serve(classifier());
  await served.infer({ ...row, id: 'canary-in-the-body', parameters: { secret: 'canary-in-the-body' } });
  await served.infer('{"canary-in-the-body');
  expect(JSON.stringify(served.log.lines)).not.toContain('canary-in-the-body');
});
