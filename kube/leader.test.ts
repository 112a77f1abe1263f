import { afterEach, describe, expect, test } from '@jest/globals';
import { HeldClock } from './clock.ts';
import { LeaderElector } from './leader.ts';
import { gateWrites } from './leader-gate.ts';
import type { Lease } from './objects.ts';
import { resources } from './resource.ts';
import { FakeApi, failure } from './testing/fake-api.ts';

const electors: LeaderElector[] = [];
afterEach(async () => {
  await Promise.all(electors.splice(0).map((elector) => elector.stop()));
});

function candidate(api: FakeApi, identity: string, clock: HeldClock) {
  const elector = new LeaderElector({
    api,
    namespace: 'ns',
    name: 'lease',
    identity,
    clock,
    random: () => 0.5,
  });
  electors.push(elector);
  elector.start();
  return elector;
}
const leaseOf = (api: FakeApi) => api.objects.get('Lease ns/lease') as Lease;

describe('leader election', () => {
  test('the first candidate leads and renews each 2 s; the second one waits', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = candidate(api, 'one', clock);
    await first.whenLeading();
    const second = candidate(api, 'two', clock);
    await clock.run(60_000);
    expect([first.leading, second.leading, second.holder]).toEqual([true, false, 'one']);
    expect(leaseOf(api).spec?.leaseTransitions).toBe(0);
    expect(api.count('replace')).toBe(30);
  });

  test('a candidate takes over within 17 s of the last renewal of a leader that vanished', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = candidate(api, 'one', clock);
    await first.whenLeading();
    const second = candidate(api, 'two', clock);
    await clock.run(6000);
    api.before = (verb, _type, _name) => {
      if (
        verb === 'replace' &&
        !first.lost.aborted &&
        second.holder === 'one' &&
        clock.monotonicMs() < 16_000
      )
        throw failure(0, 'Network');
    };
    await clock.run(9999);
    expect(first.lost.aborted).toBe(false);
    await clock.run(1);
    expect([first.lost.aborted, first.leading]).toEqual([true, false]);
    await clock.run(7000);
    expect([second.leading, leaseOf(api).spec?.holderIdentity]).toEqual([true, 'two']);
    expect(leaseOf(api).spec?.leaseTransitions).toBe(1);
  });

  test('who finds a Lease stands by once its holder was seen to renew, not before', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = candidate(api, 'one', clock);
    await first.whenLeading();
    const second = candidate(api, 'two', clock);
    await clock.run(0);
    expect([second.holder, second.standsBy]).toEqual(['one', false]);
    await clock.run(5000);
    expect([first.standsBy, second.standsBy]).toEqual([false, true]);
  });

  test('times inside the lease do not matter: a holder from yesterday or tomorrow keeps it while it renews', async () => {
    for (const skewMs of [-3_600_000, 3_600_000]) {
      const api = new FakeApi();
      const clock = new HeldClock();
      const first = candidate(api, 'one', clock);
      await first.whenLeading();
      clock.jumpWall(skewMs);
      const second = candidate(api, 'two', clock);
      await clock.run(60_000);
      expect([first.leading, second.leading]).toEqual([true, false]);
    }
  });

  test('a process that slept past its deadline knows it before any timer fires', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = candidate(api, 'one', clock);
    await first.whenLeading();
    const gated = gateWrites(api, () => first.leading);
    await gated.create(resources.configMaps, { metadata: { namespace: 'ns', name: 'a' } });
    let asleep = true;
    clock.setTimer(10_001, () => {
      asleep = false;
    });
    // The API hangs, so renewals hang too.
    api.before = (verb) => (verb === 'replace' ? new Promise(() => {}) : undefined);
    clock.advance(10_001);
    expect(asleep).toBe(false);
    expect(first.leading).toBe(false);
    await expect(
      gated.create(resources.configMaps, { metadata: { namespace: 'ns', name: 'b' } }),
    ).rejects.toMatchObject({ reason: 'NotLeading' });
    api.before = () => {};
    electors.length = 0;
  });

  test('a released lease is taken at the next try, within 3 s', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = candidate(api, 'one', clock);
    await first.whenLeading();
    const second = candidate(api, 'two', clock);
    await clock.run(5000);
    await first.stop();
    expect(leaseOf(api).spec?.holderIdentity).toBe('');
    await clock.run(2400);
    expect(second.leading).toBe(true);
  });

  test('a leader whose lease was taken from it stops at once', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = candidate(api, 'one', clock);
    await first.whenLeading();
    const lease = leaseOf(api);
    api.seed(resources.leases, { ...lease, spec: { ...lease.spec, holderIdentity: 'usurper' } });
    await clock.run(4500);
    expect(first.lost.aborted).toBe(true);
  });

  test('one try that hangs leaves time for another before the deadline', async () => {
    const api = new FakeApi();
    const clock = new HeldClock();
    const first = candidate(api, 'one', clock);
    await first.whenLeading();
    let hung = 0;
    api.before = (verb) => {
      if (verb !== 'replace' || hung > 0) return undefined;
      hung += 1;
      return new Promise((_resolve, reject) => {
        clock.setTimer(5000, () => reject(failure(0, 'Timeout')));
      });
    };
    await clock.run(30_000);
    expect([hung, first.lost.aborted, first.leading]).toEqual([1, false, true]);
  });
});
