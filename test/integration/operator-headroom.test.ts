/** Room ahead of need under a running operator in a cluster without CapacityBuffers: placeholder pods that are no replicas. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Deployment, KubeObject, Pod } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import {
  childrenOf,
  condition,
  createModel,
  eventually,
  getModel,
  namespace,
  type OperatorBed,
  patchModel,
  startOperatorBed,
} from './operator-bed.ts';

let bed: OperatorBed;
beforeAll(async () => {
  bed = await startOperatorBed();
}, 60_000);
afterAll(() => bed.close(), 60_000);

const room = async () => (await getModel(bed.api, 'wine')).status?.scaling?.headroom;
const keepers = async <T extends KubeObject>(type: ResourceType) =>
  (await bed.api.list<T>(type, { namespace, labelSelector: 'ballast.dev/headroom=wine' })).items;

test('is kept by pods that nothing counts, follows the spec and the operator, and goes with the wish', async () => {
  await createModel(bed.api, 'wine', {
    cost: { perReplicaHour: '0.5' },
    scaling: { maxReplicas: 4, headroom: { replicas: 2 } },
  });
  const kept = await eventually('the room is in place', async () => {
    const told = await room();
    return told?.inPlace === 2 ? told : undefined;
  });
  expect(kept).toMatchObject({ replicas: 2, form: 'Placeholders', perHour: '1' });
  const { model } = await condition(bed.api, 'wine', 'Ready', 'True');
  expect([model.status?.replicas, model.status?.scaling?.desiredReplicas]).toEqual([1, 1]);
  expect(await childrenOf<Pod>(bed.api, resources.pods, 'wine')).toHaveLength(1);
  expect(await keepers<Pod>(resources.pods)).toHaveLength(2);

  // maxReplicas bounds replicas and room together, and the next operator finds what this one made.
  await bed.restartOperator();
  await patchModel(bed.api, 'wine', { scaling: { minReplicas: 3 } });
  await eventually('there is room for one', async () => (await room())?.replicas === 1);

  await patchModel(bed.api, 'wine', { scaling: { headroom: null } });
  await eventually('it is gone', async () => (await room()) === undefined);
  expect(await keepers<Deployment>(resources.deployments)).toEqual([]);
}, 60_000);
