/** A namespace's gateway over an in-memory API: made with the first that asks, kept, gone with the last, never stolen. */
import { describe, expect, test } from '@jest/globals';
import { ApiError } from '../../kube/errors.ts';
import { MetricsRegistry } from '../../kube/metrics.ts';
import type { EndpointSlice, KubeObject } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { FakeApi } from '../../kube/testing/fake-api.ts';
import { defaultGatewayResources } from '../model/gateway/children.ts';
import { makeDeployment, type SpecPart } from '../model/testing/builders.ts';
import type { Caches } from './caches.ts';
import { Gateways } from './gateways.ts';

const key = 'shop/ballast-gateway';
const labels = {
  'app.kubernetes.io/name': 'ballast-gateway',
  'app.kubernetes.io/component': 'gateway',
  'app.kubernetes.io/managed-by': 'ballast',
};
const kinds = [
  resources.serviceAccounts,
  resources.roles,
  resources.roleBindings,
  resources.services,
  resources.podDisruptionBudgets,
  resources.deployments,
];

function makeBed() {
  const api = new FakeApi();
  const models = new Map<string, ReturnType<typeof makeDeployment>>();
  const slices: EndpointSlice[] = [];
  const told: string[] = [];
  const object = (type: ResourceType, name: string) => api.objects.get(`${type.kind} shop/${name}`);
  const caches = {
    modelDeployments: { store: { list: () => [...models.values()] } },
    configMaps: {
      store: { get: (name: string) => object(resources.configMaps, name.replace('shop/', '')) },
    },
    gatewaySlices: { store: { byIndex: () => slices } },
    gatewayDeployments: { store: { get: () => object(resources.deployments, 'ballast-gateway') } },
  } as unknown as Caches;
  const clock = { nowMs: 1_000_000 };
  const gateways = new Gateways({
    api,
    caches,
    settings: () => ({ image: 'operator', replicas: 2, resources: defaultGatewayResources }),
    observer: new MetricsRegistry(),
    nowMs: () => clock.nowMs,
    onChange: (namespace) => void told.push(namespace),
  });
  return {
    api,
    slices,
    told,
    clock,
    gateways,
    put(name: string, spec: SpecPart) {
      const model = makeDeployment(spec);
      models.set(name, { ...model, metadata: { ...model.metadata, name, uid: `uid-${name}` } });
    },
    remove: (name: string) => models.delete(name),
    model: (name: string) => models.get(name) ?? makeDeployment(),
    reconcile: () => gateways.reconcile(key, { signal: new AbortController().signal, failures: 0 }),
    object: (type: ResourceType) => object(type, 'ballast-gateway'),
    writes: () => api.calls.filter(({ verb }) => verb === 'apply' || verb === 'delete').length,
  };
}
const asked: SpecPart = { traffic: { path: 'Gateway' } };

describe('a gateway', () => {
  test('is made with the first, is left alone, learns of the next, and goes with the last', async () => {
    const bed = makeBed();
    bed.put('plain', {});
    await bed.reconcile();
    expect(bed.writes()).toBe(0);

    bed.put('wine', asked);
    await bed.reconcile();
    expect(kinds.filter((type) => bed.object(type) === undefined)).toEqual([]);
    const made = bed.writes();
    await bed.reconcile();
    expect(bed.writes()).toBe(made);

    bed.put('digits', asked);
    await bed.reconcile();
    expect(bed.object(resources.serviceAccounts)?.metadata.ownerReferences?.map(({ name }) => name)).toEqual([
      'digits',
      'wine',
    ]);

    bed.remove('wine');
    bed.put('digits', { traffic: { path: 'Direct' } });
    await bed.reconcile();
    expect(bed.api.calls.at(-1)).toMatchObject({ verb: 'delete' });
    expect(bed.object(resources.serviceAccounts)).toBeUndefined();
  });

  test('is applied anew when somebody changed its Deployment, and now and then', async () => {
    const bed = makeBed();
    bed.put('wine', asked);
    await bed.reconcile();
    const live = bed.object(resources.deployments) as KubeObject;
    bed.api.seed(resources.deployments, { ...live, metadata: { ...live.metadata, generation: 7 } });
    const before = bed.writes();
    await bed.reconcile();
    expect(bed.writes()).toBeGreaterThan(before);
    bed.clock.nowMs += 301_000;
    const again = bed.writes();
    await bed.reconcile();
    expect(bed.writes()).toBeGreaterThan(again);
  });

  test.each(kinds)('takes nobody’s $kind', async (type) => {
    const bed = makeBed();
    bed.put('wine', asked);
    const others = { metadata: { name: 'ballast-gateway', namespace: 'shop', labels: { app: 'mine' } } };
    bed.api.seed(type, others);
    await expect(bed.reconcile()).rejects.toThrow(/Ballast did not make it/);
    expect(bed.object(type)?.metadata.labels).toEqual({ app: 'mine' });
    expect(bed.gateways.readingOf(bed.model('wine'))?.problem).toEqual({
      reason: 'ChildConflict',
      message: `${type.kind} "ballast-gateway" exists and Ballast did not make it: rename or delete it`,
    });
    // Nothing else was made either.
    expect(bed.writes()).toBe(0);
    expect(bed.told).toEqual(['shop']);
    bed.api.seed(type, { metadata: { ...others.metadata, labels } });
    await bed.reconcile();
    expect(bed.gateways.readingOf(bed.model('wine'))?.problem).toBeUndefined();
    expect(bed.told).toEqual(['shop', 'shop']);
  });

  test('whose making is refused says so; a passing fault says nothing', async () => {
    const bed = makeBed();
    bed.put('wine', asked);
    const fail = (code: number, reason: string) => {
      bed.api.before = (verb, type) => {
        if (verb === 'apply' && type.kind === 'Role')
          throw new ApiError({ code, reason, message: 'no Role' });
      };
    };
    fail(503, 'ServiceUnavailable');
    await expect(bed.reconcile()).rejects.toThrow('no Role');
    expect(bed.gateways.readingOf(bed.model('wine'))?.problem).toBeUndefined();
    fail(403, 'Forbidden');
    await expect(bed.reconcile()).rejects.toThrow('no Role');
    expect(bed.gateways.readingOf(bed.model('wine'))?.problem).toEqual({
      reason: 'Forbidden',
      message: 'no Role',
    });
  });

  test('whose name was taken by somebody after it was made does not take it back', async () => {
    const bed = makeBed();
    bed.put('wine', asked);
    await bed.reconcile();
    bed.api.seed(resources.roles, {
      metadata: { name: 'ballast-gateway', namespace: 'shop', labels: { app: 'mine' } },
    });
    bed.clock.nowMs += 301_000;
    const before = bed.writes();
    await expect(bed.reconcile()).rejects.toThrow('Role "ballast-gateway" exists');
    expect(bed.writes()).toBe(before);
  });
});

describe('readings', () => {
  test('are there only for those that ask, each with a port of its own, the same for good', () => {
    const bed = makeBed();
    bed.put('wine', asked);
    bed.put('digits', asked);
    bed.put('plain', {});
    expect(bed.gateways.readingOf(bed.model('plain'))).toBeUndefined();
    const [wine, digits] = ['wine', 'digits'].map((name) => bed.gateways.readingOf(bed.model(name))?.port);
    expect(wine).not.toBe(digits);
    expect(bed.gateways.readingOf(bed.model('wine'))?.port).toBe(wine);
  });

  test('keep the port that an earlier operator gave; of two with one port the first by name', () => {
    const bed = makeBed();
    const seed = (name: string, port: number) =>
      bed.api.seed(resources.configMaps, {
        metadata: { name: `${name}-routes`, namespace: 'shop', labels: { 'ballast.dev/routes': 'true' } },
        data: {
          'routes.json': JSON.stringify({
            version: 1,
            model: name,
            port,
            backends: [{ revision: 'a', service: 'a', deployment: 'a', weight: 1 }],
            timeoutMs: 1_000,
            shedAt: 'Timeout',
            latency: [],
          }),
        },
      } as KubeObject);
    for (const name of ['wine', 'digits']) {
      bed.put(name, asked);
      seed(name, 20_123);
    }
    expect(bed.gateways.readingOf(bed.model('digits'))?.port).toBe(20_123);
    expect(bed.gateways.readingOf(bed.model('wine'))?.port).not.toBe(20_123);
  });

  test('count what serves and does not end, whatever `ready` says', () => {
    const bed = makeBed();
    const endpoint = (serving: boolean, terminating = false) => ({
      addresses: ['10.0.0.1'],
      conditions: { ready: true, serving, terminating },
    });
    bed.slices.push({
      metadata: { namespace: 'shop' },
      addressType: 'IPv4',
      endpoints: [endpoint(true), endpoint(false), endpoint(true, true)],
    });
    expect(bed.gateways.readyPods('shop')).toBe(1);
  });
});
