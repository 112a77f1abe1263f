import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HeldClock } from './clock.ts';
import { ConsistencyTracker } from './consistency.ts';
import type { KubeObject } from './objects.ts';
import { resources } from './resource.ts';
import { Store } from './store.ts';

const written = (name: string, version: string, uid = 'u'): KubeObject => ({
  metadata: { namespace: 'ns', name, uid, resourceVersion: version },
});

function setUp(maxWaitMs?: number) {
  const clock = new HeldClock();
  const tracker = new ConsistencyTracker({ clock, ...(maxWaitMs === undefined ? {} : { maxWaitMs }) });
  const pods = new Store();
  const services = new Store();
  tracker.track(resources.pods, pods);
  tracker.track(resources.services, services);
  pods.advance('10');
  services.advance('10');
  return { clock, tracker, pods, services };
}

describe('read your own writes', () => {
  test('holds a key back until the store has seen its write, and only that key', () => {
    const { tracker, pods } = setUp();
    tracker.wrote('ns/mine', resources.pods, written('pod', '12'));
    expect(tracker.waitingFor('ns/mine')).toBe('Pod');
    expect(tracker.waitingFor('ns/other')).toBeUndefined();
    pods.advance('11');
    expect(tracker.waitingFor('ns/mine')).toBe('Pod');
    pods.advance('12');
    expect(tracker.waitingFor('ns/mine')).toBeUndefined();
    expect(tracker.size).toBe(0);
  });

  test('compares versions as numbers of any length', () => {
    const { tracker, pods } = setUp();
    pods.advance('9');
    tracker.wrote('ns/mine', resources.pods, written('pod', '10'));
    expect(tracker.waitingFor('ns/mine')).toBe('Pod');
    pods.advance('9007199254740993');
    tracker.wrote('ns/mine', resources.pods, written('pod', '9007199254740994'));
    expect(tracker.waitingFor('ns/mine')).toBe('Pod');
  });

  test('a no-op write that returns a known version holds nothing back', () => {
    const { tracker } = setUp();
    tracker.wrote('ns/mine', resources.pods, written('pod', '10'));
    expect(tracker.size).toBe(0);
  });

  test('waits for a deletion until that uid is gone or marked', () => {
    const { tracker, pods } = setUp();
    pods.put(written('pod', '5', 'first'));
    tracker.deleted('ns/mine', resources.pods, written('pod', '5', 'first'));
    expect(tracker.waitingFor('ns/mine')).toBe('Pod');
    pods.put(written('pod', '13', 'second'));
    expect(tracker.waitingFor('ns/mine')).toBeUndefined();
  });

  test('opens on versions that are no numbers, on kinds without a store, and after the longest wait', () => {
    const { tracker, clock } = setUp(60_000);
    tracker.wrote('ns/mine', resources.pods, written('pod', 'opaque'));
    tracker.wrote('ns/mine', resources.leases, written('lease', '99'));
    expect(tracker.waitingFor('ns/mine')).toBeUndefined();
    tracker.wrote('ns/mine', resources.pods, written('pod', '99'));
    clock.advance(60_000);
    expect(tracker.waitingFor('ns/mine')).toBe('Pod');
    clock.advance(1);
    expect(tracker.waitingFor('ns/mine')).toBeUndefined();
  });

  test('of two stores that share a kind, the one that holds the object must have seen the write', () => {
    const { tracker } = setUp();
    const red = new Store();
    const blue = new Store();
    const isRed = (object: KubeObject) => object.metadata.name === 'red';
    tracker.track(resources.configMaps, red, isRed);
    tracker.track(resources.configMaps, blue, (object) => !isRed(object));
    red.advance('20');
    blue.advance('10');
    tracker.wrote('ns/mine', resources.configMaps, written('red', '15'));
    expect(tracker.waitingFor('ns/mine')).toBeUndefined();
    tracker.wrote('ns/mine', resources.configMaps, written('blue', '15'));
    expect(tracker.waitingFor('ns/mine')).toBe('ConfigMap');
  });

  test('property: a key is free exactly when every store is at or past its last write to that kind', () => {
    const write = fc.record({ pod: fc.boolean(), version: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 8 }), fc.nat(45), fc.nat(45), (writes, podsAt, servicesAt) => {
        const { tracker, pods, services } = setUp();
        pods.advance('0');
        services.advance('0');
        for (const [index, { pod, version }] of writes.entries())
          tracker.wrote(
            'k',
            pod ? resources.pods : resources.services,
            written(`o${index}`, String(version)),
          );
        pods.advance(String(podsAt));
        services.advance(String(servicesAt));
        const free = writes.every(({ pod, version }) => version <= (pod ? podsAt : servicesAt));
        expect(tracker.waitingFor('k') === undefined).toBe(free);
      }),
    );
  });
});
