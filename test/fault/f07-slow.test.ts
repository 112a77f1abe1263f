/** F7: the API server is slow, or does not answer at all. */
import { afterEach, expect, test } from '@jest/globals';
import { expectStable, unmet } from './family.ts';
import type { Fault } from './fault-proxy.ts';
import { most, note, seeds } from './figures.ts';
import { type Replica, startReplica } from './replica.ts';
import { World } from './world.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function leading(seed: number): Promise<{ world: World; replica: Replica }> {
  const made = await World.start(seed);
  world = made;
  for (let i = 0; i < 3; i++) made.createConfigMap(`p${i}`, 'parent', { children: '3', version: '1' });
  const replica = await startReplica(made, 'one');
  await made.until(() => unmet(made).length === 0, 'the start', 30_000);
  return { world: made, replica };
}

/**
 * p99 of the CPU time that one busy turn of the event loop took while `work` ran, milliseconds: how long everything
 * else had to wait. Not the wall time, which tells how busy the machine is with other things.
 */
async function lagOf(work: () => Promise<void>): Promise<number> {
  const turnsMs: number[] = [];
  let running = true;
  let last = process.cpuUsage();
  const sample = () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    const tookMs = (user + system) / 1000;
    if (tookMs > 0.1) turnsMs.push(tookMs);
    if (running) setImmediate(sample);
  };
  setImmediate(sample);
  await work();
  running = false;
  turnsMs.sort((a, b) => a - b);
  return turnsMs[Math.floor(turnsMs.length * 0.99)] ?? 0;
}

test.each(seeds(3).map((seed) => [seed]))(
  'F7 slow API, 4 s per call: the lease is kept and the work gets done (seed %i)',
  async (seed) => {
    const { world: made, replica } = await leading(seed);
    replica.link.proxy.rule = ({ isWatch }) => (isWatch ? undefined : { kind: 'delay', ms: 4000 });
    for (let i = 0; i < 3; i++) made.editConfigMap(`p${i}`, { version: '2' });
    let tookMs = 0;
    const lagMs = await lagOf(async () => {
      tookMs = await expectStable(made, 120_000, 'the work at 4 s per call', 30_000);
    });
    expect([replica.exitCode(), replica.elector.leading]).toEqual([undefined, true]);
    note(
      'F7',
      'slow API, 4 s per call: lease kept',
      most('ESR', tookMs / 1000, 's', 120),
      most('event loop turn p99', lagMs, 'ms', 50),
    );
  },
);

/** What the loss of the lease looked like: times after the last renewal that the server confirmed. */
async function loseLease(seed: number, fault: Fault) {
  const { world: made, replica } = await leading(seed);
  const { proxy } = replica.link;
  await made.run(Math.floor(made.random() * 5000));
  const faultAtMs = made.clock.monotonicMs();
  proxy.rule = ({ isWatch }) => (isWatch ? undefined : fault);
  for (let i = 0; i < 3; i++) made.editConfigMap(`p${i}`, { version: '2' });
  const lagMs = await lagOf(() => made.run(61_000));
  expect(replica.exitCode()).toBe(1);
  const { atMs: renewedAtMs } = proxy.seen
    .filter(
      ({ resource, code, method }) => resource === 'leases' && method !== 'GET' && code >= 200 && code < 300,
    )
    .reduce((last, renewal) => (renewal.atMs > last.atMs ? renewal : last));
  const lastWriteMs = Math.max(...proxy.writes().map(({ atMs }) => atMs));
  expect(lastWriteMs).toBeGreaterThan(faultAtMs);
  return [
    most('exit 1 after last renewal', (replica.exitedAtMs() - renewedAtMs) / 1000, 's', 10),
    most('last write', (lastWriteMs - renewedAtMs) / 1000, 's', 10),
    most('calls that never ended', made.callsOut, '', 0),
    most('event loop turn p99', lagMs, 'ms', 50),
  ];
}

test.each(seeds(3).map((seed) => [seed]))(
  'F7 slow API, 5 s per call: no renewal in time, writes stop, exit 1 (seed %i)',
  async (seed) => {
    note('F7', 'slow API, 5 s per call', ...(await loseLease(seed, { kind: 'delay', ms: 5000 })));
  },
);

test.each(seeds(5).map((seed) => [seed]))(
  'F7 hung API: calls end by their deadlines, writes stop, exit 1 (seed %i)',
  async (seed) => {
    note('F7', 'hung API', ...(await loseLease(seed, { kind: 'hang' })));
  },
);
