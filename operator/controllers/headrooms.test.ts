/** The keeper of room over an in-memory API: what it makes in a cluster with and without CapacityBuffers, and what it leaves alone. */
import { describe, expect, test } from '@jest/globals';
import type { ModelDeploymentStatus } from '../../crds/status.ts';
import { ApiError } from '../../kube/errors.ts';
import { MetricsRegistry } from '../../kube/metrics.ts';
import type { Deployment, KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { FakeApi, failure } from '../../kube/testing/fake-api.ts';
import { desiredDeployment } from '../model/desired/deployment.ts';
import { renderPodTemplate } from '../model/desired/pod-template.ts';
import { bufferType, type CapacityBuffer } from '../model/headroom/objects.ts';
import { makeDeployment, type SpecPart, testDefaults } from '../model/testing/builders.ts';
import type { Caches } from './caches.ts';
import { type DecidedHeadroom, Headrooms } from './headrooms.ts';

const key = 'shop/wine';
const buffers = bufferType('v1beta1');
type HeadroomStatus = NonNullable<NonNullable<ModelDeploymentStatus['scaling']>['headroom']>;
const told: HeadroomStatus = { replicas: 0, perHour: '0', message: '' };
const wished: SpecPart = { scaling: { headroom: { replicas: 2 } } };

/** `served`: versions of CapacityBuffer that the cluster has. */
function makeBed(served: readonly string[], priorityClassName = 'low') {
  const api = new FakeApi();
  api.before = (_, { plural, version }) => {
    if (plural === buffers.plural && !served.includes(version)) throw failure(404, 'NotFound');
  };
  const bed = {
    api,
    model: makeDeployment(wished),
    decided: { headroom: 2, blocked: 0 } as DecidedHeadroom,
    nowMs: 1_000_000,
    replicas: 1,
    woken: 0,
    headrooms: undefined as unknown as Headrooms,
    status(headroom: HeadroomStatus | undefined = told, revision = 'abc') {
      const stable = { revision, replicas: 1, readyReplicas: 1 };
      const scaling = headroom === undefined ? {} : { headroom };
      bed.model = { ...bed.model, status: { stable, scaling } };
    },
    write(spec: SpecPart) {
      bed.model = { ...bed.model, spec: makeDeployment(spec).spec };
    },
    reconcile: () => bed.headrooms.reconcile(key, { signal: new AbortController().signal, failures: 0 }),
    buffer: () => api.objects.get('CapacityBuffer shop/wine-headroom') as CapacityBuffer | undefined,
    pods: () => api.objects.get('Deployment shop/wine-headroom') as Deployment | undefined,
    writes: () => api.calls.filter(({ verb }) => verb === 'apply' || verb === 'delete').length,
    /** The next operator, which remembers nothing. */
    restart() {
      bed.headrooms = new Headrooms({
        api,
        caches: {
          modelDeployments: { store: { get: () => bed.model } },
          deployments: {
            store: {
              get: (name: string) =>
                name === 'shop/wine-abc'
                  ? desiredDeployment(
                      bed.model,
                      'abc',
                      renderPodTemplate(bed.model, 'abc', testDefaults),
                      bed.replicas,
                    )
                  : undefined,
            },
          },
        } as unknown as Caches,
        settings: () => ({ image: 'ballast/operator:1', priorityClassName }),
        decided: () => bed.decided,
        observer: new MetricsRegistry(),
        nowMs: () => bed.nowMs,
        onChange: () => {
          bed.woken += 1;
        },
      });
    },
  };
  bed.restart();
  return bed;
}

/** So many placeholders have a place, whatever is applied from now on. */
function inPlace({ api }: ReturnType<typeof makeBed>, readyReplicas: number) {
  const apply = FakeApi.prototype.apply.bind(api);
  api.apply = async (type, object) => {
    const made = { ...(await apply(type, object)), status: { readyReplicas } };
    api.seed(type, made);
    return made as never;
  };
}

describe('room', () => {
  test('is made by a CapacityBuffer of the stable revision where that API is, once status has said so', async () => {
    const bed = makeBed(['v1beta1']);
    await bed.reconcile();
    expect(bed.writes()).toBe(0);
    bed.status();
    expect(await bed.reconcile()).toEqual({ requeueAfterMs: 2_000 });
    expect(bed.buffer()).toMatchObject({
      apiVersion: 'autoscaling.x-k8s.io/v1beta1',
      spec: { replicas: 2, scalableRef: { apiGroup: 'apps', kind: 'Deployment', name: 'wine-abc' } },
    });
    expect(bed.pods()).toBeUndefined();
    expect(bed.headrooms.readingOf(bed.model)?.kept).toMatchObject({ form: 'CapacityBuffer', replicas: 2 });
  });

  test('is made in the older version where only that is served', async () => {
    const bed = makeBed(['v1alpha1']);
    bed.status();
    await bed.reconcile();
    expect(bed.buffer()?.apiVersion).toBe('autoscaling.x-k8s.io/v1alpha1');
  });

  test('is made by placeholder pods elsewhere, and moves when the API comes', async () => {
    const served: string[] = [];
    const bed = makeBed(served);
    bed.status();
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(2);
    served.push('v1beta1');
    bed.nowMs += 301_000;
    await bed.reconcile();
    expect(bed.pods()).toBeUndefined();
    expect(bed.buffer()?.spec.replicas).toBe(2);
  });

  test('follows what is decided, stays while that is unknown, and is not written for nothing', async () => {
    const bed = makeBed([]);
    bed.status();
    await bed.reconcile();
    const writes = bed.writes();
    await bed.reconcile();
    expect(bed.writes()).toBe(writes);
    bed.decided = { headroom: 5, blocked: 0 };
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(5);
    bed.decided = { headroom: 'unknown', blocked: 0 };
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(5);
    // What a new operator does not know yet stays as status tells it.
    bed.status({ ...told, replicas: 5, form: 'Placeholders' });
    bed.restart();
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(5);
    bed.decided = { headroom: 0, blocked: 0 };
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(0);
  });

  test('is put right where somebody changed it, within a minute', async () => {
    const bed = makeBed([]);
    bed.status();
    await bed.reconcile();
    const live = bed.pods() as Deployment;
    bed.api.seed(resources.deployments, { ...live, spec: { ...live.spec, replicas: 9 } });
    bed.nowMs += 61_000;
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(2);
  });

  test('is looked at again at once and two seconds later when replicas came, which may have taken it', async () => {
    const bed = makeBed([]);
    bed.status();
    const apply = bed.api.apply.bind(bed.api);
    let readyReplicas = 0;
    bed.api.apply = async (type, object) => ({ ...(await apply(type, object)), status: { readyReplicas } });
    const look = async (afterMs: number, ready: number) => {
      bed.nowMs += afterMs;
      readyReplicas = ready;
      const before = bed.writes();
      await bed.reconcile();
      return [bed.writes() - before, bed.headrooms.readingOf(bed.model)?.kept?.inPlace];
    };
    await bed.reconcile();
    expect(await look(2_000, 2)).toEqual([1, 2]);
    expect(await look(2_000, 2)).toEqual([0, 2]);
    bed.replicas = 3;
    expect(await look(1_000, 2)).toEqual([1, 2]);
    expect(await look(2_000, 1)).toEqual([1, 1]);
  });

  test('gives way to pods that find no place, where no PriorityClass makes it', async () => {
    const bed = makeBed([], '');
    bed.status();
    inPlace(bed, 3);
    bed.decided = { headroom: 3, blocked: 0 };
    await bed.reconcile();
    bed.decided = { headroom: 3, blocked: 2 };
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(1);
    const classed = makeBed([]);
    classed.status();
    classed.decided = bed.decided;
    await classed.reconcile();
    expect(classed.pods()?.spec.replicas).toBe(3);
  });

  test('does not come back while the last of them still waits, and gives what is in place, not what was wished', async () => {
    const bed = makeBed([], '');
    bed.status();
    const size = async (blocked: number, ready: number) => {
      inPlace(bed, ready);
      bed.decided = { headroom: 3, blocked };
      bed.nowMs += 2_000;
      await bed.reconcile();
      return bed.pods()?.spec.replicas;
    };
    // Three in place, two pods come and go one after the other to the places that became free.
    for (const [blocked, ready, wanted] of [
      [0, 3, 3],
      [2, 3, 1],
      [1, 1, 1],
      [0, 1, 3],
      // One is in place and two wait; one more pod comes.
      [1, 1, 0],
      [0, 0, 3],
    ] as const)
      expect([blocked, await size(blocked, ready)]).toEqual([blocked, wanted]);
  });

  test('that a pod waits for gives way under a new operator too, which knows nothing of it', async () => {
    const bed = makeBed([], '');
    bed.status();
    inPlace(bed, 2);
    bed.decided = { headroom: 3, blocked: 0 };
    await bed.reconcile();
    bed.decided = { headroom: 3, blocked: 1 };
    bed.restart();
    await bed.reconcile();
    expect(bed.pods()?.spec.replicas).toBe(1);
  });

  test.each([[['v1beta1']], [[]]])(
    'goes with the wish, also after a restart (served: %j)',
    async (served) => {
      for (const restarted of [false, true]) {
        const bed = makeBed(served);
        bed.status();
        await bed.reconcile();
        const form = served.length > 0 ? 'CapacityBuffer' : 'Placeholders';
        bed.status({ ...told, replicas: 2, form });
        bed.write({});
        if (restarted) bed.restart();
        expect(bed.headrooms.readingOf(bed.model)).toBeDefined();
        const before = bed.woken;
        await bed.reconcile();
        expect([bed.buffer(), bed.pods()]).toEqual([undefined, undefined]);
        expect(bed.woken).toBe(before + 1);
        // So the next status does without.
        expect(bed.headrooms.readingOf(bed.model)).toBeUndefined();
      }
    },
  );

  test('takes nobody’s object, says whose name it is, and deletes nothing of others', async () => {
    const bed = makeBed([]);
    const others: KubeObject = { metadata: { name: 'wine-headroom', namespace: 'shop' } };
    bed.api.seed(resources.deployments, others);
    bed.status();
    for (const _ of [1, 2]) await expect(bed.reconcile()).rejects.toThrow(/Ballast did not make it/);
    expect(bed.headrooms.readingOf(bed.model)?.problem).toMatch(/rename or delete it/);
    bed.write({});
    await bed.reconcile();
    expect(bed.pods()?.metadata.ownerReferences).toBeUndefined();
    expect(bed.pods()).toBeDefined();
  });

  test('that may not be made says which right is missing', async () => {
    const bed = makeBed([]);
    bed.status();
    bed.api.before = (verb, { plural, version }) => {
      if (plural === buffers.plural) throw failure(404, version);
      if (verb === 'apply') throw new ApiError({ code: 403, reason: 'Forbidden', message: 'cannot patch' });
    };
    await expect(bed.reconcile()).rejects.toMatchObject({ code: 403 });
    expect(bed.headrooms.readingOf(bed.model)?.problem).toBe('cannot patch');
  });
});
