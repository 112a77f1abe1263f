/** Whichever lane serves a request, the answer is the same but for the date: status, headers in their order, body. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classifier } from '../../testing/models.ts';
import { serveModel, type TestPod } from '../../testing/pod.ts';

let pod: TestPod | undefined;
const sockets: Socket[] = [];
let readByNode = 0;
const countOne = () => {
  readByNode += 1;
};
subscribe('http.server.request.start', countOne);
afterEach(async () => {
  unsubscribe('http.server.request.start', countOne);
  for (const socket of sockets.splice(0)) socket.destroy();
  await pod?.stop();
});

/** Sends requests one after the other and returns each answer as it came. */
const open = (port: number): Promise<(request: Buffer) => Promise<string>> =>
  new Promise((resolve) => {
    let got = '';
    let answered: (answer: string) => void = () => undefined;
    const socket = connect(port, '127.0.0.1', () =>
      resolve((request) => {
        got = '';
        socket.write(request);
        return new Promise((done) => {
          answered = done;
        });
      }),
    );
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      got += String(chunk);
      if (isWhole(got)) answered(got);
    });
    socket.on('close', () => answered(got));
    sockets.push(socket);
  });

const isWhole = (answer: string): boolean => {
  const end = answer.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1];
  return end >= 0 && answer.length === end + 4 + Number(length);
};

/** Without what no two answers have in common. */
const masked = (answer: string): string =>
  answer
    .replace(/Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/, 'Date')
    .replace(/x-request-id: [0-9a-f]{8}-[0-9a-f-]{27}/, 'x-request-id')
    .replace(/traceresponse: 00-([0-9a-f]{32})-[0-9a-f]{16}-/, 'traceresponse: $1 ');

const value = fc.oneof(
  fc.float({ noNaN: true, min: -1e6, max: 1e6 }),
  fc.constantFrom<unknown>(null, 'a', 1e39, true, []),
);
const good = fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });
const rows = (of: fc.Arbitrary<unknown>) =>
  fc
    .integer({ min: 0, max: 5 })
    .chain((count) =>
      fc.tuple(fc.constant(count), fc.array(of, { minLength: count * 4, maxLength: count * 4 })),
    );
const json = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: rows(good) }, { weight: 1, arbitrary: rows(value) }),
    fc.constantFrom('x', 'x', 'x', 'x', 'other'),
    fc.constantFrom('FP32', 'FP32', 'FP32', 'FP64'),
    fc.constantFrom<object>(
      {},
      {},
      { id: 'é "1"' },
      { parameters: { timeout: 'soon' } },
      { outputs: [{ name: 'no' }] },
    ),
  )
  .map(([[count, data], name, datatype, more]) =>
    JSON.stringify({ ...more, inputs: [{ name, shape: [count, 4], datatype, data }] }),
  );
const body = fc.oneof(
  { weight: 8, arbitrary: json.map((text) => ({ fields: '', bytes: Buffer.from(text) })) },
  { weight: 1, arbitrary: json.map((text) => ({ fields: '', bytes: Buffer.from(text.slice(0, -7)) })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(rows(good), fc.integer({ min: -3, max: 20 }), fc.boolean())
      .map(([[count, data], off, asked]) => {
        const blob = Buffer.from(Float32Array.from(data as number[]).buffer);
        const head = JSON.stringify({
          inputs: [
            { name: 'x', shape: [count, 4], datatype: 'FP32', parameters: { binary_data_size: blob.length } },
          ],
          parameters: { binary_data_output: asked },
        });
        const length = head.length + Math.min(off, 0);
        return {
          fields: `Inference-Header-Content-Length: ${length}\r\n`,
          bytes: Buffer.concat([Buffer.from(head), blob]),
        };
      }),
  },
);
const field = fc.constantFrom(
  ...[
    'x-request-id: my-own\r\n',
    'x-request-id: spaced out\r\n',
    'Accept-Encoding: gzip\r\n',
    'a:b\r\n',
    '',
    '',
  ],
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\n',
  ...['ballast-deadline-ms: 9999\r\n', 'ballast-deadline-ms: soon\r\n', 'Connection: keep-alive\r\n'],
);
const path = fc.constantFrom(
  '/v2/models/m/infer',
  '/v2/models/m/infer',
  '/v2/models/m/infer',
  '/v2/models/n/infer',
  '/v2/models/m/versions/1/infer',
  '/v2/models/m/versions/2/infer',
);
const request = fc.tuple(path, field, body).map(([target, more, { fields, bytes }]) => {
  const head = `POST ${target} HTTP/1.1\r\nHost: pod:8080\r\n${more}${fields}content-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
});

test('the same request through both lanes', async () => {
  pod = await serveModel(classifier(), { env: { BALLAST_MODEL_VERSION: '1' } });
  const { httpPort } = pod.pod;
  const fast = await open(httpPort);
  const slow = await open(httpPort);
  // From here on this connection is with node:http.
  expect(await slow(Buffer.from('GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n'))).toMatch(
    /^HTTP\/1\.1 200 /,
  );
  readByNode = 0;
  let asked = 0;
  const statuses = new Set<string>();
  await fc.assert(
    fc.asyncProperty(request, async (bytes) => {
      asked += 1;
      const answer = masked(await fast(bytes));
      expect(answer).toBe(masked(await slow(bytes)));
      statuses.add(answer.slice(9, 12));
    }),
    { numRuns: 200, endOnFailure: true },
  );
  expect([...statuses].sort()).toEqual(['200', '400', '404']);
  // Each lane has served its half, and both halves were counted alike.
  expect(readByNode).toBe(asked);
  const { counters } = await pod.load();
  expect(counters.arrivals).toBe(2 * asked);
  expect(counters.succeeded % 2).toBe(0);
  expect(counters.clientErrors % 2).toBe(0);
}, 90_000);
