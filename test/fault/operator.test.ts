/** F1, F8 and F12 with the real operator. */
import { afterEach, expect, test } from '@jest/globals';
import type { Deployment, KubeObject, Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { changesOf } from './fault-proxy.ts';
import { least, most, note, seeds } from './figures.ts';
import {
  createModel,
  editModel,
  expectModelsStable,
  isReadyPod,
  listOf,
  startOperatorIn,
  startOperatorWorld,
  unmetModels,
} from './operator-world.ts';
import type { World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const childKinds = [
  resources.deployments,
  resources.services,
  resources.configMaps,
  resources.serviceAccounts,
  resources.controllerRevisions,
  resources.podDisruptionBudgets,
];

/** Creations and deletions of the operator's children, in order: `ADDED Deployment wine-abc`. */
function followChildKinds(made: World): { readonly type: string; readonly name: string }[] {
  const steps: { type: string; name: string }[] = [];
  for (const kind of childKinds) {
    const { resourceVersion } = made.server.registry.list(kind);
    const watch = made.server.registry.watch<KubeObject>(
      kind,
      { resourceVersion, labelSelector: 'ballast.dev/model-deployment' },
      ({ type, object }) => {
        if (type !== 'MODIFIED') steps.push({ type, name: `${kind.kind} ${object.metadata.name}` });
      },
    );
    made.onClose(async () => watch.stop());
  }
  return steps;
}

/** Children that were deleted and made again. */
function madeAgain(steps: readonly { readonly type: string; readonly name: string }[]): string[] {
  const gone = new Set<string>();
  return steps
    .filter(({ type, name }) => {
      if (type === 'DELETED') gone.add(name);
      return type === 'ADDED' && gone.has(name);
    })
    .map(({ name }) => name);
}

/** Fewest ready pods at any moment from now on. */
function followReadyPods(made: World): () => number {
  let fewest = Number.POSITIVE_INFINITY;
  const watch = made.server.registry.watch<Pod>(resources.pods, {}, () => {
    fewest = Math.min(fewest, listOf<Pod>(made, resources.pods).filter(isReadyPod).length);
  });
  made.onClose(async () => watch.stop());
  return () => fewest;
}

test.each(seeds(3).map((seed) => [seed]))(
  'F1 real operator: API server away for 30 s in a rollout (seed %i)',
  async (seed) => {
    const made = await startOperatorWorld(seed, 2000);
    world = made;
    const { operator, proxy } = await startOperatorIn(made, 'one');
    createModel(made, 'wine', 4);
    await made.until(() => unmetModels(made).length === 0, 'the model is ready', 60_000);
    const fewest = followReadyPods(made);
    await made.run(0);
    editModel(made, 'wine', (spec) => {
      spec.runtime = { ...spec.runtime, threads: 2 };
    });
    await made.until(() => listOf(made, resources.deployments).length === 2, 'the rollout began', 10_000);
    await made.run(Math.floor(made.random() * 6000));
    const total = (name: string, kind: string) => operator.metrics.value(name, { kind });
    const kinds = ['Pod', 'Deployment', 'ModelDeployment', 'Service'];
    const before = kinds.map((kind) => [
      total('reflector_watches_total', kind),
      total('reflector_lists_total', kind),
    ]);
    await proxy.down();
    await made.run(30_000);
    const attempts = kinds.map(
      (kind, index) => total('reflector_watches_total', kind) - (before[index]?.[0] ?? 0),
    );
    await proxy.up();
    const tookMs = await expectModelsStable(made, [proxy], 35_000, 'ESR after the return');
    const lists = kinds.map(
      (kind, index) => total('reflector_lists_total', kind) - (before[index]?.[1] ?? 0),
    );
    note(
      'F1',
      'real operator, away for 30 s in a rollout',
      most('attempts per watch', Math.max(...attempts), '', 12),
      most('ESR after return', tookMs / 1000, 's', 35),
      most('relists per kind', Math.max(...lists), '', 1),
      least('ready pods of 4', fewest(), '', 4),
    );
  },
);

test.each(seeds(3).map((seed) => [seed]))(
  'F8 real operator: caches of all children 60 s late (seed %i)',
  async (seed) => {
    const made = await startOperatorWorld(seed, 500);
    world = made;
    const { operator, proxy } = await startOperatorIn(made, 'one');
    proxy.watchDelayMs = ({ resource }) => (resource === 'modeldeployments' ? 0 : 60_000);
    const steps = followChildKinds(made);
    const replicas: number[] = [];
    const watch = made.server.registry.watch<Deployment>(resources.deployments, {}, ({ object }) => {
      if (
        object.spec.replicas !== replicas.at(-1) &&
        object.metadata.labels?.['ballast.dev/model-deployment'] === 'wine'
      )
        replicas.push(object.spec.replicas ?? 1);
    });
    made.onClose(async () => watch.stop());
    const pause = () => made.run(1000 + Math.floor(made.random() * 9000));
    createModel(made, 'wine', 2);
    await pause();
    editModel(made, 'wine', (spec) => {
      spec.scaling.replicas = 4;
    });
    await pause();
    createModel(made, 'foreign', 1);
    const foreignMs = await made.until(
      () => steps.some(({ type, name }) => type === 'ADDED' && name.startsWith('Deployment foreign-')),
      'the foreign model is served',
      30_000,
    );
    await made.run(130_000);
    editModel(made, 'wine', (spec) => {
      spec.scaling.replicas = 3;
    });
    await expectModelsStable(made, [proxy], 300_000, 'ESR with late caches', 70_000);
    const made2 = steps.filter(
      ({ type, name }) => type === 'ADDED' && name.startsWith('Deployment wine-'),
    ).length;
    // 2, then 4, then 3: two changes of direction at most would be 2 → 4 → 3 itself.
    const turns = replicas.filter((value, index) => {
      const [a, b] = [replicas[index - 2], replicas[index - 1]];
      return a !== undefined && b !== undefined && Math.sign(b - a) !== Math.sign(value - b);
    }).length;
    note(
      'F8',
      'real operator, children 60 s late',
      most('Deployments made', made2, '', 1),
      most('children made again', madeAgain(steps).length, '', 0),
      most('turns of the scale', turns, '', 1),
      most('foreign model served after', foreignMs / 1000, 's', 2),
      least('stale_sync_skips_total', operator.metrics.total('stale_sync_skips_total'), '', 1),
    );
  },
);

/** Create, scale, roll out and scale down three models within a minute, by so many operators that all write. */
async function play(seed: number, operators: number) {
  const made = await startOperatorWorld(seed, 1000);
  world = made;
  const steps = followChildKinds(made);
  const proxies = [];
  for (let index = 0; index < operators; index++) {
    const { proxy } = await startOperatorIn(made, `operator-${index}`);
    proxy.rule = ({ isWatch }) =>
      isWatch ? undefined : { kind: 'delay', ms: 1 + Math.floor(made.random() * 20) };
    // As far apart as two zones: neither sees the other's writes at once.
    proxy.watchDelayMs = () => 1 + Math.floor(made.random() * 20);
    proxies.push(proxy);
  }
  const names = ['a', 'b', 'c'];
  for (const name of names) createModel(made, name, 2);
  await made.run(15_000);
  for (const name of names)
    editModel(made, name, (spec) => {
      spec.scaling.replicas = 3;
    });
  await made.run(15_000);
  for (const name of names)
    editModel(made, name, (spec) => {
      spec.runtime = { ...spec.runtime, threads: 2 };
    });
  await made.run(15_000);
  for (const name of names)
    editModel(made, name, (spec) => {
      spec.scaling.replicas = 1;
    });
  await made.run(15_000);
  const writes = proxies.flatMap((proxy) => proxy.writes().filter(({ resource }) => resource !== 'events'));
  if (operators > 1) await expectModelsStable(made, proxies, 60_000, `ESR with ${operators} operators`);
  const again = madeAgain(steps);
  await made.close();
  world = undefined;
  return { requests: writes.length, changes: changesOf(writes), again };
}

test.each(seeds(2).map((seed) => [seed]))(
  'F12 real operator: two of one build write at once for a minute (seed %i)',
  async (seed) => {
    const single = await play(seed, 1);
    const both = await play(seed, 2);
    expect(both.again).toEqual([]);
    note(
      'F12',
      'two real operators at once, 60 s',
      most('changes against one operator', both.changes / single.changes, 'x', 2),
      // Each does the whole work: what the other has done already is a no-op to the server.
      most('requests against one operator', both.requests / single.requests, 'x'),
      most('objects deleted and made again', both.again.length, '', 0),
    );
  },
);
