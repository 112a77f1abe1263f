/** Fleet-wide defaults: what a ModelDeployment leaves out, for new revisions only, and the network for all. */
import { describe, expect, test } from '@jest/globals';
import type { Deployment } from '../../../kube/objects.ts';
import { plan } from '../plan.ts';
import type { FleetDefaults, OperatorDefaults } from '../snapshot.ts';
import { makeDeployment, type SpecPart, testDefaults } from '../testing/builders.ts';
import { rewritten } from '../testing/settled.ts';
import { World } from '../testing/world.ts';
import { desiredConfigMap, liveConfig } from './config-map.ts';
import { desiredNetworkPolicy } from './network-policy.ts';
import { renderPodTemplate, resourcesOf } from './pod-template.ts';

const fleet: FleetDefaults = {
  resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { memory: '2Gi' } },
  pod: {
    nodeSelector: { pool: 'models' },
    tolerations: [{ key: 'models', operator: 'Exists' }],
    topologySpread: [{ topologyKey: 'rack' }],
    priorityClassName: 'models',
    imagePullSecrets: [{ name: 'login' }],
    labels: { team: 'ml', tier: 'fleet' },
    annotations: { a: 'fleet', b: 'fleet' },
  },
};
const defaults: OperatorDefaults = { ...testDefaults, ...fleet, image: 'fleet:1' };
const render = (spec: SpecPart, by: OperatorDefaults = defaults) =>
  renderPodTemplate(makeDeployment(spec), 'r1', by);

describe('defaults of pods', () => {
  test('stand in for all that is left out', () => {
    const { metadata, spec } = render({});
    expect(spec).toMatchObject({
      nodeSelector: { pool: 'models' },
      tolerations: [{ key: 'models', operator: 'Exists' }],
      priorityClassName: 'models',
      imagePullSecrets: [{ name: 'login' }],
      serviceAccountName: 'wine',
    });
    expect(spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual(['rack']);
    expect(metadata?.labels).toMatchObject({ team: 'ml', 'ballast.dev/role': 'serving' });
    expect([...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => image)).toEqual([
      'fleet:1',
      'fleet:1',
    ]);
    expect(spec.containers[0]?.resources).toEqual({
      requests: { cpu: '250m', memory: '1Gi' },
      limits: { memory: '2Gi' },
    });
  });

  test('give way to what is written, field by field; labels and annotations key by key', () => {
    const { metadata, spec } = render({
      runtime: {
        image: 'own:1',
        pod: {
          nodeSelector: { disk: 'ssd' },
          tolerations: [],
          labels: { tier: 'own' },
          annotations: { b: 'own' },
        },
      },
    });
    expect(spec).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      tolerations: [],
      priorityClassName: 'models',
    });
    expect(spec.nodeSelector).toEqual({ disk: 'ssd' });
    expect(spec.containers[0]?.image).toBe('own:1');
    expect(metadata?.labels).toMatchObject({ team: 'ml', tier: 'own' });
    expect(metadata?.annotations).toMatchObject({ a: 'fleet', b: 'own' });
  });

  test.each<[string, Parameters<typeof resourcesOf>[0], object]>([
    [
      'a request above the default limit raises that limit',
      { resources: { requests: { memory: '4Gi' } } },
      { requests: { memory: '4Gi' }, limits: { memory: '4Gi' } },
    ],
    [
      'a limit below the default request bounds that request',
      { resources: { limits: { memory: '512Mi', cpu: 1 } } },
      { requests: { cpu: '250m', memory: '512Mi' }, limits: { memory: '512Mi', cpu: '1' } },
    ],
  ])('%s', (_, runtime, want) => {
    expect(resourcesOf(runtime, fleet)).toEqual(want);
  });

  test('that change touch nothing that runs, and the next revision takes them', () => {
    const world = new World(2);
    world.settle();
    const settled = world.snapshot();
    expect(plan({ ...settled, defaults }).apply).toEqual([]);
    const deployment = rewritten(settled, { runtime: { threads: 2 } });
    const applied = plan({ ...settled, defaults, deployment }).apply;
    const images = applied
      .filter(({ kind }) => kind === 'deployments')
      .map(({ object }) => (object as Deployment).spec.template.spec.containers[0]?.image);
    expect(images).toEqual(['fleet:1']);
  });
});

describe('defaults of the network', () => {
  test('that change write one ConfigMap of a model that is fetched, and nothing of another', () => {
    const applied = (uri: string) => {
      const world = new World(1, { model: { uri } });
      world.settle();
      const changed = { ...testDefaults, fetch: { httpsProxy: 'http://proxy:3128' } };
      return plan({ ...world.snapshot(), defaults: changed }).apply.map(({ kind }) => kind);
    };
    expect(applied('https://example.com/wine.onnx')).toEqual(['configMaps']);
    expect(applied('file:///samples/wine/model.onnx')).toEqual([]);
  });

  const { spec } = makeDeployment();
  const caBundle = '-----BEGIN CERTIFICATE-----';

  test('reach the pods beside the rest that changes without a restart', () => {
    const network = { httpsProxy: 'http://proxy:3128', noProxy: ['.svc'], allowModelCidrs: ['10.1.0.0/16'] };
    const { data } = desiredConfigMap(
      makeDeployment(),
      liveConfig(spec, {}, { ...network, caBundle }),
      caBundle,
    );
    expect(JSON.parse(data?.['config.json'] ?? '')).toMatchObject({ version: 1, fetch: network });
    expect(data?.['config.json']).not.toContain('CERTIFICATE');
    expect(data?.['ca.pem']).toBe(caBundle);
  });

  test('without any, the ConfigMap is as it always was', () => {
    const { data } = desiredConfigMap(makeDeployment(), liveConfig(spec, {}));
    expect(Object.keys(data ?? {})).toEqual(['config.json']);
    expect(Object.keys(liveConfig(spec, {}, { caBundle }))).not.toContain('fetch');
  });

  test.each<[string, Parameters<typeof desiredNetworkPolicy>[1], unknown[]]>([
    ['a model that is here already goes nowhere', undefined, []],
    [
      'a proxy of an address is reached at that address',
      { httpsProxy: 'http://10.0.0.1:3128', httpProxy: 'http://10.0.0.1:3128' },
      [{ to: [{ ipBlock: { cidr: '10.0.0.1/32' } }], ports: [{ port: 3128, protocol: 'TCP' }] }],
    ],
    [
      'and of an IPv6 address',
      { httpsProxy: 'https://[fd00::1]' },
      [{ to: [{ ipBlock: { cidr: 'fd00::1/128' } }], ports: [{ port: 443, protocol: 'TCP' }] }],
    ],
    [
      'a proxy of a name by its port',
      { httpsProxy: 'http://proxy.example.com:3128' },
      [{ ports: [{ port: 3128, protocol: 'TCP' }] }],
    ],
    [
      'private model servers in their ranges',
      { allowModelCidrs: ['10.1.0.0/16', 'fd00::/8'] },
      [
        {
          to: [{ ipBlock: { cidr: '10.1.0.0/16' } }, { ipBlock: { cidr: 'fd00::/8' } }],
          ports: [{ protocol: 'TCP' }],
        },
      ],
    ],
  ])('policy: %s', (_, fetch, more) => {
    const { egress } = desiredNetworkPolicy(makeDeployment(), fetch).spec as { egress: unknown[] };
    expect(egress.slice(fetch === undefined ? 0 : 2)).toEqual(more);
    expect(egress).toHaveLength(more.length + (fetch === undefined ? 0 : 2));
  });
});
