import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { endsAfterEach } from '../test/ends.ts';
import { ByteBudget } from './queue/bytes.ts';
import { ask, inferPath, type Rig, startRig, until } from './testing/rig.ts';
import { type StubPod, startStubPod } from './testing/stub-pod.ts';

const { ends } = endsAfterEach();
const start = async (
  answer?: Parameters<typeof startStubPod>[0],
  ...rest: Parameters<typeof startRig> extends [unknown, ...infer Rest] ? Rest : never
): Promise<{ rig: Rig; pod: StubPod }> => {
  const pod = await startStubPod(answer);
  const rig = await startRig({ a: [pod.address] }, ...rest);
  ends.push(() => pod.close());
  ends.push(() => rig.close());
  return { rig, pod };
};
const head = (length: number) => `POST ${inferPath} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`;

describe('a bad client costs its own request only', () => {
  test('one that is slow to send a small body takes no slot while it does', async () => {
    const { rig } = await start();
    const slow = connect(rig.port.port, '127.0.0.1');
    ends.push(() => slow.destroy());
    slow.write(`${head(100)}begin`);
    await until('it is there', () => rig.gate.open === 1);
    for (let i = 0; i < 3; i += 1) expect((await ask(rig.port.port)).status).toBe(200);
    slow.write('x'.repeat(95));
    const answer = await new Promise<string>((resolve) =>
      slow.once('data', (chunk) => resolve(String(chunk))),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  });

  test('one that never ends its body is answered 408 at its deadline', async () => {
    const { rig, pod } = await start(undefined, { timeoutMs: 120 });
    const slow = connect(rig.port.port, '127.0.0.1');
    ends.push(() => slow.destroy());
    slow.write(`${head(100)}begin`);
    const answer = await new Promise<string>((resolve) =>
      slow.once('data', (chunk) => resolve(String(chunk))),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408/);
    expect(pod.got).toHaveLength(0);
    expect(rig.gate.bytes.held).toBe(0);
  });

  test('one that is slow to send a large body gives the slot back after a moment', async () => {
    const { rig, pod } = await start();
    const slow = request({
      port: rig.port.port,
      host: '127.0.0.1',
      path: inferPath,
      method: 'POST',
      headers: { 'content-length': 2_000_000 },
    });
    slow.on('error', () => undefined);
    ends.push(() => slow.destroy());
    slow.write(Buffer.alloc(1_500_000));
    await until('it is bound', () => rig.gate.recorder.inFlight === 1);
    expect((await ask(rig.port.port)).status).toBe(200);
    const answer = new Promise<number>((resolve) =>
      slow.once('response', (response) => resolve(response.statusCode ?? 0)),
    );
    slow.end(Buffer.alloc(500_000));
    expect(await answer).toBe(200);
    expect(pod.got.map(({ body }) => body.length).sort()).toEqual([2, 2_000_000]);
    expect(rig.gate.load(rig.gate.nowMs()).inFlight).toBe(0);
  });

  test('one that leaves in the middle of a large body frees everything', async () => {
    const { rig } = await start();
    const leaving = request({
      port: rig.port.port,
      host: '127.0.0.1',
      path: inferPath,
      method: 'POST',
      headers: { 'content-length': 2_000_000 },
    });
    leaving.on('error', () => undefined);
    leaving.write(Buffer.alloc(1_500_000));
    await until('it is bound', () => rig.gate.recorder.inFlight === 1);
    leaving.destroy();
    await until('nothing is left', () => rig.gate.open === 0 && rig.gate.recorder.inFlight === 0);
    expect((await ask(rig.port.port)).status).toBe(200);
  });

  test('one that does not read a large answer holds the pod back and takes no slot', async () => {
    const { rig } = await start(
      (got, response) => void response.end(got.body.length === 3 ? Buffer.alloc(20_000_000) : '{}'),
    );
    const deaf = connect(rig.port.port, '127.0.0.1');
    ends.push(() => deaf.destroy());
    deaf.pause();
    deaf.write(`${head(3)}abc`);
    await until('its answer begins', () => rig.gate.load(rig.gate.nowMs()).counters.serviceCount === 1);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 3; i += 1) expect((await ask(rig.port.port)).status).toBe(200);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
    expect(rig.gate.open).toBe(1);
  });

  test('one that asks a hundred times without reading loses its connection', async () => {
    const { rig } = await start('hold');
    const greedy = connect(rig.port.port, '127.0.0.1');
    const closed = new Promise((resolve) => greedy.once('close', resolve));
    greedy.on('error', () => undefined);
    greedy.write(`${head(2)}{}`.repeat(100));
    await closed;
    await until('nothing of it is left', () => rig.gate.open === 0);
  });

  test('many that say nothing do not keep others out', async () => {
    const { rig } = await start();
    const silent = Array.from({ length: 50 }, () => connect(rig.port.port, '127.0.0.1'));
    ends.push(() => {
      for (const socket of silent) socket.destroy();
    });
    await until('they are there', () => rig.port.connections === 50);
    expect((await ask(rig.port.port)).status).toBe(200);
  });
});

describe('bodies', () => {
  test('of 100 MB go through whole, and no faster than the pod takes them', async () => {
    const size = 100_000_000;
    const chunk = Buffer.alloc(1_000_000, 'x');
    let received = 0;
    let read: () => void = () => undefined;
    const server = createServer((incoming, response) => {
      read = () =>
        incoming.on('data', (data: Buffer) => {
          received += data.length;
        });
      incoming.on('end', () => response.end('{}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => server.close());
    const { port } = server.address() as { port: number };
    const { rig, pod } = await start(undefined, { timeoutMs: 60_000 });
    rig.gate.setPods('a', [{ ...pod.address, key: 'big', http: { host: '127.0.0.1', port } }]);
    const big = request({
      port: rig.port.port,
      host: '127.0.0.1',
      path: inferPath,
      method: 'POST',
      headers: { 'content-length': size },
    });
    const status = new Promise<number>((resolve, reject) => {
      big.on('error', reject);
      big.once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
    });
    let sent = 0;
    const send = () => {
      while (sent < size) {
        sent += chunk.length;
        if (!big.write(chunk)) {
          big.once('drain', send);
          return;
        }
      }
      big.end();
    };
    send();
    // The pod reads nothing: what is under way lies in the kernel's buffers on the way, and stays there.
    let before = -1;
    while (sent !== before) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(40_000_000);
    read();
    expect([await status, received]).toEqual([200, size]);
  });

  test('that wait are bounded in bytes: more are refused, and the bytes come back', async () => {
    const { rig, pod } = await start('hold', {}, {}, undefined, new ByteBudget(3_000_000, 1_500_000));
    const waiting = [1, 2].map(() => ask(rig.port.port, { body: Buffer.alloc(700_000) }));
    await until('one waits', () => rig.gate.waiting === 1);
    const refused = await ask(rig.port.port, { body: Buffer.alloc(700_000) });
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    for (let i = 0; i < 2; i += 1) {
      await until('in hand', () => pod.inHand() === 1);
      pod.release();
    }
    await Promise.all(waiting);
    await until('all is given back', () => rig.gate.bytes.held === 0);
  });

  test('that a pod does not want are not sent on: its answer comes, and the connection ends', async () => {
    const server = createServer((_incoming, response) =>
      response.writeHead(413).end('{"error":"too large"}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => server.close());
    const { port } = server.address() as { port: number };
    const { rig, pod } = await start();
    rig.gate.setPods('a', [{ ...pod.address, key: 'no', http: { host: '127.0.0.1', port } }]);
    const answer = await ask(rig.port.port, { body: Buffer.alloc(5_000_000) });
    expect(answer).toMatchObject({
      status: 413,
      body: '{"error":"too large"}',
      headers: { connection: 'close' },
    });
  });
});

test("one model's flood leaves the others alone: queue, bytes, connections and pods are its own", async () => {
  const budget = new ByteBudget(2_000_000, 1_000_000);
  const { rig: flooded } = await start('hold', {}, { maxWaiting: 5 }, undefined, budget);
  const { rig: other } = await start(undefined, {}, {}, undefined, budget);
  const flood = Array.from({ length: 40 }, () => ask(flooded.port.port, { body: Buffer.alloc(300_000) }));
  await until('it refuses', () => flooded.gate.refusals.size > 0);
  expect((await ask(other.port.port, { body: Buffer.alloc(300_000) })).status).toBe(200);
  flooded.close();
  await Promise.allSettled(flood);
});
