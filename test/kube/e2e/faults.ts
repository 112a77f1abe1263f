/** Rows about what clusters do: drains, power cuts, an API server that is away, an operator that is killed. */

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Pod } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { type Bed, releaseNamespace } from './bed.ts';
import { type Failure, lost, nothing } from './load.ts';
import { patient, smallPod, wine } from './rollouts.ts';

const outageSeconds = 30;
/** From then on no request may fail after a node has died. */
const forgivenSeconds = 60;
const watchedSeconds = 75;

const names = { outage: 'unwatched', drain: 'drained', kill: 'struck' };
const pair = { model: wine, runtime: smallPod, traffic: patient, scaling: { mode: 'Fixed', replicas: 2 } };

/** Names of the nodes on which the model's ready pods are. */
async function nodesOf(bed: Bed, name: string): Promise<string[]> {
  const pods = (await bed.podsOf(name)) as PlacedPod[];
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec }) => spec.nodeName ?? '')
    .sort();
}

/** Makes a model of two replicas, one on each node. */
async function makePair(bed: Bed, name: string): Promise<void> {
  await bed.model(name, pair);
  await bed.untilReady(name);
  expect(await nodesOf(bed, name)).toEqual(bed.cluster.nodes.map((node) => node.name));
}

/** Rows of this file. */
export function faultRows(bed: Bed): void {
  describe('serving goes on', () => {
    test('while a node is drained', async () => {
      await makePair(bed, names.drain);
      const [, node] = bed.cluster.nodes;
      const load = { model: names.drain, sample: 'wine', requestsPerSecond: 20 };
      const { result, figures } = await bed.during(
        'kubectl drain of one of two nodes',
        load,
        async (running) => {
          await running.succeed(20);
          const startMs = running.now();
          await bed.kubectl(
            'drain',
            node?.name ?? '',
            '--ignore-daemonsets',
            '--delete-emptydir-data',
            '--force',
            '--timeout=120s',
          );
          const drainedMs = running.now() - startMs;
          await bed.untilReady(names.drain);
          const [first] = bed.cluster.nodes;
          expect(new Set(await nodesOf(bed, names.drain))).toEqual(new Set([first?.name]));
          return drainedMs;
        },
      );
      bed.say(`the drain took ${(result / 1_000).toFixed(1)} s`);
      expect(lost(figures)).toEqual(nothing);
    });

    test('when a node loses its power, after at most a minute', async () => {
      await makePair(bed, names.kill);
      const withOperator = (await operatorPod(bed)).spec.nodeName;
      const node = bed.cluster.nodes.find(({ name }) => name !== withOperator);
      // A client with little patience: one that waits long on a dead address fails long after it was taken away.
      const load = { model: names.kill, sample: 'wine', requestsPerSecond: 20, timeoutMs: 3_000 };
      const { result, figures } = await bed
        .during('a node without power', load, async (running) => {
          await running.succeed(20);
          const killedMs = running.now();
          await node?.kill();
          await delay(watchedSeconds * 1_000);
          return killedMs;
        })
        .finally(() => node?.revive());
      const since = ({ atMs }: Failure) => (atMs - result) / 1_000;
      const last = (kept: boolean) =>
        Math.max(0, ...figures.failures.filter((one) => one.kept === kept).map(since)).toFixed(1);
      const after = figures.failures.map(since);
      bed.say(
        `${after.length} requests failed; the last of them was sent ${last(false)} s after the power cut on a new connection, ${last(true)} s on a kept one`,
      );
      expect(after.filter((seconds) => seconds < 0 || seconds > forgivenSeconds)).toEqual([]);
      expect(after.length).toBeGreaterThan(0);
      await bed.kubectl('wait', `node/${node?.name}`, '--for=condition=Ready', '--timeout=90s');
      await bed.untilReady(names.kill, 120_000);
    }, 300_000);

    // Last: Kubernetes' own parts take up to a minute to find the API server again, and the other rows need them.
    test('without the operator and without the API server', async () => {
      await makePair(bed, names.outage);
      const load = { model: names.outage, sample: 'wine', requestsPerSecond: 20 };
      const { result, figures } = await bed.during(
        `the operator killed, the API server away for ${outageSeconds} s`,
        load,
        async (running) => {
          await running.succeed(20);
          await killOperator(bed);
          await bed.cluster.apiServer.stop();
          await delay(outageSeconds * 1_000);
          await bed.cluster.apiServer.start();
          const backMs = running.now();
          // What the operator alone can do. kube-proxy has taken the API server out of its Service and is to hear of it again first.
          await bed.model(names.outage, { ...pair, traffic: { timeout: '9s' } });
          await bed.untilReady(names.outage, 180_000);
          return running.now() - backMs;
        },
      );
      bed.say(`the operator works again ${(result / 1_000).toFixed(1)} s after the API server`);
      expect(lost(figures)).toEqual(nothing);
    });
  });
}

type PlacedPod = Pod & { readonly spec: { readonly nodeName?: string } };

/** The operator's pod that is not about to end. */
async function operatorPod(bed: Bed): Promise<PlacedPod> {
  const { items } = await bed.api.list<PlacedPod>(resources.pods, {
    namespace: releaseNamespace,
    labelSelector: 'app.kubernetes.io/name=ballast',
  });
  const pod = items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod === undefined) throw new Error('there is no operator');
  return pod;
}

/** Ends the operator's process as a crash does. */
async function killOperator(bed: Bed): Promise<void> {
  const { spec, status } = await operatorPod(bed);
  const [container] = (status?.containerStatuses ?? []) as readonly { containerID?: string }[];
  const id = container?.containerID?.replace('containerd://', '') ?? '';
  const node = bed.cluster.nodes.find(({ name }) => name === spec.nodeName);
  await node?.ctr('tasks', 'kill', '-s', 'SIGKILL', id);
}
