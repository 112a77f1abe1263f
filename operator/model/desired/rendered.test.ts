/** Every rendered object against its golden file, and what must hold for every pod that is ever rendered. */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { PodTemplateSpec } from '../../../kube/objects.ts';
import { withHash } from '../child-plan.ts';
import { differences } from '../difference.ts';
import { revisionHash } from '../hash.ts';
import { plan } from '../plan.ts';
import { makeDeployment, makeSnapshot, type SpecPart, sha, testDefaults } from '../testing/builders.ts';
import { expectGolden } from '../testing/golden.ts';
import { desiredDeployment } from './deployment.ts';
import { renderPodTemplate, resourcesOf } from './pod-template.ts';
import { canonicalQuantity } from './quantity.ts';

const whole: SpecPart = {
  model: { uri: 'https://models.example.com/wine.onnx', sha256: sha('a'), version: '2026-11-01' },
  runtime: {
    image: 'registry.example.com/pods/gpu:9',
    resources: {
      requests: { cpu: '0.5', memory: '1024Mi' },
      limits: { cpu: 2, memory: '2Gi', 'nvidia.com/gpu': 1 },
    },
    threads: 2,
    batching: { maxSize: 64, maxDelay: '5ms' },
    concurrency: { maxInFlight: 1000, maxQueue: 200 },
    warmup: { duration: '2s' },
    limits: { maxBodyBytes: 1_048_576 },
    env: [
      { name: 'ORT_LOG', value: '$(HOME) is literal' },
      { name: 'EMPTY', value: '' },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'store', key: 'password' } } },
    ],
    pod: {
      nodeSelector: { disktype: 'ssd' },
      tolerations: [{ key: 'models', operator: 'Exists', effect: 'NoSchedule' }],
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
      },
      topologySpread: [{ topologyKey: 'rack', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' }],
      priorityClassName: 'high',
      serviceAccountName: 'wine-reader',
      imagePullSecrets: [{ name: 'login' }],
      labels: { team: 'shop', 'ballast.dev/role': 'forged' },
      annotations: { note: 'hand-written' },
    },
  },
  sla: { latency: { p95: '50ms', p99: '100ms' }, errorRate: '0.1%', window: '5m' },
  traffic: { timeout: '90s', shedAt: 'SLA' },
  scaling: { minReplicas: 2 },
  rollout: { restartedAt: '2026-11-24T10:00:00Z' },
  access: { networkPolicy: 'Restricted' },
};

const specs: Record<string, SpecPart> = {
  least: {},
  claim: { model: { uri: 'pvc://models/wine/model.onnx' }, access: { networkPolicy: 'Restricted' } },
  contract: {
    contract: {
      inputs: [{ name: 'features', columns: [0], min: '0', max: '20' }],
      outputs: [
        { name: 'probabilities', min: '0', max: '1', sumTo: '1', action: 'Reject' },
        { name: 'label', values: ['$(HOME)', '$$(HOME)', "it's"] },
      ],
    },
  },
  whole,
};

describe('children of a new ModelDeployment', () => {
  test.each(Object.entries(specs))('spec "%s" renders what was agreed', (name, spec) => {
    const { apply } = plan(makeSnapshot({ deployment: makeDeployment(spec) }));
    const text = apply.map(({ kind, object }) => `# ${kind}\n${JSON.stringify(object, null, 2)}`).join('\n');
    expectGolden(join(import.meta.dirname, 'golden', `${name}.txt`), `${text}\n`);
  });

  test('what was applied and read back with its zero values left out is no difference', () => {
    const { apply } = plan(makeSnapshot({ deployment: makeDeployment(whole) }));
    const readBack = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(readBack);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, inner]) => inner !== '' && inner !== false)
          .map(([key, inner]) => [key, readBack(inner)]),
      );
    };
    for (const { object } of apply)
      expect(differences(object, { ...(readBack(object) as object), status: { defaulted: true } })).toEqual(
        [],
      );
  });
});

/** Names of the rules of the restricted Pod Security Standard, and of ours, that a pod breaks. */
function violations({ spec }: PodTemplateSpec): string[] {
  const found: string[] = [];
  const rule = (holds: boolean, name: string) => void (holds || found.push(name));
  const pod = spec as unknown as Record<string, unknown>;
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) rule(pod[key] !== true, key);
  rule(spec.automountServiceAccountToken === false, 'token is mounted');
  rule(spec.enableServiceLinks === false, 'service links');
  rule(spec.securityContext?.runAsNonRoot === true, 'pod may run as root');
  rule(spec.securityContext?.runAsUser === undefined, 'runAsUser is OpenShift’s to choose');
  const allowed = ['name', 'configMap', 'emptyDir', 'projected', 'secret', 'persistentVolumeClaim'];
  for (const volume of spec.volumes ?? [])
    for (const key of Object.keys(volume)) rule(allowed.includes(key), `volume ${key}`);
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const security = container.securityContext ?? {};
    rule(security.allowPrivilegeEscalation === false, `${container.name} may escalate`);
    rule(security.privileged !== true, `${container.name} is privileged`);
    rule(security.readOnlyRootFilesystem === true, `${container.name} writes its root`);
    rule(security.runAsNonRoot === true, `${container.name} may run as root`);
    rule(
      JSON.stringify(security.capabilities) === '{"drop":["ALL"]}',
      `${container.name} keeps capabilities`,
    );
    rule(
      JSON.stringify(security.seccompProfile) === '{"type":"RuntimeDefault"}',
      `${container.name} has no seccomp profile`,
    );
    rule(container.resources?.requests?.cpu !== undefined, `${container.name} asks for no CPU`);
    rule(container.resources?.limits?.memory !== undefined, `${container.name} has no memory limit`);
  }
  const [serve] = spec.containers;
  rule(serve?.readinessProbe !== undefined && serve.livenessProbe !== undefined, 'probes');
  rule(!serve?.volumeMounts?.some((mount) => mount.name === 'claim'), 'serving container sees the claim');
  rule(serve?.volumeMounts?.every((mount) => mount.readOnly === true) === true, 'serving container writes');
  return found;
}

describe('pods', () => {
  test.each(Object.entries(specs))('spec "%s" is clean under the restricted profile', (_, spec) => {
    expect(violations(renderPodTemplate(makeDeployment(spec), 'r1', testDefaults))).toEqual([]);
  });

  test('selector labels cannot be forged by the user', () => {
    const { metadata } = renderPodTemplate(makeDeployment(whole), 'r1', testDefaults);
    expect(metadata?.labels).toMatchObject({ 'ballast.dev/role': 'serving', 'ballast.dev/revision': 'r1' });
  });

  test('devices and the claim go to one container each', () => {
    const { spec } = renderPodTemplate(makeDeployment(whole), 'r1', testDefaults);
    expect(spec.initContainers?.[0]?.resources?.limits).toEqual({ cpu: '2', memory: '2Gi' });
    expect(spec.containers[0]?.resources?.limits).toEqual({ cpu: '2', memory: '2Gi', 'nvidia.com/gpu': '1' });
  });

  test('a limit below the default request bounds the request', () => {
    expect(resourcesOf({ resources: { limits: { cpu: '250m' } } }).requests).toMatchObject({ cpu: '250m' });
  });

  test('grace outlasts the timeout', () => {
    const grace = (timeout: string) =>
      renderPodTemplate(makeDeployment({ traffic: { timeout } }), 'r', testDefaults).spec
        .terminationGracePeriodSeconds;
    expect([grace('1s'), grace('90s'), grace('1h')]).toEqual([60, 105, 3_615]);
  });

  test('restartedAt is an annotation of the pod and no part of the revision', () => {
    const at = (restartedAt: string) => makeDeployment({ rollout: { restartedAt } });
    expect(revisionHash(at('a').spec)).toBe(revisionHash(at('b').spec));
    const template = renderPodTemplate(at('a'), 'r', testDefaults);
    expect(template).toEqual(renderPodTemplate(at('b'), 'r', testDefaults));
    expect(desiredDeployment(at('a'), 'r', template, 1).spec.template.metadata?.annotations).toEqual({
      ...template.metadata?.annotations,
      'ballast.dev/restarted-at': 'a',
    });
  });
});

describe('revision hash', () => {
  const hash = (spec: SpecPart) => revisionHash(makeDeployment(spec).spec);
  const base = { model: { uri: 'file:///samples/wine/model.onnx' } };

  test('is the same in every release: these are names in live clusters', () => {
    expect(hash({})).toBe('pz5wh8qggh');
    expect(hash(whole)).toBe('0fs9xf83c4');
    const { batching: _batching, concurrency: _concurrency, warmup: _warmup, ...older } = whole.runtime ?? {};
    expect(hash({ ...whole, runtime: older })).toBe('33thta62t7');
  });

  test.each<[string, SpecPart, SpecPart, boolean]>([
    ['sla, traffic, scaling and access change no revision', base, { ...whole, ...base, runtime: {} }, true],
    ['an empty runtime is no runtime', base, { ...base, runtime: {} }, true],
    [
      'the order of fields does not matter',
      { runtime: { threads: 1, image: 'a' } },
      { runtime: { image: 'a', threads: 1 } },
      true,
    ],
    ['the model matters', base, { model: { uri: 'file:///samples/other/model.onnx' } }, false],
    ['the digest matters', base, { model: { ...base.model, sha256: sha('a') } }, false],
    ['the runtime matters', base, { ...base, runtime: { threads: 2 } }, false],
    [
      'the contract matters',
      { contract: { inputs: [{ name: 'x', min: '0' }] } },
      { contract: { inputs: [{ name: 'x', min: '1' }] } },
      false,
    ],
  ])('%s', (_, a, b, same) => {
    expect(hash(a) === hash(b)).toBe(same);
  });
});

describe('an upgrade of the operator', () => {
  test('changes nothing of a live revision though its default image is another', () => {
    const deployment = makeDeployment();
    const first = plan(makeSnapshot({ deployment }));
    const of = (kind: string) =>
      first.apply.filter((action) => action.kind === kind).map(({ object }) => object);
    const children = Object.fromEntries(
      [
        'serviceAccounts',
        'configMaps',
        'controllerRevisions',
        'services',
        'networkPolicies',
        'deployments',
        'podDisruptionBudgets',
      ].map((kind) => [kind, of(kind)]),
    ) as unknown as ReturnType<typeof makeSnapshot>['children'];
    const status = first.status;
    const live: ModelDeployment = { ...deployment, ...(status === undefined ? {} : { status }) };
    const next = plan(
      makeSnapshot({
        deployment: live,
        children,
        defaults: { ...testDefaults, image: 'ballast/inference-pod:2.0.0' },
      }),
    );
    expect(next.apply).toEqual([]);
    expect(next.delete).toEqual([]);
    expect(next.status).toBeUndefined();
  });
});

describe('canonical quantities', () => {
  test.each([
    ['0.5', '500m'],
    ['1000m', '1'],
    [2, '2'],
    ['1.5', '1500m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['512Mi', '512Mi'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1G', '1G'],
    ['1e3', '1e3'],
    ['0', '0'],
    ['0.5Ki', '512'],
    ['100', '100'],
    ['no quantity', 'no quantity'],
  ])('%s is %s', (given, wanted) => {
    expect(canonicalQuantity(given)).toBe(wanted);
  });

  test('a canonical quantity is its own canonical form', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 100_000 }),
        fc.constantFrom('m', '', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3'),
        (value, suffix) => {
          const once = canonicalQuantity(`${value}${suffix}`);
          expect(canonicalQuantity(once)).toBe(once);
        },
      ),
    );
  });
});

describe('differences', () => {
  const desired = withHash({
    metadata: { name: 'x', labels: { a: '1' } },
    spec: {
      replicas: 2,
      args: ['serve'],
      env: [{ name: 'A', value: '1' }],
      on: false,
      selector: { app: 'x' },
      rules: [{ podSelector: { matchLabels: { app: 'x' } } }],
    },
  } as never).object as unknown as { spec: Record<string, unknown>; metadata: Record<string, unknown> };
  const live = (spec: Record<string, unknown>) => ({ ...desired, spec: { ...desired.spec, ...spec } });

  test.each<[string, object, string[]]>([
    ['nothing changed', live({}), []],
    ['defaults were added', live({ extra: 1, on: undefined }), []],
    [
      'a list that is merged by key has more',
      live({ env: [{ name: 'B' }, { name: 'A', value: '1', x: 1 }] }),
      [],
    ],
    ['a value was changed', live({ replicas: 5 }), ['spec.replicas']],
    ['a list that is one value has more', live({ args: ['serve', '--evil'] }), ['spec.args']],
    ['an item was changed', live({ env: [{ name: 'A', value: '2' }] }), ['spec.env[A].value']],
    ['an item was taken away', live({ env: [] }), ['spec.env[A]']],
    ['a selector has a key more', live({ selector: { app: 'x', foo: 'bar' } }), ['spec.selector']],
    ['a selector has another value', live({ selector: { app: 'y' } }), ['spec.selector.app']],
    [
      'a label selector has a key more, further down',
      live({ rules: [{ podSelector: { matchLabels: { app: 'x', foo: 'bar' } } }] }),
      ['spec.rules[0].podSelector'],
    ],
  ])('%s', (_, object, paths) => {
    expect(differences(desired, object)).toEqual(paths);
  });
});
