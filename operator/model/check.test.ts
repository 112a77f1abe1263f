/** Specs that pass the schema and cannot be served: each names its field and the way out. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { check, concerns } from './check.ts';
import { plan } from './plan.ts';
import { makeDeployment, makeSnapshot, type SpecPart, sha, testDefaults } from './testing/builders.ts';
import { World } from './testing/world.ts';

const problems = (spec: SpecPart) => check(makeDeployment(spec), testDefaults);
const uri = (text: string): SpecPart => ({ model: { uri: text } });

describe('check', () => {
  test.each<[string, SpecPart]>([
    ['a file of the image', {}],
    [
      'a file anywhere in an image of the user’s own',
      { ...uri('file:///models/x.onnx'), runtime: { image: 'mine:1' } },
    ],
    ['a file of a claim', uri('pvc://models/a/b/model.onnx')],
    ['an address', { model: { uri: 'https://models.example.com/x?v=1#y', sha256: sha('a') } }],
    [
      'a device with an image',
      { runtime: { image: 'gpu:1', resources: { limits: { 'nvidia.com/gpu': 1 } } } },
    ],
    [
      'equal request and limit',
      { runtime: { resources: { requests: { cpu: '1000m' }, limits: { cpu: 1 } } } },
    ],
    ['promises that rise', { sla: { latency: { p50: '50ms', p99: '1s' }, window: '1m' } }],
    [
      'tolerations as Kubernetes takes them',
      {
        runtime: {
          pod: {
            tolerations: [
              { operator: 'Exists' },
              { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
              {
                key: 'node.kubernetes.io/unreachable',
                operator: 'Exists',
                effect: 'NoExecute',
                tolerationSeconds: 9,
              },
            ],
            topologySpread: [
              { topologyKey: 'zone' },
              { topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
            ],
          },
        },
      },
    ],
    ['a contract', { contract: { inputs: [{ name: 'x', min: '0' }] } }],
    ['replicas in mode Fixed', { scaling: { mode: 'Fixed', replicas: 0 } }],
  ])('%s can be served', (_, spec) => {
    expect(problems(spec)).toEqual([]);
  });

  test.each<[string, SpecPart, string, RegExp]>([
    ['a file outside the image', uri('file:///etc/passwd'), 'spec.model.uri', /under \/samples: use https/],
    [
      'a root that only begins alike',
      uri('file:///samples-of-others/m.onnx'),
      'spec.model.uri',
      /not in the pod image/,
    ],
    ['a way out of the root', uri('file:///samples/../etc/passwd'), 'spec.model.uri', /without "\.\."/],
    ['a way out of the claim', uri('pvc://claim/../x'), 'spec.model.uri', /without "\.\."/],
    ['a claim without a path', uri('pvc://claim'), 'spec.model.uri', /pvc:\/\/CLAIM\/PATH/],
    ['a claim of no name', uri('pvc://Cl_aim/x'), 'spec.model.uri', /no name of a PersistentVolumeClaim/],
    ['no address', uri('https://[::1/x.onnx'), 'spec.model.uri', /no address/],
    ['a password in the address', uri('https://me:secret@host/x.onnx'), 'spec.model.uri', /remove it/],
    ['an unknown scheme', uri('gopher://x/yz'), 'spec.model.uri', /./],
    [
      'a request above the limit',
      { runtime: { resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } } },
      'spec.runtime.resources.requests.memory',
      /2Gi is more than the limit of 1Gi/,
    ],
    [
      'a time zone that nobody knows',
      { scaling: { schedule: [{ from: '08:00', to: '09:00', timezone: 'Shire', minReplicas: 2 }] } },
      'spec.scaling.schedule.0.timezone',
      /"Shire" is no time zone .* Europe\/Berlin/,
    ],
    [
      'a window above the maximum',
      { scaling: { maxReplicas: 3, schedule: [{ from: '08:00', to: '09:00', minReplicas: 4 }] } },
      'spec.scaling.schedule.0.minReplicas',
      /4 is more than maxReplicas 3/,
    ],
    [
      'a device without an image',
      { runtime: { resources: { limits: { 'nvidia.com/gpu': 1, memory: '1Gi' } } } },
      'spec.runtime.resources.limits.nvidia.com/gpu',
      /set runtime\.image/,
    ],
    [
      'a device that is only requested',
      { runtime: { image: 'gpu:1', resources: { requests: { 'nvidia.com/gpu': 1 } } } },
      'spec.runtime.resources.requests.nvidia.com/gpu',
      /write limits\.nvidia\.com\/gpu: 1$/,
    ],
    [
      'half a device',
      { runtime: { image: 'gpu:1', resources: { limits: { 'nvidia.com/gpu': '500m' } } } },
      'spec.runtime.resources.limits.nvidia.com/gpu',
      /500m is no whole number/,
    ],
    [
      'fewer devices requested than allowed',
      {
        runtime: {
          image: 'gpu:1',
          resources: { requests: { 'nvidia.com/gpu': 1 }, limits: { 'nvidia.com/gpu': 2 } },
        },
      },
      'spec.runtime.resources.limits.nvidia.com/gpu',
      /must be the same, not 1 and 2/,
    ],
    [
      'a toleration of every value with a value',
      { runtime: { pod: { tolerations: [{ key: 'gpu', operator: 'Exists', value: 'yes' }] } } },
      'spec.runtime.pod.tolerations.0',
      /Exists takes no value/,
    ],
    [
      'a toleration of nothing',
      { runtime: { pod: { tolerations: [{ value: 'yes' }] } } },
      'spec.runtime.pod.tolerations.0',
      /operator: Exists; or name the key/,
    ],
    [
      'a toleration for a time of what evicts nobody',
      {
        runtime: {
          pod: {
            tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 }],
          },
        },
      },
      'spec.runtime.pod.tolerations.0',
      /about NoExecute/,
    ],
    [
      'the same spread twice',
      {
        runtime: {
          pod: {
            topologySpread: [
              { topologyKey: 'zone' },
              { topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
            ],
          },
        },
      },
      'spec.runtime.pod.topologySpread.1',
      /zone is there already with ScheduleAnyway/,
    ],
    [
      'a variable of ours',
      { runtime: { env: [{ name: 'BALLAST_MODEL_URI', value: 'x' }] } },
      'spec.runtime.env.BALLAST_MODEL_URI',
      /belong to the operator/,
    ],
    ['a variable of nothing', { runtime: { env: [{ name: 'A' }] } }, 'spec.runtime.env.A', /exactly one/],
    [
      'a contract that no pod can be given',
      {
        contract: {
          inputs: Array.from({ length: 256 }, () => ({
            name: 'colour',
            values: Array.from({ length: 256 }, (_, i) => String(i)),
          })),
        },
      },
      'spec.contract',
      /has 372492 bytes as JSON, and at most 65536 fit/,
    ],
    [
      'a headroom that looks too far ahead',
      { scaling: { headroom: { forecast: '2h' } } },
      'spec.scaling.headroom.forecast',
      /is not between 10s and 1h/,
    ],
    [
      'a headroom of no size',
      { scaling: { headroom: {} } },
      'spec.scaling.headroom',
      /needs replicas or forecast/,
    ],
    [
      'a headroom in mode Fixed',
      { scaling: { mode: 'Fixed', headroom: { replicas: 1 } } },
      'spec.scaling.headroom',
      /mode: SLA/,
    ],
    [
      'promises that fall',
      { sla: { latency: { p50: '60ms', p99: '50ms' }, window: '5m' } },
      'spec.sla.latency.p50',
      /p50 is 60ms and p99 is 50ms/,
    ],
    [
      'a promise of nothing',
      { sla: { latency: { p50: '0ms' }, window: '5m' } },
      'spec.sla.latency.p50',
      /longer than 0/,
    ],
    [
      'a label key with two slashes',
      { runtime: { pod: { labels: { 'a/b/c': 'x' } } } },
      'spec.runtime.pod.labels',
      /"a\/b\/c" is no key/,
    ],
    [
      'a label value with a blank',
      { runtime: { pod: { labels: { team: 'zoo logy' } } } },
      'spec.runtime.pod.labels',
      /team is "zoo logy"/,
    ],
    [
      'a node label that cannot be',
      { runtime: { pod: { nodeSelector: { disk: '-' } } } },
      'spec.runtime.pod.nodeSelector',
      /disk is "-"/,
    ],
    [
      'an annotation without a name',
      { runtime: { pod: { annotations: { 'example.com/': 'any text!' } } } },
      'spec.runtime.pod.annotations',
      /"example\.com\/" is no key/,
    ],
    [
      'a resource that is none',
      { runtime: { resources: { requests: { foo: '1' } } } },
      'spec.runtime.resources.requests.foo',
      /nvidia\.com\/gpu/,
    ],
    ['an sla that promises nothing', { sla: { window: '5m' } }, 'spec.sla', /leave sla out/],
    [
      'a window too short',
      { sla: { errorRate: '1%', window: '1s' } },
      'spec.sla.window',
      /not between 10s and 1h/,
    ],
    ['a timeout too long', { traffic: { timeout: '2h' } }, 'spec.traffic.timeout', /not between 10ms and 1h/],
    [
      'a deadline too short',
      { rollout: { progressDeadline: '1s' } },
      'spec.rollout.progressDeadline',
      /10s and 24h/,
    ],
    [
      'a minimum above the maximum',
      { scaling: { minReplicas: 3, maxReplicas: 2 } },
      'spec.scaling.minReplicas',
      /3 .* 2/,
    ],
    [
      'a limit in mode Fixed',
      { scaling: { mode: 'Fixed', maxReplicas: 2 } },
      'spec.scaling.maxReplicas',
      /mode: SLA/,
    ],
    ['a block of a newer release', { tomorrow: {} } as SpecPart, 'spec', /tomorrow/],
    ['a value of a newer release', { scaling: { mode: 'Magic' as never } }, 'spec.scaling.mode', /./],
  ])('%s is named', (_, spec, field, message) => {
    const [first] = problems(spec);
    expect(first?.field).toBe(field);
    expect(first?.message).toMatch(message);
  });

  test('keys, values and resources that Kubernetes takes are no problem', () => {
    const runtime = {
      image: 'example.com/gpu:1',
      pod: {
        labels: { team: 'zoology', 'example.com/cost-centre': '' },
        nodeSelector: { 'kubernetes.io/arch': 'amd64' },
        annotations: { 'example.com/note': 'any text, however long!' },
      },
      resources: { limits: { 'nvidia.com/gpu': '1', 'ephemeral-storage': '1Gi', 'hugepages-2Mi': '4Mi' } },
    };
    expect(problems({ runtime })).toEqual([]);
  });

  test('the message never holds the password', () => {
    expect(JSON.stringify(problems(uri('https://me:secret@host/x.onnx')))).not.toContain('secret');
  });

  test('concerns tells blocks apart by their whole name', () => {
    const found = [{ field: 'spec.scaling.minReplicas', message: '' }];
    expect([concerns(found, 'scaling'), concerns(found, 'scal'), concerns(found, 'sla', 'traffic')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('an invalid spec', () => {
  test('keeps the last good limits, live settings and revision of its invalid blocks, and takes the others', () => {
    const world = new World(3);
    world.settle();
    const revision = world.deployment.status?.stable?.revision;
    const config = JSON.stringify(world.children().configMaps);
    world.write({
      model: { uri: 'file:///etc/shadow' },
      traffic: { timeout: '9h' },
      access: { networkPolicy: 'Restricted' },
      scaling: { replicas: 4 },
    });
    world.settle();
    expect(world.deployment.status?.stable?.revision).toBe(revision);
    expect(JSON.stringify(world.children().configMaps)).toBe(config);
    expect(world.children().networkPolicies).toHaveLength(1);
    expect(world.deployments()[0]?.spec.replicas).toBe(4);
    world.write({ scaling: { mode: 'SLA', minReplicas: 5, maxReplicas: 1 } });
    world.settle();
    expect(world.deployments()[0]?.spec.replicas).toBe(4);
    expect(world.ready).toBe(4);
  });

  test('does not try the revision again that failed before it, and tells no rollout', () => {
    const world = new World(1);
    world.settle();
    world.write({ model: { uri: 'file:///samples/none.onnx' } }, 'model-missing');
    world.settle();
    const { number } = world.deployment.status?.rollout ?? {};
    const told = world.events.length;
    world.write({ model: { uri: 'file:///etc/shadow' } });
    world.settle();
    expect(world.deployment.status?.rollout?.number).toBe(number);
    expect(world.events.slice(told).filter((event) => event.includes('Rollout'))).toEqual([]);
    expect(world.ready).toBe(1);
  });

  test.each<[string, SpecPart, string]>([
    ['a latency', { sla: { latency: { p95: 'soon' }, window: '5m' } }, 'spec.sla.latency.p95'],
    ['a window', { sla: { errorRate: '1%', window: 'long' } }, 'spec.sla.window'],
    ['a timeout', { traffic: { timeout: 'never' } }, 'spec.traffic.timeout'],
    ['a deadline', { rollout: { progressDeadline: 'late' } }, 'spec.rollout.progressDeadline'],
  ])('%s that does not parse, let through by an old CRD, is named and breaks nothing', (_, spec, field) => {
    const world = new World(1);
    world.settle();
    world.write(spec);
    world.settle();
    expect(world.ready).toBe(1);
    const stalled = world.deployment.status?.conditions?.find(({ type }) => type === 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', reason: 'SpecInvalid' });
    expect(stalled?.message).toContain(field);
  });

  test('never throws, whatever passes the schema', () => {
    const text = fc.oneof(
      fc.constantFrom(
        'file:///samples/../x',
        'pvc://a/b',
        'https://h/x',
        'https://%',
        'file:///samples/__proto__',
      ),
      fc.string({ minLength: 8, maxLength: 80 }),
    );
    fc.assert(
      fc.property(
        text,
        fc.nat(20),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
        (address, count, map) => {
          const deployment = makeDeployment({
            model: { uri: address },
            runtime: { pod: { labels: map, annotations: map, nodeSelector: map } },
            scaling: { minReplicas: count, maxReplicas: 10 },
          });
          const decided = plan(makeSnapshot({ deployment }));
          expect(decided.status?.conditions).toHaveLength(6);
          for (const { message } of decided.status?.conditions ?? [])
            expect(message.length).toBeLessThanOrEqual(1_024);
        },
      ),
      { numRuns: 200 },
    );
  });
});
