import { expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import type { ConfigMap, KubeEvent, Pod, PodDisruptionBudget, WatchEvent } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import type { ClusterAccess } from './access.ts';
import { ClusterCache } from './cache.ts';
import { ControlLoop } from './control-loop.ts';
import { countDisruptions } from './disruption.ts';
import { EventLog } from './events.ts';
import { InMemoryAccess } from './testing/in-memory-access.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a key is worked on once for many wishes, never twice at once, and again when asked meanwhile', async () => {
  const seen: string[] = [];
  let busy = 0;
  const loop = new ControlLoop({
    name: 't',
    clock: new HeldClock(),
    log: () => undefined,
    reconcile: async (key) => {
      expect(++busy).toBe(1);
      seen.push(key);
      if (seen.length === 1) loop.enqueue('a');
      await turn();
      busy--;
      return undefined;
    },
  });
  for (let wish = 0; wish < 5; wish++) loop.enqueue('a');
  loop.enqueue('b');
  await loop.idle();
  expect(seen).toEqual(['a', 'b', 'a']);
  await loop.stop();
});

test('a key that wakes itself for ever leaves the rest of the process its turns', async () => {
  let rounds = 0;
  const loop = new ControlLoop({
    name: 't',
    clock: new HeldClock(),
    log: () => undefined,
    reconcile: async (key) => {
      rounds++;
      loop.enqueue(key);
      return undefined;
    },
  });
  loop.enqueue('a');
  await turn();
  await turn();
  expect(rounds).toBeGreaterThan(0);
  await loop.stop();
});

test('failures are tried again with growing pauses; success forgets them; conflicts are not logged', async () => {
  const clock = new HeldClock();
  const atMs: number[] = [];
  const logged: string[] = [];
  let outcome: Error | undefined = new Error('broken');
  const loop = new ControlLoop({
    name: 't',
    clock,
    log: (line) => void logged.push(line),
    reconcile: async () => {
      atMs.push(clock.monotonicMs());
      if (outcome !== undefined) throw outcome;
      return undefined;
    },
  });
  loop.enqueue('a');
  await clock.run(40);
  expect(atMs).toEqual([0, 5, 15, 35]);
  expect(logged[0]).toBe('t: a: broken');
  outcome = Object.assign(new Error('stale'), { reason: 'Conflict' });
  logged.length = 0;
  await clock.run(100);
  expect(logged).toEqual([]);
  outcome = undefined;
  await clock.run(100);
  await loop.stop();
  expect(clock.pending).toBe(0);
});

test('a result of milliseconds is a later look; the earliest wish wins', async () => {
  const clock = new HeldClock();
  const atMs: number[] = [];
  const loop = new ControlLoop({
    name: 't',
    clock,
    log: () => undefined,
    reconcile: async () => {
      atMs.push(clock.monotonicMs());
      return atMs.length < 3 ? 1_000 : undefined;
    },
  });
  loop.enqueue('a');
  loop.enqueueAfter('a', 300);
  await clock.run(5_000);
  expect(atMs).toEqual([0, 300, 1_300]);
  await loop.stop();
});

test('the cache takes its own writes in at once and is not thrown back by older events', async () => {
  let send: (event: WatchEvent<ConfigMap>) => void = () => undefined;
  const map = (resourceVersion: string, value: string): ConfigMap => ({
    metadata: { namespace: 'ns', name: 'm', uid: 'u', resourceVersion },
    data: { value },
  });
  const access = {
    observe: (_type: unknown, onEvent: (event: WatchEvent) => void) => {
      send = onEvent as typeof send;
      return () => undefined;
    },
    patch: async () => map('9', 'own'),
  } as unknown as ClusterAccess;
  const cache = new ClusterCache(access, [resources.configMaps]);
  const value = () => cache.get<ConfigMap>(resources.configMaps, 'ns/m')?.data?.value;
  const changes: string[] = [];
  cache.onChange<ConfigMap>(resources.configMaps, ({ object, previous, deleted }) =>
    changes.push(`${previous?.data?.value ?? '-'}>${deleted ? 'x' : object.data?.value}`),
  );
  send({ type: 'ADDED', object: map('1', 'first') });
  await cache.patch(resources.configMaps, { namespace: 'ns', name: 'm' }, {});
  expect(value()).toBe('own');
  send({ type: 'MODIFIED', object: map('5', 'older') });
  expect(value()).toBe('own');
  send({ type: 'MODIFIED', object: map('9', 'own') });
  send({ type: 'DELETED', object: map('12', 'own') });
  send({ type: 'MODIFIED', object: map('11', 'ghost') });
  expect(value()).toBeUndefined();
  send({ type: 'ADDED', object: map('13', 'new') });
  expect(value()).toBe('new');
  expect(changes).toEqual(['->first', 'first>own', 'own>x', '->new']);
});

test('the same event again raises its count', async () => {
  const clock = new HeldClock();
  const access = new InMemoryAccess(() => clock.now());
  const events = new EventLog(access, clock, () => undefined);
  const pod: Pod = {
    kind: 'Pod',
    metadata: { namespace: 'ns', name: 'p', uid: 'u' },
    spec: { containers: [] },
  };
  const source = { component: 'kubelet', host: 'local' };
  for (let time = 0; time < 3; time++) {
    events.say(pod, 'Warning', 'BackOff', 'again', source, 'spec.containers{c}');
    await clock.run(60_000);
  }
  events.say(pod, 'Warning', 'BackOff', 'x'.repeat(2_000), source);
  await events.flush();
  const found: KubeEvent[] = [];
  access.observe<KubeEvent>(resources.events, ({ object }) => void found.push(object));
  expect(found.map(({ count, message }) => [count, message?.length])).toEqual([
    [3, 5],
    [1, 1024],
  ]);
  expect(found[0]).toMatchObject({
    type: 'Warning',
    reason: 'BackOff',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:02:00Z',
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'ns', uid: 'u', fieldPath: 'spec.containers{c}' },
  });
});

const pods = (ready: number, unready: number): Pod[] =>
  [...Array(ready).fill('True'), ...Array(unready).fill('False')].map(
    (status) =>
      ({
        metadata: {},
        spec: { containers: [] },
        status: { conditions: [{ type: 'Ready', status }] },
      }) as Pod,
  );
test.each([
  // spec, ready, unready, scale → healthy, desired, expected, allowed
  [{ maxUnavailable: 1 }, 3, 0, 3, 3, 2, 3, 1],
  [{ maxUnavailable: 1 }, 2, 1, 3, 2, 2, 3, 0],
  [{ maxUnavailable: '50%' }, 4, 0, 4, 4, 2, 4, 2],
  [{ maxUnavailable: '30%' }, 5, 0, 5, 5, 3, 5, 2],
  [{ minAvailable: 2 }, 3, 0, 3, 3, 2, 3, 1],
  [{ minAvailable: '100%' }, 3, 0, 3, 3, 3, 3, 0],
  [{ maxUnavailable: 1 }, 0, 0, 0, 0, 0, 0, 0],
])(
  'budget %j with %i ready, %i not, of %i',
  (spec, ready, unready, scale, healthy, desired, expected, allowed) => {
    expect(countDisruptions(spec as PodDisruptionBudget['spec'], pods(ready, unready), scale)).toEqual({
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
      disruptionsAllowed: allowed,
    });
  },
);
