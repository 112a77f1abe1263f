/** Room by placeholder pods, where no CapacityBuffer is: the real scheduler, two nodes of four CPUs, and models of one. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Deployment, Pod } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { until } from '../../until.ts';
import { type Bed, isReady, namespace, startBed } from './bed.ts';

const say = (line: string) => console.info(line);
const priorityClass = 'headroom';
const classes = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  plural: 'priorityclasses',
  kind: 'PriorityClass',
  namespaced: false,
};
let bed: Bed;
beforeAll(async () => {
  bed = await startBed(say, { kwokNodes: 2, kwokNode: { cpu: '4', memory: '16Gi' } });
  await bed.api.create(classes, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: priorityClass },
    value: -10,
    preemptionPolicy: 'Never',
  } as never);
}, 600_000);
afterAll(async () => {
  await bed?.stop();
}, 60_000);

const model = (minReplicas: number, keepsRoom = true) => ({
  model: { uri: 'file:///samples/wine/model.onnx' },
  runtime: { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } } },
  cost: { perReplicaHour: '0.04' },
  scaling: { minReplicas, maxReplicas: 12, ...(keepsRoom ? { headroom: { replicas: 3 } } : {}) },
});
const room = async (name: string) => (await bed.read(name)).status?.scaling?.headroom;
const placeholders = async (name: string) =>
  (
    await bed.api.list<Pod>(resources.pods, {
      namespace,
      labelSelector: `ballast.dev/headroom=${name}`,
    })
  ).items;

describe.each([
  ['with a PriorityClass the scheduler gives their places away', priorityClass],
  ['without one the operator takes them away', ''],
])('%s', (_, flag) => {
  const name = flag === '' ? 'plain' : 'classed';

  test('room for three is kept beside two replicas, none of which it is', async () => {
    await bed.restart([`--headroom-priority-class=${flag}`]);
    await bed.model(name, model(2));
    await bed.untilReady(name);
    const kept = await until('the room is in place', async () => {
      const told = await room(name);
      return told?.inPlace === 3 ? told : undefined;
    });
    say(`${name}: ${JSON.stringify(kept)}`);
    expect(kept).toMatchObject({ replicas: 3, form: 'Placeholders', perHour: '0.12' });
    const { status } = await bed.read(name);
    expect([status?.replicas, status?.readyReplicas, status?.summary?.ready]).toEqual([2, 2, '2/2']);
    expect((await bed.podsOf(name)).length).toBe(2);
    const held = await placeholders(name);
    expect(new Set(held.map(({ spec }) => spec.containers[0]?.resources?.requests?.cpu))).toEqual(
      new Set(['1']),
    );
  }, 120_000);

  test('seven replicas take two of its places, though eight CPUs are full', async () => {
    const startMs = Date.now();
    await bed.model(name, model(7));
    await until('seven are ready', async () => (await bed.podsOf(name)).filter(isReady).length === 7, 60_000);
    say(`${name}: from 2 to 7 replicas in ${((Date.now() - startMs) / 1_000).toFixed(1)} s on full nodes`);
    await bed.untilReady(name);
    const held = await until('one placeholder is left in place', async () => {
      const ready = (await placeholders(name)).filter(isReady);
      return ready.length === 1 ? ready : undefined;
    });
    expect(held).toHaveLength(1);
    await until('status says so', async () => (await room(name))?.inPlace === 1);
  }, 120_000);

  test('it goes when the model is suspended, and for good with the wish', async () => {
    await bed.model(name, { ...model(1), suspend: true });
    await until('no placeholder', async () => (await placeholders(name)).length === 0);
    expect((await room(name))?.message).toContain('spec.suspend is true');
    await bed.model(name, model(1, false));
    await until('status is without', async () => (await room(name)) === undefined);
    const left = await bed.api.list<Deployment>(resources.deployments, {
      namespace,
      labelSelector: 'ballast.dev/headroom',
    });
    expect(left.items).toEqual([]);
    await bed.remove(name);
  }, 120_000);
});
