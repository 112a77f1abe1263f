import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import type {
  ConfigMap,
  KubeEvent,
  Pod,
  PodDisruptionBudget,
  Service,
  WatchEvent,
} from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { startControllers } from './controllers.ts';
import { evictPod } from './eviction.ts';
import { Registry, StatusError } from './registry.ts';

const namespace = 'default';
let clock: HeldClock;
let registry: Registry;
let stop: () => void;

beforeEach(() => {
  clock = new HeldClock();
  registry = new Registry({ clock, historyLimit: 50 });
  stop = startControllers(registry);
});
afterEach(() => stop());

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  metadata: { name, namespace },
  data,
});
const pod = (name: string): Pod => ({
  metadata: { name, namespace, labels: { app: 'a' } },
  spec: { containers: [{ name: 'main', image: 'i' }] },
});
const reasonOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof StatusError) return error.reason;
    throw error;
  }
  return '';
};

describe('registry', () => {
  test('an update with an old resourceVersion is a Conflict, an edit never is', () => {
    const first = registry.create(resources.configMaps, map('a'));
    registry.update(resources.configMaps, { ...map('a', { x: '1' }), metadata: first.metadata });
    const stale = () => registry.update(resources.configMaps, { ...map('a'), metadata: first.metadata });
    expect(reasonOf(stale)).toBe('Conflict');
    const edited = registry.edit<ConfigMap>(resources.configMaps, { name: 'a', namespace }, (draft) => {
      draft.data = { ...draft.data, y: '2' };
    });
    expect(edited.data).toEqual({ x: '1', y: '2' });
  });

  test('a pod of a service account that does not exist is forbidden', () => {
    const wanted: Pod = { ...pod('p'), spec: { ...pod('p').spec, serviceAccountName: 'nobody' } };
    expect(reasonOf(() => registry.create(resources.pods, wanted))).toBe('Forbidden');
    registry.create(resources.serviceAccounts, { metadata: { name: 'nobody', namespace } });
    expect(registry.create<Pod>(resources.pods, wanted).spec.serviceAccountName).toBe('nobody');
  });

  test('a write that changes nothing keeps the resourceVersion', () => {
    const first = registry.create(resources.configMaps, map('a', { x: '1' }));
    const again = registry.edit<ConfigMap>(resources.configMaps, { name: 'a', namespace }, (draft) => {
      draft.data = { x: '1' };
    });
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test('watchers hear in order, after the write has returned', async () => {
    const seen: string[] = [];
    registry.create(resources.configMaps, map('a'));
    const watch = registry.watch<ConfigMap>(resources.configMaps, { namespace }, ({ type, object }) => {
      seen.push(`${type} ${object.metadata.name}`);
      // Writing from a listener is allowed.
      if (type === 'ADDED' && object.metadata.name === 'b') registry.create(resources.configMaps, map('c'));
    });
    registry.create(resources.configMaps, map('b'));
    expect(seen).toEqual([]);
    await turn();
    watch.stop();
    registry.create(resources.configMaps, map('d'));
    await turn();
    expect(seen).toEqual(['ADDED a', 'ADDED kube-root-ca.crt', 'ADDED b', 'ADDED c']);
  });

  test('a selector’s edge is ADDED and DELETED', async () => {
    const seen: WatchEvent<Readonly<ConfigMap>>[] = [];
    const watch = registry.watch<ConfigMap>(resources.configMaps, { labelSelector: 'on=yes' }, (event) => {
      seen.push(event);
    });
    const ref = { name: 'a', namespace };
    registry.create(resources.configMaps, map('a'));
    for (const on of ['yes', 'no'])
      registry.edit<ConfigMap>(resources.configMaps, ref, (draft) => {
        draft.metadata.labels = { on };
      });
    await turn();
    watch.stop();
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'DELETED']);
    expect(seen[1]?.object.metadata.labels).toEqual({ on: 'yes' });
    const current = registry.get<ConfigMap>(resources.configMaps, ref).metadata.resourceVersion;
    expect(seen[1]?.object.metadata.resourceVersion).toBe(current);
  });

  test('history that is gone is Expired', () => {
    const { resourceVersion } = registry.list(resources.configMaps);
    for (let index = 0; index < 1200; index++)
      registry.edit<ConfigMap>(resources.configMaps, { name: 'kube-root-ca.crt', namespace }, (draft) => {
        draft.data = { index: String(index) };
      });
    expect(reasonOf(() => registry.watch(resources.configMaps, { resourceVersion }, () => {}))).toBe(
      'Expired',
    );
  });

  test('a Service gets an address that no other has', () => {
    const service = (name: string): Service => ({
      metadata: { name, namespace },
      spec: { ports: [{ port: 80 }] },
    });
    const addresses = ['a', 'b', 'c'].map(
      (name) => registry.create(resources.services, service(name)).spec.clusterIP,
    );
    expect(new Set(addresses).size).toBe(3);
    for (const address of addresses) expect(address).toMatch(/^127\.96\.\d+\.\d+$/);
    const headless = registry.create(resources.services, {
      ...service('d'),
      spec: { clusterIP: 'None', ports: [{ port: 80 }] },
    });
    expect(headless.spec.clusterIP).toBe('None');
    const moved = () =>
      registry.edit<Service>(resources.services, { name: 'a', namespace }, (draft) => {
        draft.spec.clusterIP = '127.96.9.9';
      });
    expect(reasonOf(moved)).toBe('Invalid');
  });

  test('a bound pod dies gracefully, an unbound one at once', () => {
    registry.create(resources.pods, pod('bound'));
    registry.create(resources.pods, pod('loose'));
    registry.bind({ name: 'bound', namespace }, 'node');
    expect(registry.delete(resources.pods, { name: 'loose', namespace }).gone).toBe(true);
    const { gone, object } = registry.delete(resources.pods, { name: 'bound', namespace });
    expect([gone, object.metadata.deletionGracePeriodSeconds]).toEqual([false, 30]);
    const end = registry.delete(resources.pods, { name: 'bound', namespace }, { gracePeriodSeconds: 0 });
    expect(end.gone).toBe(true);
  });

  test('events go after an hour', () => {
    const event: KubeEvent = {
      metadata: { name: 'e', namespace },
      involvedObject: { namespace },
      reason: 'R',
    };
    registry.create(resources.events, event);
    clock.advance(59 * 60_000);
    expect(registry.list(resources.events).items).toHaveLength(1);
    clock.advance(3 * 60_000);
    expect(registry.list(resources.events).items).toHaveLength(0);
  });

  test('an eviction is held to the budget', () => {
    const ref = { name: 'p', namespace };
    registry.create(resources.pods, pod('p'));
    registry.edit<Pod>(
      resources.pods,
      ref,
      (draft) => {
        draft.status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      },
      { subresource: 'status' },
    );
    const budget: PodDisruptionBudget = {
      metadata: { name: 'b', namespace },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
    };
    registry.create(resources.podDisruptionBudgets, budget);
    const allow = (disruptionsAllowed: number) =>
      registry.edit<PodDisruptionBudget>(
        resources.podDisruptionBudgets,
        { name: 'b', namespace },
        (draft) => {
          draft.status = {
            observedGeneration: 1,
            disruptionsAllowed,
            currentHealthy: 1,
            desiredHealthy: 1,
            expectedPods: 1,
          };
        },
        { subresource: 'status' },
      );
    const evict = () => evictPod(registry.core, registry.kind(resources.pods), namespace, 'p', {});
    allow(0);
    expect(reasonOf(evict)).toBe('TooManyRequests');
    allow(1);
    expect(reasonOf(evict)).toBe('');
    expect(registry.find(resources.pods, ref)).toBeUndefined();
  });
});
