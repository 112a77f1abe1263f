/** Claims of several installations on one API: one holder at a time, whatever stops, sleeps or is refused. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import { ApiError } from '../../kube/errors.ts';
import { noLog } from '../../kube/log.ts';
import { MetricsRegistry } from '../../kube/metrics.ts';
import type { Lease } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { FakeApi, failure } from '../../kube/testing/fake-api.ts';
import { Claims } from './claims.ts';

const running: Claims[] = [];
afterEach(async () => {
  for (const claims of running.splice(0)) await claims.stop();
});

function start(api: FakeApi, clock: HeldClock, installation: string, namespaces = ['a']) {
  const held: string[] = [];
  const problems: string[] = [];
  const claims = new Claims({
    api,
    installation,
    clock,
    random: () => 0.5,
    log: noLog,
    observer: new MetricsRegistry(),
    onHeld: (namespace) => void held.push(namespace),
    onProblem: (namespace, { kind }) => void problems.push(`${namespace} ${kind}`),
  });
  running.push(claims);
  for (const namespace of namespaces) claims.want(namespace);
  claims.start();
  return { claims, held, problems };
}
const leaseOf = (api: FakeApi, namespace = 'a') =>
  api.objects.get(`Lease ${namespace}/ballast-claim`) as Lease;
const writes = (api: FakeApi) => api.count('create') + api.count('replace');

describe('claims', () => {
  test('the first installation holds, renews each 36 s with one write and no read; the second waits and says so', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = start(api, clock, 'a/x');
    await clock.run(0);
    const second = start(api, clock, 'b/y');
    await clock.run(0);
    expect([first.claims.holds('a'), second.claims.holds('a')]).toEqual([true, false]);
    expect([first.held, second.held, second.problems]).toEqual([['a'], [], ['a taken']]);
    expect(second.claims.states()[0]?.problem?.message).toMatch(
      /^namespace a belongs to the operator installation a\/x \(Lease a\/ballast-claim\)/,
    );
    expect(leaseOf(api).metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'ballast' });
    const reads = api.count('get');
    await second.claims.stop();
    await clock.run(36_000 * 10);
    expect(writes(api)).toBe(11);
    expect(api.count('get')).toBe(reads);
    expect(first.held).toEqual(['a']);
  });

  test('an installation that is gone is followed within its duration and one look, whatever its clock said', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    // The first one's wall clock is a day ahead.
    const first = start(api, new HeldClock(Date.UTC(2026, 0, 2)), 'a/x');
    await clock.run(0);
    const second = start(api, clock, 'b/y');
    await clock.run(0);
    await first.claims.stop();
    await clock.run(119_000);
    expect(second.claims.holds('a')).toBe(false);
    await clock.run(1_002);
    expect(second.claims.holds('a')).toBe(true);
    expect(second.claims.problemOf('a')).toBeUndefined();
    expect(leaseOf(api).spec).toMatchObject({ holderIdentity: 'b/y', leaseTransitions: 1 });
  });

  test('the next leader of the same installation goes on at once, and the one that waits gets nothing', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const old = start(api, clock, 'a/x');
    await clock.run(0);
    const other = start(api, clock, 'b/y');
    for (let update = 0; update < 4; update++) {
      await clock.run(100_000);
      const before = running.filter((claims) => claims !== other.claims).at(-1) ?? old.claims;
      await before.stop();
      await clock.run(17_000);
      const next = start(api, clock, 'a/x');
      await clock.run(0);
      expect(next.claims.holds('a')).toBe(true);
    }
    expect(other.held).toEqual([]);
    expect(leaseOf(api).spec?.leaseTransitions).toBe(0);
  });

  test('a holder that cannot renew stops by itself before the other begins', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = start(api, clock, 'a/x');
    await clock.run(0);
    let cut = false;
    const whole = api.replace.bind(api);
    api.replace = async (type, object) => {
      if (cut && (object as Lease).spec?.holderIdentity === 'a/x') throw failure(0, 'Network');
      return whole(type, object);
    };
    const second = start(api, clock, 'b/y');
    await clock.run(1_000);
    cut = true;
    let stoppedAtMs = 0;
    let begunAtMs = 0;
    while (begunAtMs === 0) {
      await clock.run(500);
      const [mine, theirs] = [first.claims.holds('a'), second.claims.holds('a')];
      expect([mine, theirs]).not.toEqual([true, true]);
      if (!mine && stoppedAtMs === 0) stoppedAtMs = clock.monotonicMs();
      if (theirs) begunAtMs = clock.monotonicMs();
    }
    expect([stoppedAtMs, begunAtMs]).toEqual([90_000, 120_500]);
    expect(first.problems).toContain('a failed');
    cut = false;
    await clock.run(10_000);
    expect(first.problems.at(-1)).toBe('a taken');
  });

  test('after an outage of the server for both, who had it has it', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = start(api, clock, 'a/x');
    await clock.run(0);
    const second = start(api, clock, 'b/y');
    await clock.run(1_000);
    api.before = () => {
      throw failure(0, 'ConnectionRefused');
    };
    await clock.run(600_000);
    expect([first.claims.holds('a'), second.claims.holds('a')]).toEqual([false, false]);
    api.before = () => {};
    await clock.run(20_000);
    expect([first.claims.holds('a'), second.claims.holds('a')]).toEqual([true, false]);
    // It was told again, so that what changed meanwhile is looked at.
    expect(first.held).toEqual(['a', 'a']);
  });

  test('a claim that was given to another by hand is theirs from the next renewal on', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const { claims, problems } = start(api, clock, 'a/x');
    await clock.run(0);
    const lease = await api.get<Lease>(resources.leases, { namespace: 'a', name: 'ballast-claim' });
    await api.replace(resources.leases, { ...lease, spec: { ...lease.spec, holderIdentity: 'b/y' } });
    await clock.run(38_000);
    expect([claims.holds('a'), problems]).toEqual([false, ['a taken']]);
  });

  test('a claim that somebody deleted is made anew', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const { claims } = start(api, clock, 'a/x');
    await clock.run(0);
    await api.delete(resources.leases, { namespace: 'a', name: 'ballast-claim' });
    await clock.run(40_000);
    expect(leaseOf(api).spec?.holderIdentity).toBe('a/x');
    expect(claims.holds('a')).toBe(true);
  });

  test('of two that make it in one moment one has it', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const both = [start(api, clock, 'a/x'), start(api, clock, 'b/y')];
    await clock.run(5_000);
    expect(both.filter(({ claims }) => claims.holds('a'))).toHaveLength(1);
  });

  test('a missing rule, a missing namespace and one that ends hurt no other namespace', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    api.create = async (type, object) => {
      const { namespace } = object.metadata;
      const refuse = (code: number, reason: string, message: string) =>
        new ApiError({ code, reason, message });
      if (namespace === 'b') throw refuse(403, 'Forbidden', 'cannot create resource "leases"');
      if (namespace === 'c') throw refuse(404, 'NotFound', 'namespaces "c" not found');
      if (namespace === 'd') throw refuse(403, 'Forbidden', 'because it is being terminated');
      return FakeApi.prototype.create.call(api, type, object) as Promise<typeof object>;
    };
    const { claims, held, problems } = start(api, clock, 'a/x', ['a', 'b', 'c', 'd']);
    await clock.run(0);
    expect(held).toEqual(['a']);
    expect(problems).toEqual(['b refused', 'c failed', 'd failed']);
    expect(claims.problemOf('b')?.message).toBe(
      'the operator may not keep its claim on namespace b: add the verbs get, create and update on resource leases (apiGroup "coordination.k8s.io") to its Role there; until then nothing is done in it',
    );
    expect(claims.problemOf('c')?.message).toBe('namespace c does not exist');
    await clock.run(60_000);
    // Said once, tried on.
    expect(problems).toHaveLength(3);
    delete (api as Partial<FakeApi>).create;
    await clock.run(10_000);
    expect(held.sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('500 namespaces are claimed eight calls at a time', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    let inFlight = 0;
    let most = 0;
    api.before = async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await Promise.resolve();
      inFlight -= 1;
    };
    const names = Array.from({ length: 500 }, (_, index) => `n${index}`);
    const { held, claims } = start(api, clock, 'a/x', names);
    await clock.run(0);
    expect(held).toHaveLength(500);
    expect(most).toBeLessThanOrEqual(8);
    claims.unwant('n7');
    expect(claims.holds('n7')).toBe(false);
  });
});
