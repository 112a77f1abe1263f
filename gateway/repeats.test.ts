import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { endsAfterEach } from '../test/ends.ts';
import type { PodAddress } from './balance/address.ts';
import { ask, startRig, until } from './testing/rig.ts';
import { startStubPod } from './testing/stub-pod.ts';

const { ends, closing } = endsAfterEach();
const rigOf = closing(startRig);
const podOf = closing(startStubPod);
/** An address at which nobody listens. */
const deadPod = async (): Promise<PodAddress> => {
  const pod = await startStubPod(undefined, 'dead');
  await pod.close();
  return pod.address;
};
/** A pod that reads so many bytes and then resets, or ends, the connection. */
const rudePod = async (
  answer: string,
  name = 'rude',
): Promise<{ address: PodAddress; asked: () => number }> => {
  let asked = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      asked += 1;
      if (answer === '') socket.resetAndDestroy();
      else socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.address() as { port: number };
  const address = { ...(await deadPod()), key: `127.0.0.1:${port}`, name, http: { host: '127.0.0.1', port } };
  return { address, asked: () => asked };
};

describe('what never reached a pod is sent again', () => {
  test('a pod that cannot be reached costs nobody a request, whatever the method', async () => {
    const dead = await deadPod();
    const pod = await podOf();
    const rig = await rigOf({ a: [dead, pod.address] });
    for (let i = 0; i < 6; i += 1)
      expect((await ask(rig.port.port, { body: `{"n":${i}}` })).status).toBe(200);
    expect(pod.got.map(({ body }) => body.toString())).toEqual([0, 1, 2, 3, 4, 5].map((n) => `{"n":${n}}`));
    expect(rig.gate.repeats).toBeGreaterThan(0);
  });

  test('a body of many megabytes too, since nothing of it was taken', async () => {
    const dead = await deadPod();
    const pod = await podOf();
    const rig = await rigOf({ a: [dead, pod.address] });
    for (let i = 0; i < 2; i += 1)
      expect((await ask(rig.port.port, { body: Buffer.alloc(3_000_000, i) })).status).toBe(200);
    expect(pod.got.map(({ body }) => body.length)).toEqual([3_000_000, 3_000_000]);
  });

  test('while no pod can be reached requests wait, and are served when one can', async () => {
    const dead = await deadPod();
    const rig = await rigOf({ a: [dead] });
    const answer = ask(rig.port.port);
    await until('it was tried', () => rig.gate.repeats > 1);
    const pod = await podOf();
    rig.gate.setPods('a', [dead, pod.address]);
    expect((await answer).status).toBe(200);
  });

  test('with no pod until its deadline it is 504', async () => {
    const rig = await rigOf({ a: [await deadPod()] }, { timeoutMs: 200 });
    expect((await ask(rig.port.port)).status).toBe(504);
  });
});

describe('what may have reached a pod', () => {
  test('is not sent again when it is a POST: 502, and seen once', async () => {
    const rude = await rudePod('');
    const rig = await rigOf({ a: [rude.address] });
    const answer = await ask(rig.port.port);
    expect(answer.status).toBe(502);
    expect(answer.body).toContain('the pod broke off');
    expect(rude.asked()).toBe(1);
    expect(rig.gate.repeats).toBe(0);
  });

  test('nor when its kept-alive connection ends under it', async () => {
    let requests = 0;
    const pod = await podOf((_got, response) => {
      requests += 1;
      if (requests === 1) response.end('{}');
      else response.socket?.resetAndDestroy();
    });
    const rig = await rigOf({ a: [pod.address] });
    expect((await ask(rig.port.port)).status).toBe(200);
    expect((await ask(rig.port.port)).status).toBe(502);
    expect(pod.got).toHaveLength(2);
  });

  test('is sent again when it is a GET, which may be asked twice', async () => {
    const rude = await rudePod('');
    const pod = await podOf();
    const rig = await rigOf({ a: [rude.address, pod.address] });
    for (let i = 0; i < 3; i += 1)
      expect((await ask(rig.port.port, { method: 'GET', path: '/v2/models/m' })).status).toBe(200);
  });

  test('a connection that the pod closed while it was idle is not used', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [pod.address] });
    const agent = new Agent({ keepAlive: true });
    ends.push(() => agent.destroy());
    for (let i = 0; i < 5; i += 1) {
      expect((await ask(rig.port.port, { agent })).status).toBe(200);
      pod.reset();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(pod.got).toHaveLength(5);
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 502],
    ['both lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n', 502],
    ['nothing', 'HTTP/1.1 200', 502],
  ])('a pod that answers %s is answered with 502', async (_name, answer, status) => {
    const rude = await rudePod(answer);
    const rig = await rigOf({ a: [rude.address] });
    expect((await ask(rig.port.port)).status).toBe(status);
  });

  test('half an answer is not made to look whole', async () => {
    const rude = await rudePod('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    const rig = await rigOf({ a: [rude.address] });
    await expect(ask(rig.port.port)).rejects.toThrow();
    await until('it is counted', () => rig.gate.load(rig.gate.nowMs()).counters.failed === 1);
  });
});

describe('sick pods', () => {
  test('a pod that hangs keeps its slot and one deadline of each of its requests; the others are served meanwhile', async () => {
    const hanging = await podOf(() => undefined, 'hanging');
    const well = await podOf();
    const rig = await rigOf({ a: [hanging.address, well.address] }, { timeoutMs: 2_000 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(rig.port.port)));
    const late = answers.filter(({ status }) => status === 504).length;
    expect(late).toBe(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(rig.gate.load(rig.gate.nowMs()).revisions[0]?.asidePods).toBe(1);
  });

  test('a pod that says 503 is left alone for a moment', async () => {
    const stopping = await podOf((_got, response) => void response.writeHead(503).end('{}'), 'stopping');
    const well = await podOf();
    const rig = await rigOf({ a: [stopping.address, well.address] });
    const statuses: number[] = [];
    const fromMs = performance.now();
    for (let i = 0; i < 6; i += 1) statuses.push((await ask(rig.port.port)).status);
    // A moment is 200 ms: on a busy machine it may be tried again.
    const most = 1 + Math.floor((performance.now() - fromMs) / 200);
    expect(statuses.filter((status) => status === 503).length).toBeLessThanOrEqual(most);
  });
});
