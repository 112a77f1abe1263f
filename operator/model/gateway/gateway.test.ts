/** The gateway's part of a plan: which way the Service leads, what the routes say, what a gateway is made of. */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { gatewayPorts, parseRoutes } from '../../../crds/routes.ts';
import type { TrafficChoice } from '../../../crds/status.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { ConfigMap, Service } from '../../../kube/objects.ts';
import { revisionHash } from '../hash.ts';
import { type Plan, plan } from '../plan.ts';
import { makeDeployment, makeSnapshot, type SpecPart, startMs } from '../testing/builders.ts';
import { expectGolden } from '../testing/golden.ts';
import { autoWay } from './auto.ts';
import { defaultGatewayResources, gatewayAnchor, gatewayChildren } from './children.ts';
import { type GatewayProblem, type GatewayReading, routesEndMs, trafficPathOf } from './path.ts';
import { freePort } from './ports.ts';
import { portOf, weightsOf } from './routes.ts';

const golden = (name: string) => join(import.meta.dirname, 'golden', `${name}.txt`);
const taken: GatewayProblem = { reason: 'ChildConflict', message: 'Role "ballast-gateway" is taken' };
const asked: SpecPart = { traffic: { path: 'Gateway' } };
const reading = (part: Partial<GatewayReading> = {}): GatewayReading => ({
  port: 20_007,
  readyPods: 2,
  ...part,
});

const idleWhy = {
  reason: 'Idle',
  sentence: 'no request',
  inputs: {},
  freshness: 'ok',
  needed: 0,
  limited: undefined,
} as const;

const applied = <T>(decided: Plan, kind: string, name: string) =>
  decided.apply.find((one) => one.kind === kind && one.object.metadata.name === name)?.object as
    | T
    | undefined;

/** The routes as the API server has them, `ageMs` old. */
function madeRoutes(ageMs: number): ConfigMap {
  const made = applied<ConfigMap>(
    plan(makeSnapshot({ deployment: makeDeployment(asked), gateway: reading() })),
    'configMaps',
    'wine-routes',
  );
  if (made === undefined) throw new Error('no routes');
  return {
    ...made,
    metadata: {
      ...made.metadata,
      uid: 'uid-routes',
      creationTimestamp: new Date(startMs - ageMs).toISOString(),
    },
  };
}
const withRoutes = (spec: SpecPart, gateway: GatewayReading | undefined, ageMs = 60_000) => {
  const base = makeSnapshot({
    deployment: makeDeployment(spec),
    ...(gateway === undefined ? {} : { gateway }),
  });
  return { ...base, children: { ...base.children, configMaps: [madeRoutes(ageMs)] } };
};
/** The way of a deployment that has not been measured. */
const wayOf = (
  deployment: ModelDeployment,
  gateway: GatewayReading | undefined,
  routes: ConfigMap | undefined,
) => {
  const rollout = {
    isValid: true,
    stable: undefined,
    isRollingOut: true,
    rollouts: 1,
    finishedAtMs: undefined,
  };
  const auto = autoWay(makeSnapshot({ deployment }), rollout);
  return trafficPathOf(deployment, auto, gateway, routes, startMs);
};
const targets = (decided: Plan) => {
  const service = applied<Service>(decided, 'services', 'wine');
  return [
    service?.spec.selector?.['app.kubernetes.io/component'] ?? 'pods',
    ...(service?.spec.ports ?? []).map(({ targetPort }) => targetPort),
  ];
};

describe('the way of requests', () => {
  test.each([
    ['no gateway pod is ready', reading({ readyPods: 0 }), 60_000, 'Direct GatewayUnready', undefined],
    ['the gateway cannot be made', reading({ problem: taken }), 60_000, 'Direct GatewayUnready', undefined],
    ['no port is left', reading({ port: undefined }), 60_000, 'Direct GatewayUnready', undefined],
    ['the route is a moment old', reading(), 500, 'Direct GatewayUnready', startMs + 1_500],
    ['all is there', reading(), 2_000, 'Gateway Asked', undefined],
    ['nobody makes gateways', undefined, 60_000, 'Direct GatewayUnready', undefined],
  ])('asked for, where %s', (_, gateway, ageMs, way, againAtMs) => {
    const traffic = wayOf(makeDeployment(asked), gateway, madeRoutes(ageMs));
    expect([`${traffic.path} ${traffic.reason}`, traffic.againAtMs]).toEqual([way, againAtMs]);
  });

  test.each([
    [{}, 'Direct Auto'],
    [{ traffic: { path: 'Auto' } }, 'Direct Auto'],
    [{ traffic: { path: 'Direct' } }, 'Direct Asked'],
    [{ scaling: { scaleToZero: {} } }, 'Gateway Auto'],
    [{ scaling: { scaleToZero: {} }, traffic: { path: 'Gateway' } }, 'Gateway Asked'],
  ] as [SpecPart, string][])('of %j', (part, way) => {
    const { path, reason } = wayOf(makeDeployment(part), reading(), madeRoutes(60_000));
    expect(`${path} ${reason}`).toBe(way);
  });

  test('stays in its words until it changes', () => {
    const decided = plan(withRoutes(asked, reading()));
    expect(decided.status?.traffic).toEqual({
      path: 'Gateway',
      since: '2026-01-01T12:00:00Z',
      reason: 'Asked',
      message: 'traffic.path is Gateway: 2 gateway pods are ready, at port 20007',
    });
    const later = withRoutes(asked, reading());
    const status = decided.status;
    if (status === undefined) throw new Error('no status');
    const again = plan({ ...later, nowMs: startMs + 90_000, deployment: { ...later.deployment, status } });
    expect((again.status ?? status).traffic?.since).toBe('2026-01-01T12:00:00Z');
  });
});

describe('a gateway that cannot be made', () => {
  const conditions = (spec: SpecPart, gateway: GatewayReading, choice?: TrafficChoice) => {
    const given = withRoutes(spec, gateway);
    const status = { traffic: { choice } } as typeof given.deployment.status;
    const deployment = choice === undefined ? given.deployment : { ...given.deployment, status };
    const decided = plan({ ...given, deployment } as typeof given);
    return ['Stalled', 'Ready']
      .map((type) => decided.status?.conditions?.find((one) => one.type === type))
      .map((one) => `${one?.status} ${one?.reason} ${one?.message}`);
  };
  test.each<[string, SpecPart]>([
    ['asked for', asked],
    ['needed to scale to zero', { scaling: { scaleToZero: {} } }],
  ])('is a condition, where it is %s', (_, spec) => {
    const text = 'ChildConflict Role "ballast-gateway" is taken; until then requests go straight to the pods';
    expect(conditions(spec, reading({ problem: taken }))).toEqual([`True ${text}`, `False ${text}`]);
    expect(conditions(spec, reading())[0]).toMatch(/^False /);
  });
  test('is none where Auto chose it: the promise is kept without it too', () => {
    const spec: SpecPart = { sla: { window: '5m', latency: { p99: '94ms' } } };
    const choice = { path: 'Gateway', message: 'it pays' } as TrafficChoice;
    expect(conditions(spec, reading({ problem: taken }), choice)[0]).toMatch(/^False /);
  });
});

describe('the callers’ Service', () => {
  test('leads to the gateway at the model’s port', () => {
    expect(targets(plan(withRoutes(asked, reading())))).toEqual(['gateway', 20_007, 20_007]);
  });
  test('falls back to the pods while no gateway pod is ready, and the routes stay', () => {
    const decided = plan(withRoutes(asked, reading({ readyPods: 0 })));
    expect(targets(decided)).toEqual(['pods', 'http', 'grpc']);
    expect(decided.delete).toEqual([]);
  });
  test('leads to the pods without a word of gateways, as ever', () => {
    const decided = plan(makeSnapshot());
    expect(targets(decided)).toEqual(['pods', 'http', 'grpc']);
    expect(decided.apply.some(({ object }) => object.metadata.name === 'wine-routes')).toBe(false);
  });
});

describe('routes', () => {
  test('hold what the gateway needs, and parse', () => {
    const routes = madeRoutes(0);
    const parsed = parseRoutes(routes.data?.['routes.json']);
    expect(parsed).toMatchObject({
      routes: { version: 1, model: 'wine', port: 20_007, timeoutMs: 1_000, shedAt: 'Timeout', latency: [] },
    });
    expect(portOf(routes)).toBe(20_007);
    expect(portOf({ ...routes, metadata: { ...routes.metadata, labels: {} } })).toBeUndefined();
  });
  test('stay for 30 s when the model leaves the gateway: late connections still arrive', () => {
    const given = withRoutes({ traffic: { path: 'Direct' } }, undefined);
    const status = {
      traffic: { path: 'Direct', since: '2026-01-01T12:00:00Z', reason: 'Asked', message: '' },
    };
    const deployment = { ...given.deployment, status } as typeof given.deployment;
    const at = (nowMs: number) => plan({ ...given, deployment, nowMs });
    expect(at(startMs + 29_000).delete).toEqual([]);
    expect(at(startMs + 29_000).requeueAfterMs).toBeLessThanOrEqual(1_000);
    expect(at(startMs + 30_000).delete.map(({ name }) => name)).toEqual(['wine-routes']);
    const path = wayOf(deployment, undefined, undefined);
    expect(routesEndMs(deployment, path, startMs + 5_000)).toBe(startMs + 30_000);
  });
  test.each([
    [
      'ready pods, as a Service shares',
      [
        ['a', 3, 4],
        ['b', 1, 1],
      ],
      { a: 3, b: 1 },
    ],
    [
      'nothing for what is not ready',
      [
        ['a', 2, 2],
        ['b', 0, 3],
      ],
      { a: 2, b: 0 },
    ],
    [
      'the largest while none is ready',
      [
        ['a', 0, 1],
        ['b', 0, 2],
      ],
      { a: 0, b: 1 },
    ],
    [
      'the first of equals',
      [
        ['a', 0, 0],
        ['b', 0, 0],
      ],
      { a: 1, b: 0 },
    ],
  ] as [string, [string, number, number][], object][])('weigh by %s', (_, given, weights) => {
    const revisions = given.map(([revision, readyReplicas, replicas]) => ({
      revision,
      readyReplicas,
      replicas,
    }));
    expect(Object.fromEntries(weightsOf(revisions))).toEqual(weights);
  });
});

describe('ports', () => {
  test('are the same for a name, and another one where it is taken', () => {
    const first = freePort('wine', new Set()) ?? 0;
    expect(first).toBeGreaterThanOrEqual(gatewayPorts.first);
    expect(first).toBeLessThanOrEqual(gatewayPorts.last);
    expect(freePort('wine', new Set())).toBe(first);
    const second = freePort('wine', new Set([first])) ?? 0;
    expect(second).toBe(first === gatewayPorts.last ? gatewayPorts.first : first + 1);
  });
  test('end when all are taken', () => {
    const all = Array.from({ length: 10_000 }, (_, index) => gatewayPorts.first + index);
    expect(freePort('wine', new Set(all))).toBeUndefined();
    expect(freePort('wine', new Set(all.slice(1)))).toBe(gatewayPorts.first);
  });
});

describe('scale to zero', () => {
  const sleepy: SpecPart = { scaling: { scaleToZero: { maxHeldRequests: 7 } } };
  const reasonIdle = { replicas: 0, lastChange: undefined, why: { ...idleWhy } };
  test('tells the gateway whom to wake', () => {
    const decided = plan(makeSnapshot({ deployment: makeDeployment(sleepy), gateway: reading() }));
    const routes = applied<ConfigMap>(decided, 'configMaps', 'wine-routes');
    const revision = decided.status?.candidate?.revision;
    expect(JSON.parse(routes?.data?.['routes.json'] ?? '{}').wake).toEqual({
      deployment: `wine-${revision}`,
      maxHeldRequests: 7,
      replicas: 1,
    });
  });
  test('is a model that is available and ready with no replica, through the gateway only', () => {
    const asleep = withRoutes(sleepy, reading());
    const revision = revisionHash(asleep.deployment.spec);
    const stable = { revision, replicas: 0, readyReplicas: 0 };
    const status = {
      stable,
      rollout: { number: 1, finishedAt: '2026-01-01T11:00:00Z' },
    } as typeof asleep.deployment.status;
    const deployment = { ...asleep.deployment, status } as typeof asleep.deployment;
    const conditions = (gateway: GatewayReading) =>
      plan({ ...asleep, deployment, gateway, scaling: reasonIdle })
        .status?.conditions?.filter((one) => one.type === 'Available' || one.type === 'Ready')
        .map((one) => `${one.type} ${one.status}`);
    expect(conditions(reading())).toEqual(['Available True', 'Ready True']);
    expect(conditions(reading({ readyPods: 0 }))).toEqual(['Available False', 'Ready True']);
  });
  test('gives the gateway the right to wake, and only then', () => {
    const rules = (wakes: boolean) =>
      JSON.stringify(
        gatewayChildren('shop', 'uid', { image: 'x', replicas: 2, resources: {} }, wakes).find(
          ({ kind }) => kind === 'roles',
        )?.object,
      );
    expect(rules(true)).toContain('deployments/scale');
    expect(rules(false)).not.toContain('deployments/scale');
  });
});

test('a gateway is what its golden file says', () => {
  const objects = [
    gatewayAnchor('shop', [makeDeployment(asked)]),
    ...gatewayChildren('shop', 'uid-anchor', {
      image: 'ballast/operator:1.2.3',
      replicas: 2,
      resources: defaultGatewayResources,
      imagePullSecrets: [{ name: 'login' }],
    }).map(({ object }) => object),
  ];
  expectGolden(golden('gateway'), `${JSON.stringify([...objects, madeRoutes(0)], null, 2)}\n`);
});
