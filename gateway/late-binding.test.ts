import { Agent } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { endsAfterEach } from '../test/ends.ts';
import { type Answer, ask, inferPath, type Rig, startRig, until } from './testing/rig.ts';
import { type StubPod, startStubPod } from './testing/stub-pod.ts';

const { ends, closing } = endsAfterEach();
const rigOf = closing(startRig);
const podOf = closing(startStubPod);
const setSlots = ({ gate }: Rig, slots: number) => {
  for (const { ready } of gate.pools) for (const pod of ready) pod.slots = slots;
};
/** Lets the mean service time be so long. */
const taught = ({ gate }: Rig, serviceMs: number) => {
  for (const { service } of gate.pools) for (let i = 0; i < 100; i += 1) service.observe(serviceMs);
};

describe('late binding', () => {
  test('a pod gets a request when it has a free slot and not before; the others wait at the gateway', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] });
    const answers = [1, 2, 3].map(() => ask(rig.port.port));
    await until('one at the pod, two waiting', () => pod.inHand() === 1 && rig.gate.waiting === 2);
    pod.release();
    await until('the next', () => pod.got.length === 2);
    pod.release();
    await until('the last', () => pod.got.length === 3);
    pod.release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(pod.most()).toBe(1);
  });

  test('whichever pod is free first takes the next request', async () => {
    const slow = await podOf('hold', 'slow');
    const fast = await podOf('hold', 'fast');
    const rig = await rigOf({ a: [slow.address, fast.address] });
    const answers = Array.from({ length: 5 }, () => ask(rig.port.port));
    await until('both busy', () => slow.inHand() === 1 && fast.inHand() === 1);
    for (let i = 0; i < 4; i += 1) {
      fast.release();
      await until('the next at the fast one', () => fast.got.length === Math.min(4, i + 2));
    }
    expect(slow.got).toHaveLength(1);
    slow.release();
    await Promise.all(answers);
  });

  test('a request that waited in vain for a pod at home goes to one of the others, by itself', async () => {
    const pods = await Promise.all(Array.from({ length: 8 }, (_, i) => podOf('hold', `pod-${i}`)));
    const rig = await rigOf({ a: pods.map(({ address }) => address) });
    rig.gate.setPeers({ rank: 0, count: 2 });
    const [pool] = rig.gate.pools;
    for (const pod of pool?.ready ?? []) pool?.observe(pod, pod.isHome ? 300 : 600);
    const answers = Array.from({ length: 4 }, () => ask(rig.port.port));
    const isBusy = (isHome: boolean) =>
      pool?.ready.filter((pod) => pod.isHome === isHome && pod.outstanding === 1).length;
    await until('all at home are busy', () => isBusy(true) === 4);
    const fromMs = performance.now();
    answers.push(ask(rig.port.port));
    await until('an other one has it', () => isBusy(false) === 1);
    expect(performance.now() - fromMs).toBeGreaterThan(290);
    const inHand = () => pods.filter((pod) => pod.inHand() > 0);
    await until('all have come', () => inHand().length === 5);
    for (const pod of inHand()) pod.release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });

  test('with more slots a pod has that many in hand, spread over the least busy pods', async () => {
    const pods = await Promise.all([podOf('hold', 'x'), podOf('hold', 'y')]);
    const rig = await rigOf({ a: pods.map(({ address }) => address) });
    setSlots(rig, 2);
    const answers = Array.from({ length: 5 }, () => ask(rig.port.port));
    await until('four in hand', () => pods.every((pod) => pod.inHand() === 2) && rig.gate.waiting === 1);
    for (let i = 0; i < 5; i += 1) {
      const pod = pods[i % 2] as StubPod;
      await until('one in hand', () => pod.inHand() > 0);
      pod.release();
    }
    await Promise.all(answers);
    expect(pods.map((pod) => pod.most())).toEqual([2, 2]);
  });

  test('an unready or ending pod gets none; what it has in hand ends well', async () => {
    const pod = await podOf('hold', 'first');
    const next = await podOf(undefined, 'next');
    const rig = await rigOf({ a: [pod.address] });
    const answer = ask(rig.port.port);
    await until('in hand', () => pod.inHand() === 1);
    rig.gate.setPods('a', [{ ...pod.address, ready: false }, next.address]);
    expect((await ask(rig.port.port)).status).toBe(200);
    rig.gate.setPods('a', [next.address]);
    pod.release();
    expect((await answer).body).toBe('{"held":true}');
    expect([pod.got.length, next.got.length]).toEqual([1, 1]);
  });

  test('a connection that asks much does not keep another one waiting', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] });
    const greedy = new Agent({ keepAlive: true, maxSockets: 1 });
    ends.push(() => greedy.destroy());
    // HTTP/1.1 asks one at a time on a connection: the greedy one pipelines by hand.
    const { connect } = await import('node:net');
    const socket = connect(rig.port.port, '127.0.0.1');
    ends.push(() => socket.destroy());
    const one = (name: string) =>
      `POST ${inferPath} HTTP/1.1\r\nhost: x\r\nx-name: ${name}\r\ncontent-length: 2\r\n\r\n{}`;
    socket.write(['g1', 'g2', 'g3', 'g4'].map(one).join(''));
    await until('the greedy wait', () => pod.inHand() === 1 && rig.gate.waiting === 3);
    const modest = ask(rig.port.port, { headers: { 'x-name': 'modest' } });
    await until('the modest waits', () => rig.gate.waiting === 4);
    for (let i = 1; i <= 5; i += 1) {
      pod.release();
      await until('the next', () => pod.got.length === Math.min(5, i + 1));
    }
    await modest;
    expect(pod.got.map(({ headers }) => headers['x-name'])).toEqual(['g1', 'g2', 'modest', 'g3', 'g4']);
  });

  test('what is no inference waits for no slot and counts as no load', async () => {
    const pod = await podOf((got, response) => {
      if (got.method === 'GET') response.end('{"name":"m"}');
    });
    const rig = await rigOf({ a: [pod.address] });
    const stop = new AbortController();
    ask(rig.port.port, { signal: stop.signal }).catch(() => undefined);
    await until('the slot is taken', () => pod.inHand() === 1);
    expect((await ask(rig.port.port, { method: 'GET', path: '/v2/models/m' })).body).toBe('{"name":"m"}');
    expect(rig.gate.load(rig.gate.nowMs()).counters.arrivals).toBe(1);
    stop.abort();
    await until('it left', () => rig.gate.load(rig.gate.nowMs()).counters.clientErrors === 1);
  });
});

describe('deadlines and refusals', () => {
  test("the pod is told what is left of the client's deadline, waiting taken off", async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] });
    const first = ask(rig.port.port, { headers: { 'ballast-deadline-ms': '4000' } });
    await until('in hand', () => pod.inHand() === 1);
    const second = ask(rig.port.port, { headers: { 'ballast-deadline-ms': '4000' } });
    await until('waiting', () => rig.gate.waiting === 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    pod.release();
    await until('next', () => pod.got.length === 2);
    pod.release();
    await Promise.all([first, second]);
    const left = pod.got.map(({ headers }) => Number(headers['ballast-deadline-ms']));
    expect(left[0]).toBeGreaterThan(3_000);
    expect(left[0]).toBeLessThanOrEqual(4_000);
    expect(left[1]).toBeLessThanOrEqual((left[0] ?? 0) - 50);
  });

  test('the timeout of the deployment ends in 504, and a request that expired while it waited is seen by no pod', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 150 });
    const [first, second] = await Promise.all([ask(rig.port.port), ask(rig.port.port)]);
    expect([first.status, second.status]).toEqual([504, 504]);
    expect(first.body).toContain('Request timeout expired');
    expect(pod.got).toHaveLength(1);
    expect(rig.gate.waiting).toBe(0);
  });

  test('a client that waits less than that gets its 504 sooner', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 30_000 });
    const fromMs = performance.now();
    expect((await ask(rig.port.port, { headers: { 'ballast-deadline-ms': '80' } })).status).toBe(504);
    expect(performance.now() - fromMs).toBeLessThan(5_000);
  });

  test('a deadline that the queue cannot meet is refused at once, with Retry-After', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 60_000 });
    taught(rig, 1_000);
    const waiting = [ask(rig.port.port), ask(rig.port.port), ask(rig.port.port)];
    await until('two wait', () => rig.gate.waiting === 2);
    const refused = await ask(rig.port.port, { headers: { 'ballast-deadline-ms': '3000' } });
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '2']);
    expect(rig.gate.refusals.get('Deadline')).toBe(1);
    rig.close();
    await Promise.allSettled(waiting);
  });

  test('shedAt SLA refuses what would wait longer than the promise leaves; shedAt Timeout lets it wait', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] }, { shedMs: 100, timeoutMs: 60_000 });
    taught(rig, 30);
    const waiting = [ask(rig.port.port)];
    await until('in hand', () => pod.inHand() === 1);
    waiting.push(ask(rig.port.port));
    await until('an empty queue admits', () => rig.gate.waiting === 1);
    const refused = await ask(rig.port.port);
    expect(refused.status).toBe(429);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.body).toContain('spec.traffic.shedAt');
    rig.gate.setRoute({ ...(rig.gate.route as NonNullable<typeof rig.gate.route>), shedMs: undefined });
    waiting.push(ask(rig.port.port));
    await until('it waits', () => rig.gate.waiting === 2);
    rig.close();
    await Promise.allSettled(waiting);
  });

  test('the queue is bounded in number', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] }, {}, { maxWaiting: 2 });
    const waiting = [1, 2, 3].map(() => ask(rig.port.port));
    await until('two wait', () => rig.gate.waiting === 2);
    expect((await ask(rig.port.port)).status).toBe(429);
    expect(rig.gate.refusals.get('QueueFull')).toBe(1);
    rig.close();
    await Promise.allSettled(waiting);
  });

  test('a client that leaves gives its place and its slot back, and the pod hears of it', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [pod.address] });
    const stop = new AbortController();
    const first = ask(rig.port.port, { signal: stop.signal });
    const second = ask(rig.port.port, { signal: stop.signal });
    await until('one waits', () => pod.inHand() === 1 && rig.gate.waiting === 1);
    stop.abort();
    await Promise.allSettled([first, second]);
    await until('nothing is left', () => rig.gate.waiting === 0 && pod.inHand() === 0 && rig.gate.open === 0);
    expect(rig.gate.load(rig.gate.nowMs())).toMatchObject({ inFlight: 0, counters: { clientErrors: 2 } });
    expect(rig.gate.bytes.held).toBe(0);
  });
});

describe('shares of revisions', () => {
  test('are exact per request', async () => {
    const [stable, canary] = [await podOf(), await podOf()];
    const rig = await rigOf(
      { a: [stable.address], b: [canary.address] },
      {
        backends: [
          { revision: 'a', weight: 9_500 },
          { revision: 'b', weight: 500 },
        ],
      },
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    ends.push(() => agent.destroy());
    const answers: Promise<Answer>[] = [];
    for (let i = 0; i < 100; i += 1) answers.push(ask(rig.port.port, { agent }));
    await Promise.all(answers);
    expect([stable.got.length, canary.got.length]).toEqual([95, 5]);
    expect(
      rig.gate.load(rig.gate.nowMs()).revisions.map(({ bound, succeeded }) => [bound, succeeded]),
    ).toEqual([
      [95, 95],
      [5, 5],
    ]);
  });

  test('a revision without ready pods leaves its share to the others', async () => {
    const stable = await podOf();
    const rig = await rigOf({ a: [stable.address], b: [] });
    for (let i = 0; i < 4; i += 1) expect((await ask(rig.port.port)).status).toBe(200);
    expect(stable.got).toHaveLength(4);
  });

  test('what waits for a revision that goes away is served by another', async () => {
    const [going, staying] = [await podOf('hold'), await podOf()];
    const rig = await rigOf({ a: [going.address] });
    const answers = [ask(rig.port.port), ask(rig.port.port)];
    await until('one waits', () => rig.gate.waiting === 1 && going.inHand() === 1);
    rig.gate.setRoute({
      ...(rig.gate.route as NonNullable<typeof rig.gate.route>),
      backends: [{ revision: 'b', weight: 1 }],
    });
    rig.gate.setPods('b', [staying.address]);
    await until('served elsewhere', () => staying.got.length === 1);
    going.release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('a header goes to its revision, whatever the weights', async () => {
    const [stable, canary] = [await podOf(), await podOf()];
    const rig = await rigOf(
      { a: [stable.address], b: [canary.address] },
      {
        backends: [
          { revision: 'a', weight: 1 },
          { revision: 'b', weight: 0 },
        ],
        headers: [{ name: 'x-try', value: 'new', revision: 'b' }],
      },
    );
    await ask(rig.port.port);
    await ask(rig.port.port, { headers: { 'x-try': 'new' } });
    await ask(rig.port.port, { headers: { 'x-try': 'old' } });
    expect([stable.got.length, canary.got.length]).toEqual([2, 1]);
  });
});
