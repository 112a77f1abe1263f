/** Children between what is and what is to be: edits, conflicts, fights, refusals; and what holds for every plan. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Deployment, KubeObject } from '../../kube/objects.ts';
import { addRestoration, isContested, type Restoration } from './contest.ts';
import { plan } from './plan.ts';
import { emptyMemory, type Snapshot } from './snapshot.ts';
import { appliedHash, makeDeployment, makePod, makeSnapshot, sha, startMs } from './testing/builders.ts';
import { seeded } from './testing/random.ts';
import { World } from './testing/world.ts';

/** A settled `wine` with its Deployment changed. */
function edited(change: (deployment: Deployment) => Deployment, replicas = 2): Snapshot {
  const world = new World(replicas);
  world.settle();
  const snapshot = world.snapshot();
  return {
    ...snapshot,
    children: { ...snapshot.children, deployments: snapshot.children.deployments.map(change) },
  };
}
const scaledByHand = (live: Deployment): Deployment => ({ ...live, spec: { ...live.spec, replicas: 9 } });

describe('children', () => {
  test('a settled ModelDeployment has an empty plan', () => {
    const world = new World(3);
    world.settle();
    expect(plan(world.snapshot())).toEqual({
      apply: [],
      delete: [],
      status: undefined,
      events: [],
      waitTold: false,
      requeueAfterMs: undefined,
    });
  });

  test('a hand edit is put back, with the field in the event', () => {
    const decided = plan(edited(scaledByHand));
    expect(decided.apply.map(({ kind, edited: fields }) => [kind, fields])).toEqual([
      ['deployments', ['spec.replicas']],
    ]);
    expect(decided.events).toEqual([
      {
        type: 'Warning',
        reason: 'ChildRestored',
        message: expect.stringMatching(/^Deployment wine-\S+ was changed by somebody \(spec\.replicas\)/),
      },
    ]);
  });

  test('who changed the count is named where the API server knows it', () => {
    const fieldsV1 = { 'f:spec': { 'f:replicas': {} } };
    const decided = plan(
      edited((live) =>
        scaledByHand({
          ...live,
          metadata: { ...live.metadata, managedFields: [{ manager: 'kubectl', fieldsV1 }] },
        }),
      ),
    );
    expect(decided.events[0]?.message).toMatch(/was changed by kubectl \(spec\.replicas\) and is put back$/);
  });

  test('an edit of the hash is our own change, and no event', () => {
    const decided = plan(
      edited((live) => ({
        ...live,
        metadata: { ...live.metadata, annotations: { ...live.metadata.annotations, [appliedHash]: 'x' } },
      })),
    );
    expect(decided.apply).toHaveLength(1);
    expect(decided.events).toEqual([]);
  });

  test('a removed owner is set again', () => {
    const decided = plan(
      edited((live) => ({ ...live, metadata: { ...live.metadata, ownerReferences: [] } })),
    );
    expect(decided.apply[0]?.edited).toEqual(['metadata.ownerReferences[uid-wine]']);
  });

  test('a contested child is left alone and said, until it is to be another', () => {
    const snapshot = edited(scaledByHand);
    const [deployment] = snapshot.children.deployments;
    const hash = deployment?.metadata.annotations?.[appliedHash] ?? '';
    const memory = {
      ...emptyMemory,
      contested: new Map([
        [`deployments/${deployment?.metadata.name ?? ''}` as const, { hash, fields: ['spec.replicas'] }],
      ]),
    };
    const decided = plan({ ...snapshot, memory });
    expect(decided.apply).toEqual([]);
    const stalled = decided.status?.conditions?.find((one) => one.type === 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', reason: 'ReplicasContested' });
    expect(stalled?.message).toMatch(/the replicas of deployments\/wine-/);
    const next = plan({
      ...snapshot,
      memory,
      deployment: {
        ...snapshot.deployment,
        metadata: { ...snapshot.deployment.metadata, generation: 9 },
        spec: { ...snapshot.deployment.spec, scaling: { mode: 'Fixed', replicas: 5 } },
      },
    });
    expect(next.apply.map(({ kind }) => kind)).toEqual(['deployments']);
  });

  test('a child of a deleted namesake is waited for', () => {
    const decided = plan(
      edited((live) => ({
        ...live,
        metadata: {
          ...live.metadata,
          ownerReferences: [
            {
              apiVersion: 'ballast.dev/v1alpha1',
              kind: 'ModelDeployment',
              name: 'wine',
              uid: 'old',
              controller: true,
            },
          ],
        },
      })),
    );
    expect(decided.apply).toEqual([]);
    expect(decided.delete).toEqual([]);
    expect(decided.requeueAfterMs).toBeGreaterThan(0);
  });

  test('pods of a deleted namesake do not count, though they are of the same revision and ready', () => {
    const world = new World(2);
    world.settle();
    const revision = world.deployment.status?.stable?.revision ?? '';
    const owner = (kind: string, uid: string) => [
      { apiVersion: 'apps/v1', kind, name: 'x', uid, controller: true },
    ];
    const { status: _, ...bare } = world.deployment;
    const set = (uid: string, deploymentUid: string) => ({
      metadata: { name: uid, namespace: 'shop', uid, ownerReferences: owner('Deployment', deploymentUid) },
      spec: { selector: {} },
    });
    const pod = (name: string, setUid: string, createdAtMs: number) => {
      const made = makePod(revision, { name, ready: true, createdAtMs });
      return { ...made, metadata: { ...made.metadata, ownerReferences: owner('ReplicaSet', setUid) } };
    };
    const [deployment] = world.deployments();
    const created = new Date(startMs).toISOString().replace('.000', '');
    const decided = plan({
      ...world.snapshot(),
      deployment: { ...bare, metadata: { ...bare.metadata, creationTimestamp: created } },
      replicaSets: [set('rs-old', 'uid-of-namesake'), set('rs-new', deployment?.metadata.uid ?? '')],
      pods: [
        pod('old', 'rs-old', startMs),
        pod('orphan-of-a-gone-set', 'rs-gone', startMs - 60_000),
        pod('too-new-for-the-cache', 'rs-unseen', startMs + 1_000),
        pod('ours', 'rs-new', startMs),
      ],
    });
    expect(decided.status?.readyReplicas).toBe(2);
  });

  test.each<[string, KubeObject['metadata']['ownerReferences'], string]>([
    ['nobody', [], 'Service "wine", which Ballast did not make, has the name'],
    [
      'another',
      [{ apiVersion: 'v1', kind: 'Shop', name: 'corner', uid: 'u', controller: true }],
      'Service "wine", which belongs to Shop "corner", has the name',
    ],
  ])('a Service of our name that %s owns is said in a sentence', (_, ownerReferences, text) => {
    const snapshot = edited((live) => live);
    const services = snapshot.children.services.map((live) =>
      live.metadata.name === 'wine'
        ? { ...live, metadata: { name: 'wine', namespace: 'shop', ownerReferences } }
        : live,
    );
    const decided = plan({
      ...snapshot,
      children: { ...snapshot.children, services: services as typeof snapshot.children.services },
    });
    expect(decided.status?.conditions?.find(({ type }) => type === 'Stalled')?.message).toContain(text);
  });

  test('a name found taken is looked at again after half a minute, not before', () => {
    const conflict = {
      child: 'services/wine' as const,
      holder: 'Service "wine", which Ballast did not make,',
      atMs: startMs,
    };
    const at = (nowMs: number) =>
      plan(makeSnapshot({ nowMs, memory: { ...emptyMemory, conflicts: [conflict] } })).apply.filter(
        ({ kind, object }) => kind === 'services' && object.metadata.name === 'wine',
      ).length;
    expect([at(startMs + 29_000), at(startMs + 30_000)]).toEqual([0, 1]);
  });

  test('an object that is being deleted plans nothing but its status', () => {
    const snapshot = edited(scaledByHand);
    const decided = plan({
      ...snapshot,
      deployment: {
        ...snapshot.deployment,
        metadata: { ...snapshot.deployment.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
      },
    });
    expect([decided.apply, decided.delete]).toEqual([[], []]);
  });

  test('a deleted ControllerRevision comes back from its Deployment, and no pod restarts', () => {
    const world = new World(2);
    world.settle();
    const snapshot = world.snapshot();
    const lost = { ...snapshot, children: { ...snapshot.children, controllerRevisions: [] } };
    const decided = plan({ ...lost, defaults: { ...lost.defaults, image: 'another:2' } });
    expect(decided.apply.map(({ kind }) => kind)).toEqual(['controllerRevisions']);
  });

  test('a lost status is found again from what runs', () => {
    const world = new World(2);
    world.settle();
    const { status: _, ...bare } = world.deployment;
    const decided = plan({ ...world.snapshot(), deployment: bare });
    expect(decided.apply).toEqual([]);
    expect(decided.status?.stable?.revision).toBe(world.deployment.status?.stable?.revision);
  });

  test('a digest is recorded from the first pod, published, and never changed by a later one', () => {
    const world = new World(1);
    world.settle();
    const revision = world.deployment.status?.stable?.revision ?? '';
    const fetched = (digit: string, createdAtMs: number) => {
      const [pod] = world.pods;
      return {
        ...(pod as NonNullable<typeof pod>),
        metadata: {
          ...pod?.metadata,
          name: `pod-${digit}`,
          creationTimestamp: new Date(createdAtMs).toISOString(),
        },
        status: {
          ...pod?.status,
          initContainerStatuses: [
            {
              name: 'fetch',
              ready: true,
              restartCount: 0,
              state: { terminated: { exitCode: 0, message: JSON.stringify({ sha256: sha(digit) }) } },
            },
          ],
        },
      };
    };
    world.pods = [fetched('b', startMs + 1), fetched('a', startMs)];
    world.operator();
    const config = () => JSON.parse(world.children().configMaps[0]?.data?.['config.json'] ?? '{}');
    expect(config().digests).toEqual({ [revision]: sha('a') });
    world.pods = [fetched('b', startMs + 1)];
    world.operator();
    expect(config().digests).toEqual({ [revision]: sha('a') });
    expect(world.deployment.status?.failures?.[0]).toMatchObject({ pod: 'pod-b', reason: 'DigestMoved' });

    // Without a status the pods' own configuration still tells it.
    const { status } = world.deployment;
    const { status: _, ...bare } = world.deployment;
    expect(plan({ ...world.snapshot(), deployment: bare, pods: [] }).status?.candidate?.sha256).toBe(
      sha('a'),
    );
    // And an edit of that is put back, because status tells it too.
    world.deployment = { ...bare, status: status as NonNullable<typeof status> };
    const [live] = world.children().configMaps;
    const text = (live?.data?.['config.json'] ?? '').replace(sha('a'), sha('b'));
    const changed = { ...(live as NonNullable<typeof live>), data: { 'config.json': text } };
    const snapshot = world.snapshot();
    const put = plan({ ...snapshot, children: { ...snapshot.children, configMaps: [changed] } }).apply;
    expect(put.map(({ edited: fields }) => fields)).toEqual([['data.config.json']]);

    // It is in the revision itself as soon as another one is wanted, before the first is history.
    const recorded = () =>
      world.children().controllerRevisions.find(({ metadata }) => metadata.name === `wine-${revision}`)
        ?.metadata.annotations?.['ballast.dev/model-sha256'];
    expect(recorded()).toBeUndefined();
    world.write({ runtime: { threads: 2 } });
    world.operator();
    expect(recorded()).toBe(sha('a'));
  });
});

describe('a fight', () => {
  const one = (part: Partial<Restoration>): Restoration => ({
    hash: 'h',
    fields: ['spec.x'],
    atMs: startMs,
    mutatedAtOnce: false,
    ...part,
  });
  const history = (...parts: Partial<Restoration>[]) =>
    parts.reduce<readonly Restoration[]>((before, part) => addRestoration(before, one(part)), []);
  const times = (count: number, part: Partial<Restoration>) => Array.from({ length: count }, () => part);
  test.each<[string, Partial<Restoration>[], boolean]>([
    ['three answers in a row were changed at once', times(3, { mutatedAtOnce: true }), true],
    ['two are chance', times(2, { mutatedAtOnce: true }), false],
    [
      'one clean answer between breaks the row',
      [...times(2, { mutatedAtOnce: true }), {}, { mutatedAtOnce: true }],
      false,
    ],
    ['five edits within a minute are a busy person', times(5, {}), false],
    ['six are a controller', times(6, {}), true],
    [
      'six over six minutes are not',
      [0, 1, 2, 3, 4, 5].map((minute) => ({ atMs: startMs + minute * 60_000 })),
      false,
    ],
    [
      'another form of the child begins anew',
      [...times(2, { mutatedAtOnce: true }), { hash: 'i', mutatedAtOnce: true }],
      false,
    ],
  ])('%s', (_, parts, want) => {
    expect(isContested(history(...parts))).toBe(want);
  });
});

describe('every plan', () => {
  const freeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
      Object.freeze(value);
      for (const inner of Object.values(value)) freeze(inner);
    }
    return value;
  };
  test('leaves its snapshot alone, is the same twice, and applying it leaves nothing to apply', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 0, max: 5 }), (seed, replicas) => {
        const random = seeded(seed);
        const world = new World(replicas);
        for (let step = 0; step < 25; step++) {
          const dice = random();
          if (dice < 0.15) world.write({ runtime: { threads: 1 + Math.floor(random() * 3) } });
          else if (dice < 0.5) world.operator();
          else if (dice < 0.8) world.deploymentController();
          else world.kubelet((pods) => pods[0]);
        }
        const snapshot = freeze(structuredClone({ ...world.snapshot(), memory: emptyMemory }));
        expect(plan(snapshot)).toEqual(plan(snapshot));
        world.operator();
        expect(plan(world.snapshot()).apply).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('every child has the owner, the labels and a name that fits', () => {
    const deployment = makeDeployment(
      {},
      { metadata: { name: 'a'.repeat(45), namespace: 'n', uid: 'u', resourceVersion: '1', generation: 1 } },
    );
    for (const { object } of plan(makeSnapshot({ deployment })).apply as readonly { object: KubeObject }[]) {
      expect(object.metadata.name?.length).toBeLessThanOrEqual(63);
      expect(object.metadata.ownerReferences?.[0]).toMatchObject({ uid: 'u', controller: true });
      expect(object.metadata.labels).toMatchObject({
        'ballast.dev/model-deployment': 'a'.repeat(45),
        'app.kubernetes.io/managed-by': 'ballast',
      });
    }
  });
});
