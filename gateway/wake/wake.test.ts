import { describe, expect, test } from '@jest/globals';
import { noLog } from '../../kube/log.ts';
import { resources } from '../../kube/resource.ts';
import { FakeApi, failure } from '../../kube/testing/fake-api.ts';
import { endsAfterEach } from '../../test/ends.ts';
import { ask, type Rig, startRig, until } from '../testing/rig.ts';
import { startStubPod } from '../testing/stub-pod.ts';
import { Waker } from './waker.ts';

const { ends, closing } = endsAfterEach();

/** An API whose Deployment `m-a` has so many replicas; a write with an old version is a conflict, as the server says it. */
class ScaleApi extends FakeApi {
  replicas: number;
  constructor(replicas: number) {
    super();
    this.replicas = replicas;
    this.seed(resources.deployments, {
      metadata: { name: 'm-a', namespace: 'ns' },
      spec: { replicas },
    } as never);
  }
  override async patch<T>(...[type, ref, patch]: Parameters<FakeApi['patch']>): Promise<T> {
    await super.get(type, ref);
    this.calls.push({ verb: 'patch', kind: type.kind, name: ref.name });
    const { metadata, spec } = patch as { metadata: { resourceVersion: string }; spec: { replicas: number } };
    // Compared and written in one step, as the server does.
    const known = [...this.objects.values()][0];
    if (metadata.resourceVersion !== known?.metadata.resourceVersion) throw failure(409, 'Conflict');
    this.replicas = spec.replicas;
    return this.seed(type, { ...known, spec } as never) as T;
  }
}

const wakerOf = (api: FakeApi, isWanted = () => false, onWoken = (_ms: number) => undefined as unknown) => {
  const waker = new Waker({
    api,
    namespace: 'ns',
    deployment: 'm-a',
    log: noLog,
    isWanted,
    onWoken: (ms) => void onWoken(ms),
  });
  ends.push(() => waker.close());
  return waker;
};
const rigOf = closing(startRig);
const podOf = closing(startStubPod);
const wake = { maxHeld: 100 };

describe('Waker', () => {
  test('raises the scale from 0 to 1 with one write, however many ask', async () => {
    const api = new ScaleApi(0);
    let woken = 0;
    const waker = wakerOf(api, undefined, () => {
      woken += 1;
    });
    for (let i = 0; i < 1_000; i += 1) waker.want();
    await until('it is raised', () => woken === 1);
    for (let i = 0; i < 1_000; i += 1) waker.want();
    expect([api.replicas, api.count('patch')]).toEqual([1, 1]);
  });

  test('several gateways raise it once: the others see that it is done', async () => {
    const api = new ScaleApi(0);
    let woken = 0;
    const wakers = [1, 2, 3, 4].map(() =>
      wakerOf(api, undefined, () => {
        woken += 1;
      }),
    );
    for (const waker of wakers) waker.want();
    await until('all have looked', () => api.count('get') >= 8);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([api.replicas, woken]).toEqual([1, 1]);
  });

  test.each([1, 5])('never touches a scale of %i', async (replicas) => {
    const api = new ScaleApi(replicas);
    wakerOf(api).want();
    await until('it looked', () => api.count('get') === 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([api.replicas, api.count('patch')]).toEqual([replicas, 0]);
  });

  test('tries again while requests wait, when the API server cannot be asked', async () => {
    const api = new ScaleApi(0);
    let faults = 2;
    api.before = () => {
      faults -= 1;
      if (faults >= 0) throw failure(503, 'ServiceUnavailable');
    };
    wakerOf(api, () => true).want();
    await until('it is raised', () => api.replicas === 1);
    expect(api.count('get')).toBeGreaterThanOrEqual(3);
  });
});

describe('a model that sleeps', () => {
  test('holds requests, asks for a pod, and answers them in the order in which they came', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [] }, { wake });
    const answers: Promise<{ status: number }>[] = [];
    for (let i = 0; i < 6; i += 1) {
      answers.push(ask(rig.port.port, { body: `{"n":${i}}` }));
      await until('it is held', () => rig.gate.held === i + 1);
    }
    expect(rig.wanted()).toBeGreaterThan(0);
    rig.gate.setPods('a', [pod.address]);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(pod.got.map(({ body }) => body.toString())).toEqual([0, 1, 2, 3, 4, 5].map((n) => `{"n":${n}}`));
    expect(pod.most()).toBe(1);
  });

  test('requests that come while the held are released wait behind them', async () => {
    const pod = await podOf('hold');
    const rig = await rigOf({ a: [] }, { wake });
    const answers = [ask(rig.port.port, { body: '1' })];
    await until('held', () => rig.gate.held === 1);
    answers.push(ask(rig.port.port, { body: '2' }));
    await until('held', () => rig.gate.held === 2);
    rig.gate.setPods('a', [pod.address]);
    await until('first', () => pod.got.length === 1);
    answers.push(ask(rig.port.port, { body: '3' }));
    await until('it waits', () => rig.gate.waiting === 2);
    for (let i = 0; i < 3; i += 1) {
      await until('in hand', () => pod.inHand() === 1);
      pod.release();
    }
    await Promise.all(answers);
    expect(pod.got.map(({ body }) => body.toString())).toEqual(['1', '2', '3']);
  });

  test('holds no more than it may', async () => {
    const rig = await rigOf({ a: [] }, { wake: { maxHeld: 2 } });
    const held = [ask(rig.port.port), ask(rig.port.port)];
    await until('two are held', () => rig.gate.held === 2);
    const refused = await ask(rig.port.port);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    rig.close();
    await Promise.allSettled(held);
  });

  test('holds longer than the timeout of the deployment, which begins when a pod is there', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [] }, { wake, timeoutMs: 60 });
    const answer = ask(rig.port.port);
    await new Promise((resolve) => setTimeout(resolve, 150));
    rig.gate.setPods('a', [pod.address]);
    expect((await answer).status).toBe(200);
    expect(Number(pod.got[0]?.headers['ballast-deadline-ms'])).toBeGreaterThan(40);
  });

  test('a client that says that it waits is held as long as it does, whatever the timeout', async () => {
    const pod = await podOf();
    const rig = await rigOf({ a: [] }, { wake, timeoutMs: 60 });
    const answer = ask(rig.port.port, { headers: { 'ballast-deadline-ms': '20000' } });
    await new Promise((resolve) => setTimeout(resolve, 150));
    rig.gate.setPods('a', [pod.address]);
    expect((await answer).status).toBe(200);
    expect(Number(pod.got[0]?.headers['ballast-deadline-ms'])).toBeLessThanOrEqual(60);
  });

  test('but not longer than it may hold, nor than the client waits: 503 with Retry-After', async () => {
    const rig = await rigOf({ a: [] }, { wake }, { maxHoldMs: 150 });
    const [kept, impatient] = await Promise.all([
      ask(rig.port.port),
      ask(rig.port.port, { headers: { 'ballast-deadline-ms': '50' } }),
    ]);
    expect([kept.status, impatient.status, kept.headers['retry-after']]).toEqual([503, 503, '1']);
    expect(kept.body).toContain('has no ready pod');
    expect(rig.gate.refusals.get('NoPod')).toBe(2);
  });

  test('says that it is ready when it is asked, and does not wake for that; without a way to wake it is not', async () => {
    const sleeping = await rigOf({ a: [] }, { wake });
    const broken = await rigOf({ a: [] });
    const status = async (rig: Rig, path: string) =>
      (await ask(rig.port.port, { method: 'GET', path })).status;
    for (const path of ['/v2/health/live', '/v2/health/ready', '/v2/models/m/ready'])
      expect(await status(sleeping, path)).toBe(200);
    expect(await status(broken, '/v2/health/live')).toBe(200);
    expect(await status(broken, '/v2/health/ready')).toBe(503);
    expect(sleeping.wanted()).toBe(0);
  });

  test('from the first request to the raised scale is a matter of milliseconds', async () => {
    const api = new ScaleApi(0);
    const tookMs: number[] = [];
    const waker = wakerOf(api, undefined, (ms) => tookMs.push(ms));
    const rig = await rigOf({ a: [] }, { wake }, {}, () => waker.want());
    const answer = ask(rig.port.port);
    await until('it is raised', () => api.replicas === 1);
    expect(tookMs[0]).toBeLessThan(50);
    rig.close();
    await Promise.allSettled([answer]);
  });
});
