/** Two operator installations on one cluster: a namespace has one owner, through rolling updates, until that one is gone. */
import { afterEach, expect, test } from '@jest/globals';
import type { KubeEvent, Lease } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import type { Operator } from '../../operator/operator.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { most, note, seeds } from './figures.ts';
import {
  createModel,
  editModel,
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

const claimOf = (made: World) =>
  made.server.registry.get<Lease>(resources.leases, { namespace: 'default', name: 'ballast-claim' });
/** Writes that change what the installation's models are made of. */
const modelWrites = (proxy: FaultProxy) =>
  proxy.writes().filter(({ resource }) => resource !== 'leases' && resource !== 'events');
const replicas = (made: World, installation: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    startOperatorIn(made, `${installation.replace('/', '-')}-${index}`, {
      standsBy: true,
      more: [
        '--installation',
        installation,
        '--leader-elect',
        'true',
        '--lease-namespace',
        installation.split('/')[0] ?? '',
        '--watch-namespaces',
        'default',
      ],
    }),
  );
const unreadyText = ({ lifecycle }: Operator) => lifecycle.unready().join('\n');

test.each(seeds(2).map((seed) => [seed]))(
  'F15 the second installation waits through a rolling update of the first, and follows when it is gone (seed %i)',
  async (seed) => {
    const made = await startOperatorWorld(seed, 500);
    world = made;
    for (const name of ['east', 'west'])
      made.server.registry.create(resources.namespaces, { metadata: { name } });
    const [old] = await Promise.all(replicas(made, 'east/ballast', 1));
    createModel(made, 'a', 1);
    await made.until(() => unmetModels(made).length === 0, 'the first installation serves', 30_000);
    const [second] = await Promise.all(replicas(made, 'west/ballast', 1));
    if (old === undefined || second === undefined) throw new Error('an operator is missing');
    await made.run(30_000);
    expect(unreadyText(old.operator)).toBe('');
    expect(unreadyText(second.operator)).toBe(
      'claims: namespace default belongs to the operator installation east/ballast (Lease default/ballast-claim): nothing is done there; uninstall one of the two, or give them different namespaces',
    );
    const told = listOf<KubeEvent>(made, resources.events).filter(
      ({ reason }) => reason === 'NamespaceNotClaimed',
    );
    expect(
      told.map(({ involvedObject, count }) => [involvedObject.kind, involvedObject.name, count]),
    ).toEqual([['Lease', 'ballast-claim', 1]]);

    // The update: a new replica comes, then the old one goes; twice, with changes all along.
    let current = old;
    for (let update = 1; update <= 2; update++) {
      const [next] = await Promise.all(replicas(made, 'east/ballast', 1));
      if (next === undefined) throw new Error('an operator is missing');
      await made.run(5_000);
      await endIn(made, current.operator);
      editModel(made, 'a', (spec) => {
        spec.scaling.replicas = 1 + update;
      });
      await made.until(() => unmetModels(made).length === 0, 'the next replica goes on', 60_000);
      await made.run(150_000);
      current = next;
    }
    expect(claimOf(made).spec).toMatchObject({ holderIdentity: 'east/ballast', leaseTransitions: 0 });
    const strayed = modelWrites(second.proxy).map(({ method, path }) => `${method} ${path}`);
    expect(strayed).toEqual([]);

    // Uninstalled: nobody renews any more.
    await endIn(made, current.operator);
    editModel(made, 'a', (spec) => {
      spec.scaling.replicas = 1;
    });
    const tookMs = await made.until(() => unmetModels(made).length === 0, 'the second takes over', 200_000);
    expect(claimOf(made).spec).toMatchObject({ holderIdentity: 'west/ballast', leaseTransitions: 1 });
    expect(unreadyText(second.operator)).toBe('');
    note(
      'F15',
      'two installations, one uninstalled',
      most('model writes of the one that waits', strayed.length, '', 0),
      most('the other serves after', tookMs / 1000, 's', 135),
    );
  },
);

/** Stops an operator while time goes on. */
async function endIn(made: World, operator: Operator): Promise<void> {
  let ended = false;
  void operator.stop().then(() => {
    ended = true;
  });
  await made.until(() => ended, 'the operator ends', 60_000);
}
