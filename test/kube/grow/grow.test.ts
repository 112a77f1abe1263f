/** A cluster that grows: the operator beside real Karpenter, whose nodes and whose pods' readiness are simulated by KWOK. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'undici';
import { quantityNumber } from '../../../crds/values.ts';
import type { NodeObject } from '../../../operator/model/cost.ts';
import { until } from '../../until.ts';
import { type Bed, condition, isReady, namespace, perZone, priceLabel, startBed } from './bed.ts';
import { countReady } from './ready-count.ts';
import { scriptLoad } from './scripted-load.ts';

const say = (line: string) => console.info(line);
let bed: Bed;
beforeAll(async () => {
  bed = await startBed(say);
}, 600_000);
afterAll(async () => {
  await bed?.stop();
}, 60_000);

/** A model that asks for one CPU and one GiB; Karpenter's smallest node has 2 CPUs and 4 GiB, at 0.08 an hour. */
const spec = (replicas: number, more: Record<string, unknown> = {}) => ({
  model: { uri: 'file:///samples/wine/model.onnx' },
  runtime: { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } } },
  scaling: { mode: 'Fixed', replicas },
  ...more,
});
/** A new revision that asks for the same. */
const next = (replicas: number, more: Record<string, unknown> = {}) => ({
  ...spec(replicas, more),
  model: { uri: 'file:///samples/wine/model.onnx', version: '2' },
});
const seconds = (sinceMs: number) => ((Date.now() - sinceMs) / 1_000).toFixed(1);
const bought = (nodes: readonly NodeObject[]) =>
  nodes
    .map(({ metadata }) => metadata.labels?.['node.kubernetes.io/instance-type'] ?? '')
    .sort()
    .join(', ');
const cpuOf = (nodes: readonly NodeObject[]) =>
  nodes.reduce(
    (sum, { metadata }) => sum + Number(metadata.labels?.['node.kubernetes.io/instance-type']?.slice(4)),
    0,
  );

describe('replicas that do not fit', () => {
  test('bring a node: status says what is short and since when, nothing counts as failed, and then it is Ready', async () => {
    // Real nodes take 30 to 90 s; 15 s are enough to see everything that is said meanwhile.
    await bed.nodeDelay('15s');
    const madeMs = Date.now();
    await bed.model('grow', spec(2));
    const waiting = await until('pods are pending', async () => {
      const model = await bed.read('grow');
      return model.status?.pending?.pods === 2 ? model : undefined;
    });
    expect(waiting.status?.pending?.causes).toEqual([
      expect.objectContaining({ reason: 'Unschedulable', short: 'node', pods: 2 }),
    ]);
    expect(condition(waiting, 'Ready')?.message).toMatch(
      /2 pods wait for a node since \S+Z: the cluster has no node/,
    );
    await bed.untilReady('grow');
    expect(Object.values(perZone(await bed.podsOf('grow'), await bed.nodes()))).toEqual([1, 1]);
    say(
      `grow: from no node at all to 2 ready pods in ${seconds(madeMs)} s, 15 s of them the node's start; bought ${bought(await bed.nodes())}`,
    );

    const scaledMs = Date.now();
    await bed.model('grow', spec(6));
    const short = await until('more pods are pending', async () => {
      const model = await bed.read('grow');
      return (model.status?.pending?.pods ?? 0) >= 2 ? model : undefined;
    });
    const { status } = short;
    expect(status?.pending?.causes[0]).toMatchObject({
      reason: 'Unschedulable',
      short: expect.stringMatching(/cpu/),
    });
    expect(status?.pending?.causes[0]?.message).toMatch(/nodes are available: .*Insufficient cpu/);
    expect(condition(short, 'Ready')?.message).toMatch(
      /short of .*cpu.*each pod asks for 1 cpu.*The scheduler says: /,
    );
    expect(condition(short, 'Stalled')?.status).toBe('False');
    expect([status?.summary?.phase, status?.failures]).toEqual(['Scaling', undefined]);
    const ready = await bed.untilReady('grow');
    const tookMs = Date.now() - scaledMs;
    say(`grow: from 2 to 6 ready pods in ${seconds(scaledMs)} s; bought ${bought(await bed.nodes())}`);
    expect(ready.status?.pending).toBeUndefined();
    expect(ready.status?.summary?.ready).toBe('6/6');
    const events = await bed.eventsOf('grow');
    // A wait of less than 5 s is not told; how long it is lies with the autoscaler.
    expect(events.includes('WaitEnded')).toBe(events.includes('WaitingForNode'));
    if (tookMs > 12_000) expect(events).toContain('WaitingForNode');
    expect(events).not.toContain('Unschedulable');
  }, 120_000);

  test('are spread over the zones', async () => {
    const [pods, nodes] = [await bed.podsOf('grow'), await bed.nodes()];
    const zones = perZone(pods, nodes);
    say(`spread: ${JSON.stringify(zones)} over ${nodes.length} nodes`);
    expect(Object.keys(zones).sort()).toEqual(['zone-a', 'zone-b', 'zone-c']);
    // A preference, not a rule: a pod takes the first node that is there, though another zone's node comes a moment later.
    expect(Math.max(...Object.values(zones)) - Math.min(...Object.values(zones))).toBeLessThanOrEqual(2);
  });
});

describe('cost', () => {
  test('is the share of each node that its pods ask for, by the price label', async () => {
    const [pods, nodes] = [await bed.podsOf('grow'), await bed.nodes()];
    let byHand = 0;
    for (const { spec: pod } of pods) {
      const node = nodes.find(({ metadata }) => metadata.name === pod.nodeName);
      const { cpu = '', memory = '' } = node?.status?.allocatable ?? {};
      const price = Number(node?.metadata.labels?.[priceLabel]);
      byHand += price * Math.max(1 / quantityNumber(cpu), 2 ** 30 / quantityNumber(memory));
    }
    const { cost } = (await bed.read('grow')).status ?? {};
    say(`cost: status says ${cost?.perHour} an hour, by hand ${byHand}; ${cost?.message}`);
    expect(byHand).toBeGreaterThan(0);
    expect(cost).toMatchObject({ perHour: String(Number(byHand.toPrecision(3))), source: 'NodePrice' });
    expect(cost?.perReplicaHour).toBe(String(Number((byHand / 6).toPrecision(3))));
    const metrics = await (await request(`http://127.0.0.1:${bed.operator.opsPort}/metrics`)).body.text();
    expect(metrics).toContain(
      `ballast_cost_per_hour{namespace="${namespace}",model_deployment="grow"} ${cost?.perHour}\n`,
    );
  });

  test('follows a price that changes on the node', async () => {
    const [node] = await bed.nodes();
    const before = (await bed.read('grow')).status?.cost?.perHour;
    const patch = { metadata: { labels: { [priceLabel]: '8.0' } } };
    await bed.api.patch(
      { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false },
      { name: node?.metadata.name ?? '' },
      patch,
      { patchType: 'application/merge-patch+json' },
    );
    const after = await until(
      'another cost',
      async () => {
        const cost = (await bed.read('grow')).status?.cost?.perHour;
        return cost !== before ? cost : undefined;
      },
      40_000,
    );
    expect(Number(after)).toBeGreaterThan(2);
  }, 60_000);

  test('is unknown and said so where nodes are not read, and where the API server refuses them', async () => {
    const unknown = async (words: RegExp) =>
      until(
        'cost is unknown',
        async () => {
          const cost = (await bed.read('grow')).status?.cost;
          if (cost?.source === 'Unknown' && words.test(cost.message)) return cost;
          throw new Error(JSON.stringify(cost));
        },
        40_000,
      );
    await bed.restart(['--read-nodes', 'false']);
    expect((await unknown(/does not read nodes \(chart value nodes\.read/)).perHour).toBe('unknown');
    await bed.restart(['--read-nodes', 'true'], await bed.withoutNodes());
    expect(
      (await unknown(/refuses the operator the nodes: grant get, list and watch on nodes/)).perHour,
    ).toBe('unknown');
    const metrics = await (await request(`http://127.0.0.1:${bed.operator.opsPort}/metrics`)).body.text();
    expect(metrics).not.toContain('ballast_cost_per_hour{');
    await bed.model('grow', spec(6, { cost: { perReplicaHour: '0.12' } }));
    const priced = await until(
      'the price of the spec',
      async () => {
        const cost = (await bed.read('grow')).status?.cost;
        return cost?.source === 'Spec' ? cost : undefined;
      },
      40_000,
    );
    expect(priced).toMatchObject({ perHour: '0.72', perReplicaHour: '0.12' });
    await bed.restart(['--read-nodes', 'true']);
    await bed.model('grow', spec(6));
    await bed.untilReady('grow');
  }, 120_000);
});

describe('fewer replicas', () => {
  test('let Karpenter take nodes away, with a pod ready all the time', async () => {
    const before = await bed.nodes();
    const startMs = Date.now();
    const { fewest } = await countReady(bed.api, { namespace, name: 'grow' }, async () => {
      await bed.model('grow', spec(2));
      await until('nodes for two pods are left', async () => cpuOf(await bed.nodes()) <= 4, 120_000);
      await bed.untilReady('grow');
    });
    const nodes = await bed.nodes();
    say(
      `consolidation: ${bought(before)} became ${bought(nodes)} in ${seconds(startMs)} s; at least ${fewest} of 2 pods ready`,
    );
    expect(fewest).toBeGreaterThanOrEqual(1);
  }, 180_000);
});

describe('a rollout with no room for one pod more', () => {
  /** From no node on Karpenter buys what these pods need, and then nothing more: less than a CPU is left on each node. */
  const filled = async (name: string, replicas: number, more: Record<string, unknown> = {}) => {
    await bed.nodeDelay(undefined);
    await bed.limitCpu(undefined);
    await until('every node is given back', async () => (await bed.nodes()).length === 0, 120_000);
    await bed.model(name, spec(replicas, more));
    await bed.untilReady(name);
    await bed.limitCpu(0);
  };

  test('makes room after a fifth of the progress deadline, one pod at a time, and ends', async () => {
    const rollout = { progressDeadline: '50s' };
    await bed.remove('grow');
    await filled('full', 3, { rollout });
    const startMs = Date.now();
    const { fewest } = await countReady(bed.api, { namespace, name: 'full' }, async () => {
      await bed.model('full', next(3, { rollout }));
      const waiting = await until('it is pending', async () => {
        const model = await bed.read('full');
        return model.status?.pending === undefined ? undefined : model;
      });
      expect(condition(waiting, 'Ready')?.message).toMatch(/1 pod waits for a node/);
      await bed.untilReady('full', 120_000);
    });
    say(
      `no room: 3 replicas rolled out in ${seconds(startMs)} s, 10 s of them the wait for a node; at least ${fewest} of 3 ready`,
    );
    expect(fewest).toBe(2);
    const events = await bed.eventsOf('full');
    expect(events.filter((reason) => reason === 'RolloutMakesRoom')).toHaveLength(1);
    expect(events).toContain('RolloutFinished');
    expect((await bed.read('full')).status?.rollout?.makesRoomSince).toBeUndefined();
  }, 240_000);

  test('that finds a late node gives no pod away', async () => {
    const rollout = { progressDeadline: '3m' };
    await bed.model('full', next(3, { rollout }));
    await bed.untilReady('full');
    const startMs = Date.now();
    const { fewest } = await countReady(bed.api, { namespace, name: 'full' }, async () => {
      await bed.model('full', spec(3, { rollout }));
      await until('it is pending', async () => (await bed.read('full')).status?.pending !== undefined);
      // The autoscaler may buy again; its node is there 15 s later, before the 36 s are over.
      await bed.nodeDelay('15s');
      await bed.limitCpu(undefined);
      await bed.untilReady('full', 120_000);
    });
    say(
      `late node: 3 replicas rolled out in ${seconds(startMs)} s with a node that came after 15 s; at least ${fewest} of 3 ready`,
    );
    expect(fewest).toBe(3);
  }, 240_000);

  test('of one replica says Stalled and what to do, and goes on when there is room', async () => {
    await bed.remove('full');
    const rollout = { progressDeadline: '10s' };
    await filled('lone', 1, { rollout });
    await bed.model('lone', next(1, { rollout }));
    const startMs = Date.now();
    const stalled = await until('Stalled', async () => {
      const model = await bed.read('lone');
      return condition(model, 'Stalled')?.status === 'True' ? model : undefined;
    });
    say(
      `one replica without room: Stalled after ${seconds(startMs)} s: ${condition(stalled, 'Stalled')?.message}`,
    );
    expect(condition(stalled, 'Stalled')).toMatchObject({ reason: 'Unschedulable' });
    expect(condition(stalled, 'Stalled')?.message).toMatch(
      /keeps serving with its one pod, which cannot give way/,
    );
    expect(condition(stalled, 'Available')?.status).toBe('True');
    expect((await bed.podsOf('lone')).filter(isReady)).toHaveLength(1);
    await bed.limitCpu(undefined);
    const { status } = await bed.untilReady('lone');
    expect(status?.rollout?.finishedAt).toBeDefined();
  }, 120_000);
});

describe('a load that outgrows the nodes', () => {
  test('asks for what it needs once, for no more while pods wait, and grows when nodes come', async () => {
    await bed.nodeDelay(undefined);
    await bed.limitCpu(undefined);
    const sla = { latency: { p95: '50ms' }, window: '1m' };
    const scaling = { minReplicas: 2, maxReplicas: 30 };
    await bed.model('busy', { ...spec(1), sla, scaling });
    await bed.untilReady('busy');
    await bed.limitCpu(0);
    const load = scriptLoad(40, () => bed.podsOf('busy'));
    try {
      const asked = async () => (await bed.read('busy')).status?.scaling?.desiredReplicas ?? 0;
      load.rate = 250;
      const startMs = Date.now();
      const first = await until('pods wait', async () => {
        const model = await bed.read('busy');
        return model.status?.pending === undefined ? undefined : model.status.scaling?.desiredReplicas;
      });
      // What one look at the load asked for stays; the load grows on, and nothing more is asked for on top.
      load.rate = 600;
      const limited = await until(
        'ScalingLimited says NoRoom',
        async () => {
          const model = await bed.read('busy');
          const found = condition(model, 'ScalingLimited');
          return found?.reason === 'NoRoom' ? found : undefined;
        },
        30_000,
      );
      expect(limited.status).toBe('True');
      const later = await asked();
      say(
        `a load of 250 then 600/s: ${first} replicas asked for after ${seconds(startMs)} s, ${later} while they wait. ${limited.message}`,
      );
      expect(later).toBe(first);
      expect(condition(await bed.read('busy'), 'Stalled')?.status).toBe('False');
      await bed.limitCpu(undefined);
      const grownMs = Date.now();
      const grown = await until(
        'more replicas',
        async () => ((await asked()) > (first ?? 0) ? asked() : undefined),
        60_000,
      );
      await until('no pod waits', async () => (await bed.read('busy')).status?.pending === undefined, 60_000);
      say(`nodes come: ${grown} replicas asked for after ${seconds(grownMs)} s`);
    } finally {
      load.stop();
    }
  }, 240_000);
});
