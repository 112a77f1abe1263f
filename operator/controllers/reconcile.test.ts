/** Reconcile as a whole over an in-memory API: order, refusals, fights, crashes at every write. */
import { describe, expect, test } from '@jest/globals';
import { modelDeployments } from '../../crds/constants.ts';
import { ApiError } from '../../kube/errors.ts';
import type { ConfigMap, Deployment, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { makePod } from '../model/testing/builders.ts';
import { Memories } from './memory.ts';
import { makeRig, type Rig } from './testing/rig.ts';

const refused = (code: number, reason: string, message: string) => new ApiError({ code, reason, message });
/** Fails every apply of a kind. */
const refuse = (rig: Rig, kind: string, error: Error) => {
  rig.api.before = (verb, type) => {
    if (verb === 'apply' && type.kind === kind) throw error;
  };
};
const writes = (rig: Rig) => rig.api.calls.filter(({ verb }) => verb === 'apply' || verb === 'delete');
const settle = async (rig: Rig) => {
  for (let round = 0; round < 20; round++) {
    const before = writes(rig).length;
    await rig.reconcile();
    if (writes(rig).length === before) return;
  }
  throw new Error('not settled');
};

describe('reconcile', () => {
  test('makes children in the order in which they need each other, then says so', async () => {
    const rig = makeRig({ access: { networkPolicy: 'Restricted' } });
    await rig.reconcile();
    expect(writes(rig).map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'ConfigMap',
      'ControllerRevision',
      'Service',
      'Service',
      'NetworkPolicy',
      'Deployment',
      'PodDisruptionBudget',
      'ModelDeployment',
    ]);
    expect(rig.events).toEqual(['RolloutStarted']);
  });

  test('with nothing to do asks nothing of the API server', async () => {
    const rig = makeRig();
    await settle(rig);
    const calls = rig.api.calls.length;
    for (let round = 0; round < 5; round++) {
      rig.nowMs += 60_000;
      await rig.reconcile();
    }
    expect(rig.api.calls.length).toBe(calls);
  });

  test('of a key that is gone does nothing', async () => {
    const rig = makeRig();
    rig.api.objects.clear();
    expect(await rig.reconcile()).toBeUndefined();
    expect(rig.api.calls).toEqual([]);
  });

  test('stops at a passing fault without a word in status, and goes on later', async () => {
    const rig = makeRig();
    refuse(rig, 'Service', refused(503, 'ServiceUnavailable', 'busy'));
    await expect(rig.reconcile()).rejects.toMatchObject({ code: 503 });
    expect(rig.names(resources.deployments)).toEqual([]);
    expect(rig.model().status).toBeUndefined();
    rig.api.before = () => {};
    await settle(rig);
    expect(rig.names(resources.deployments)).toHaveLength(1);
  });

  test('a fault of a write that lasts is said, with the server’s words, and is over when the write passes', async () => {
    const rig = makeRig();
    const words =
      'Internal error occurred: failed calling webhook "deny.example.com": no endpoints available';
    refuse(rig, 'Service', refused(500, 'InternalError', words));
    const fail = (afterMs: number) => {
      rig.nowMs += afterMs;
      return expect(rig.reconcile()).rejects.toMatchObject({ code: 500 });
    };
    // Many tries within a moment are no news.
    for (let failures = 0; failures < 8; failures++) await fail(100);
    expect(rig.model().status).toBeUndefined();
    await fail(5_000);
    const ready = rig.model().status?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.message).toMatch(/fails to patch services wine\S* since 2026-\S+Z and tries it again: /);
    expect(ready?.message).toContain(words);
    expect(['Ready', 'Reconciling', 'Stalled'].map(rig.condition)).toEqual([
      'False WriteFailing',
      'True WriteFailing',
      'False WriteFailing',
    ]);
    // It is said once, not at every try.
    const statusWrites = () => writes(rig).filter(({ kind }) => kind === 'ModelDeployment').length;
    const before = statusWrites();
    for (let failures = 0; failures < 5; failures++) await fail(1_000);
    expect(statusWrites()).toBe(before);
    rig.api.before = () => {};
    await settle(rig);
    expect(rig.condition('Ready')).toBe('False RollingOut');
    expect(rig.names(resources.deployments)).toHaveLength(1);
  });

  test('a fault that still comes after a minute is said though it was tried twice; a busy server never', async () => {
    const seldom = async (error: Error) => {
      const rig = makeRig();
      refuse(rig, 'Service', error);
      await expect(rig.reconcile()).rejects.toBe(error);
      rig.nowMs += 60_000;
      await expect(rig.reconcile()).rejects.toBe(error);
      return rig.condition('Ready');
    };
    expect(await seldom(refused(503, 'ServiceUnavailable', 'busy'))).toBe('False WriteFailing');
    expect(await seldom(refused(429, 'TooManyRequests', 'busy'))).toBeUndefined();
    expect(await seldom(refused(0, 'ConnectionRefused', 'nobody listens'))).toBeUndefined();
  });

  test('a deletion that keeps failing is said too', async () => {
    const rig = makeRig();
    await settle(rig);
    rig.write({ runtime: { threads: 2 } });
    rig.api.before = (verb) => {
      if (verb === 'delete') throw refused(500, 'InternalError', 'failed calling webhook');
    };
    for (let round = 0; round < 10; round++) {
      rig.nowMs += 10_000;
      await rig.reconcile().catch(() => {});
    }
    expect(rig.condition('Ready')).toBe('False WriteFailing');
  });

  test.each<[string, Error, string]>([
    [
      'a quota',
      refused(403, 'Forbidden', 'services "wine" is forbidden: exceeded quota: objects'),
      'True QuotaExceeded',
    ],
    [
      'an object that the server finds invalid',
      refused(422, 'Invalid', 'spec.affinity: Required'),
      'True SpecInvalid',
    ],
    [
      // What the real server says of an affinity with a field that does not exist.
      'a field that the server does not know',
      refused(
        500,
        'HTTP500',
        'apply Deployment wine-1: 500 failed to create typed patch object (shop/wine-1; apps/v1, Kind=Deployment): .spec.template.spec.affinity.nodeAffinity.foo: field not declared in schema',
      ),
      'True SpecInvalid',
    ],
  ])('%s is said', async (_, error, want) => {
    const rig = makeRig();
    refuse(rig, 'Service', error);
    await expect(rig.reconcile()).rejects.toBe(error);
    expect(rig.condition('Stalled')).toBe(want);
  });

  test('a revision that the server refuses keeps the one that serves from nothing', async () => {
    const rig = makeRig();
    await settle(rig);
    const stable = rig.names(resources.deployments)[0] ?? '';
    const pod = makePod(stable.slice('wine-'.length), { ready: true });
    rig.api.seed(resources.pods, pod);
    await settle(rig);
    expect(rig.condition('Ready')).toBe('True UpToDate');
    rig.api.before = (verb, type, name) => {
      if (verb === 'apply' && type.kind === 'Deployment' && name !== stable)
        throw refused(422, 'Invalid', 'spec.template.spec.tolerations[0].operator: Invalid value: "b"');
    };
    // More is asked of stable than of the candidate, whose Deployment therefore comes first.
    rig.write({ runtime: { threads: 2 }, scaling: { minReplicas: 4 } });
    for (let round = 0; round < 5; round++) await rig.reconcile().catch(() => {});
    expect(rig.condition('Stalled')).toBe('True SpecInvalid');
    const { spec } = await rig.api.get<Deployment>(resources.deployments, {
      namespace: 'shop',
      name: stable,
    });
    expect(spec?.replicas).toBe(4);
  });

  test('what is not wanted any more goes though what is wanted is refused: it may be what fills the quota', async () => {
    const rig = makeRig();
    await settle(rig);
    const [first = ''] = rig.names(resources.deployments);
    rig.write({ runtime: { threads: 2 } });
    const quota = refused(403, 'Forbidden', 'services "wine-2" is forbidden: exceeded quota: objects');
    rig.api.before = (verb, type, name) => {
      if (verb === 'apply' && type.kind === 'Service' && name !== 'wine') throw quota;
    };
    for (let round = 0; round < 5; round++) await rig.reconcile().catch(() => {});
    expect(rig.condition('Stalled')).toBe('True QuotaExceeded');
    expect(rig.names(resources.deployments)).not.toContain(first);
    expect(rig.names(resources.services)).not.toContain(first);
  });

  test('a namespace that is going says nothing and retries', async () => {
    const rig = makeRig();
    const error = refused(
      403,
      'Forbidden',
      'unable to create new content in namespace shop because it is being terminated',
    );
    refuse(rig, 'ServiceAccount', error);
    await expect(rig.reconcile()).rejects.toBe(error);
    expect(rig.model().status).toBeUndefined();
  });

  test('an object of somebody else is never touched, and everything else is made', async () => {
    const rig = makeRig();
    const foreign = { metadata: { name: 'wine', namespace: 'shop' }, spec: { selector: { app: 'shop' } } };
    rig.api.seed<Service>(resources.services, foreign);
    await rig.reconcile();
    expect(rig.condition('Stalled')).toBe('True ChildConflict');
    expect(rig.names(resources.deployments)).toHaveLength(1);
    const held = await rig.api.get<Service>(resources.services, { name: 'wine', namespace: 'shop' });
    expect(held.spec).toEqual(foreign.spec);
    rig.api.objects.delete('Service shop/wine');
    rig.nowMs += 30_000;
    await settle(rig);
    expect(rig.condition('Stalled')).toBe('False RollingOut');
    expect(rig.names(resources.services)).toContain('wine');
  });

  test('the routes of somebody else’s ConfigMap are never touched, and requests go straight to the pods', async () => {
    const rig = makeRig({ traffic: { path: 'Gateway' } });
    rig.gateway = { port: 20_007, readyPods: 2 };
    const foreign = { metadata: { name: 'wine-routes', namespace: 'shop' }, data: { mine: 'yes' } };
    rig.api.seed<ConfigMap>(resources.configMaps, foreign);
    await settle(rig);
    expect(rig.condition('Stalled')).toBe('True ChildConflict');
    expect(rig.model().status?.traffic).toMatchObject({ path: 'Direct', reason: 'GatewayUnready' });
    expect(rig.api.objects.get('ConfigMap shop/wine-routes')).toMatchObject({ data: { mine: 'yes' } });
  });

  test('an orphan of ours is adopted', async () => {
    const rig = makeRig();
    await settle(rig);
    const service = await rig.api.get<Service>(resources.services, { name: 'wine', namespace: 'shop' });
    rig.api.seed<Service>(resources.services, {
      ...service,
      metadata: { ...service.metadata, ownerReferences: [] },
    });
    await settle(rig);
    const adopted = await rig.api.get<Service>(resources.services, { name: 'wine', namespace: 'shop' });
    expect(adopted.metadata.ownerReferences?.[0]?.uid).toBe(rig.model().metadata.uid);
    expect(rig.events.filter((reason) => reason === 'ChildRestored')).toHaveLength(1);
  });

  test('a child that goes away under our hands is not brought back with its old life, but made anew', async () => {
    const rig = makeRig();
    await settle(rig);
    const name = 'ConfigMap shop/wine-config';
    rig.write({ traffic: { timeout: '2s' } });
    const asked: (string | undefined)[] = [];
    rig.api.webhook = (type, object) => {
      if (type.kind !== 'ConfigMap') return object;
      asked.push(object.metadata.uid);
      if (asked.length === 1) rig.api.objects.delete(name);
      // As the real server: a uid that is gone is a conflict.
      if (object.metadata.uid !== undefined && !rig.api.objects.has(name))
        throw refused(409, 'Conflict', 'uid mismatch');
      return object;
    };
    await expect(rig.reconcile()).rejects.toThrow('uid mismatch');
    expect(rig.api.objects.has(name)).toBe(false);
    await rig.reconcile();
    expect(asked).toEqual([expect.any(String), undefined]);
    expect(rig.api.objects.has(name)).toBe(true);
  });

  test('a webhook that changes every answer is fought three times, then named', async () => {
    const rig = makeRig();
    rig.api.webhook = (type, object) =>
      type.kind === 'Deployment'
        ? ({
            ...object,
            spec: { ...(object as unknown as { spec: object }).spec, replicas: 7 },
          } as typeof object)
        : object;
    for (let round = 0; round < 10; round++) {
      rig.nowMs += 1_000;
      await rig.reconcile();
    }
    expect(writes(rig).filter(({ kind }) => kind === 'Deployment')).toHaveLength(3);
    expect(rig.condition('Stalled')).toBe('True ChildMutated');
    expect(rig.model().status?.summary?.message).toMatch(/spec\.replicas of deployments\/wine-/);
    rig.api.webhook = (_, object) => object;
    rig.write({ scaling: { mode: 'Fixed', replicas: 3 } });
    await settle(rig);
    expect(rig.condition('Stalled')).toBe('False RollingOut');
  });

  test('a fault in planning is an event on this object and a retry', async () => {
    const rig = makeRig();
    rig.write({ sla: { latency: null as never, window: '5m' } });
    rig.write({ scaling: undefined as never });
    const { spec } = rig.model();
    rig.api.seed(modelDeployments, { ...rig.model(), spec: { model: spec.model } } as never);
    await expect(rig.reconcile()).rejects.toThrow();
    expect(rig.events).toEqual(['InternalError']);
    expect(rig.metrics.value('plan_errors_total')).toBe(1);
  });
});

/** The scenario whose writes are counted: made, a revision that comes up, another one, the old one deleted. */
async function scenario(rig: Rig, attempt: () => Promise<void>): Promise<void> {
  const ready = () => {
    for (const name of [...rig.api.objects.keys()]) if (name.startsWith('Pod ')) rig.api.objects.delete(name);
    for (const name of rig.names(resources.deployments)) {
      const live = rig.api.objects.get(`Deployment shop/${name}`) as unknown as {
        spec: { replicas: number };
      };
      const revision = name.slice('wine-'.length);
      for (let index = 0; index < live.spec.replicas; index++)
        rig.api.seed(resources.pods, makePod(revision, { name: `${name}-${index}`, ready: true }));
    }
  };
  const run = async () => {
    for (let step = 0; step < 12; step++) {
      await attempt();
      ready();
      rig.nowMs += 30_000;
    }
  };
  await run();
  rig.write({ runtime: { threads: 2 } });
  await run();
}

/** What is there in the end, without what differs from run to run. */
const endState = (rig: Rig) =>
  [...rig.api.objects]
    .filter(([name]) => !name.startsWith('Pod '))
    .map(([name, object]) => {
      const { uid: _u, resourceVersion: _r, ...metadata } = object.metadata;
      const status = (
        object as { status?: { stable?: unknown; summary?: unknown; rollout?: { number?: number } } }
      ).status;
      return JSON.stringify([
        name,
        { ...object, metadata, status: [status?.stable, status?.summary, status?.rollout?.number] },
      ]);
    })
    .sort();

describe('a crash at every write', () => {
  test('before it, or after it without the answer: the end is the same', async () => {
    const calm = makeRig({ scaling: { mode: 'Fixed', replicas: 2 } });
    await scenario(calm, async () => void (await calm.reconcile()));
    const expected = endState(calm);
    const total = writes(calm).length;
    expect(total).toBeGreaterThan(20);
    for (let index = 0; index < total; index++) {
      for (const when of ['before', 'after'] as const) {
        const rig = makeRig({ scaling: { mode: 'Fixed', replicas: 2 } });
        let count = 0;
        let crashNext = false;
        rig.api.before = (verb) => {
          if (crashNext) {
            crashNext = false;
            throw new Error('crashed');
          }
          if (verb !== 'apply' && verb !== 'delete') return;
          if (count++ !== index) return;
          if (when === 'before') throw new Error('crashed');
          // The call arrives, its answer does not: the next call never happens.
          crashNext = true;
        };
        await scenario(rig, async () => {
          try {
            await rig.reconcile();
          } catch (error) {
            expect(String(error)).toMatch(/crashed/);
            rig.memories = new Memories();
            crashNext = false;
            await rig.reconcile();
          }
        });
        expect({ index, when, end: endState(rig) }).toEqual({ index, when, end: expected });
      }
    }
  });
});
