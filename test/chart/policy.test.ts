/** What scanners look for, over all that the chart renders and all that the operator makes of a ModelDeployment. */
import { describe, expect, test } from '@jest/globals';
import type { Deployment } from '../../kube/objects.ts';
import { placeholders } from '../../operator/model/headroom/objects.ts';
import { plan } from '../../operator/model/plan.ts';
import { makeDeployment, makeSnapshot, type SpecPart } from '../../operator/model/testing/builders.ts';
import { applyViolations, objectViolations, podsOf, podViolations } from './support/policy.ts';
import { type Manifest, ofKind, releaseNamespace, render, scenarios } from './support/render.ts';
import { type Rule, rolesOf, ruleViolations } from './support/rules.ts';

const rendered = scenarios.map(({ name, words }) => ({ name, objects: render(words) }));

describe.each(rendered)('the chart with values $name', ({ objects }) => {
  test('fits Pod Security restricted and the usual scanners', () => {
    expect(objects.flatMap(podsOf).length).toBeGreaterThan(1);
    expect(objectViolations(objects)).toEqual([]);
  });
  test('gives the operator no right beyond its list', () => {
    expect(rolesOf(objects).length).toBeGreaterThan(1);
    expect(ruleViolations(objects)).toEqual([]);
  });
  test('holds nothing that server-side apply stumbles over', () => {
    expect(
      objects.flatMap((object) => applyViolations(object, `${object.kind} ${object.metadata.name}`)),
    ).toEqual([]);
  });
});

test('no ClusterRole is made in namespaced mode, none but the nodes one with nodes.read', () => {
  const kinds = (words: string[]) =>
    render(words)
      .filter(({ kind }) => kind.startsWith('Cluster'))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(kinds([])).toEqual([]);
  expect(kinds(['--set', 'watch.namespaces={team-a,team-b}'])).toEqual([]);
  expect(kinds(['--set', 'nodes.read=true'])).toEqual([
    `ClusterRole ${releaseNamespace}:ballast-nodes`,
    `ClusterRoleBinding ${releaseNamespace}:ballast-nodes`,
  ]);
});

const specs: Record<string, SpecPart> = {
  sample: {},
  'every field': {
    model: { uri: 'https://models.example.com/wine.onnx', sha256: 'a'.repeat(64), version: '1' },
    runtime: {
      resources: { limits: { cpu: '2', memory: '1Gi' } },
      env: [{ name: 'LEVEL', value: 'debug' }],
      pod: { labels: { team: 'a' }, annotations: { 'test.dev/a': 'b' }, nodeSelector: { a: 'b' } },
    },
    sla: { latency: { p95: '50ms' }, errorRate: '0.1%', window: '1m' },
    scaling: { minReplicas: 2, maxReplicas: 4 },
    access: { networkPolicy: 'Restricted' },
  },
  claim: { model: { uri: 'pvc://models/wine.onnx' }, scaling: { mode: 'Fixed', replicas: 3 } },
};

describe.each(Object.entries(specs))('children of a ModelDeployment: %s', (_, spec) => {
  const children = plan(makeSnapshot({ deployment: makeDeployment(spec) })).apply.map(
    ({ object }) => object as unknown as Manifest,
  );
  test('fit Pod Security restricted and the usual scanners', () => {
    expect(ofKind(children, 'Deployment').length).toBe(1);
    expect(ofKind(children, 'ControllerRevision').length).toBe(1);
    expect(objectViolations(children)).toEqual([]);
  });
  test('hold nothing that server-side apply stumbles over, and no right at all', () => {
    expect(children.flatMap((child) => applyViolations(child, child.kind))).toEqual([]);
    expect(children.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
  });
  test('and the pods that keep room for it, which serve nothing and so have no probes', () => {
    const [model] = ofKind(children, 'Deployment') as unknown as Deployment[];
    if (model === undefined) throw new Error('no Deployment');
    const made = placeholders(makeDeployment(spec), model.spec.template, 1, {
      image: 'ballast/operator:1.2.3',
      priorityClassName: 'headroom',
    }) as unknown as Manifest;
    expect(podsOf(made).flatMap((pod) => podViolations({ ...pod, serves: false }))).toEqual([]);
    expect(applyViolations(made, made.kind)).toEqual([]);
  });
});

describe('the checks find what is wrong', () => {
  const [operator] = ofKind(render(), 'Deployment').flatMap(podsOf);
  if (operator === undefined) throw new Error('the chart renders no Deployment');
  const [container] = operator.spec.containers;
  const changed = (pod: object, inContainer: object = {}) =>
    podViolations({
      ...operator,
      spec: {
        ...operator.spec,
        ...pod,
        containers: [{ ...container, ...inContainer }],
      } as typeof operator.spec,
    });
  test.each([
    [{ hostNetwork: true }, {}, 'hostNetwork is on'],
    [{ automountServiceAccountToken: true }, {}, 'automountServiceAccountToken is not false'],
    [{ serviceAccountName: 'default' }, {}, 'no service account of its own'],
    [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, {}, 'volume v is hostPath'],
    [{}, { image: 'ballast/operator:latest' }, 'operator: image ballast/operator:latest is not pinned'],
    [{}, { image: 'localhost:5000/operator' }, 'operator: image localhost:5000/operator is not pinned'],
    [{}, { resources: { requests: { cpu: '1', memory: '1' } } }, 'operator: no memory limit'],
    [{}, { readinessProbe: undefined }, 'operator: no readinessProbe'],
    [{}, { env: [{ name: 'API_KEY', value: 'x' }] }, 'operator: API_KEY looks like a secret in clear'],
  ])('%j %j', (pod, inContainer, violation) => {
    expect(changed(pod, inContainer)).toEqual([violation]);
  });
  test('a container without a security context breaks five rules', () => {
    expect(changed({ securityContext: {} }, { securityContext: undefined })).toHaveLength(5);
    expect(podViolations({ ...operator, spec: { ...operator.spec, replicas: 2 }, replicas: 2 })).toEqual([
      'more than one replica and no spread',
    ]);
  });
  const role = (rule: Partial<Rule>): Manifest[] => [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'r', namespace: 'n' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['list'], ...rule }],
    },
  ];
  test.each<[Partial<Rule>, string]>([
    [{ verbs: ['*'] }, 'has a wildcard'],
    [{ apiGroups: ['*'] }, 'has a wildcard'],
    [{ resources: ['secrets'] }, 'gives secrets'],
    [{ resources: ['pods/exec'] }, 'gives pods/exec'],
    [{ verbs: ['create'] }, 'gives create on pods'],
    [
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['escalate'] },
      'gives escalate on roles.rbac.authorization.k8s.io',
    ],
    [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['update'] },
      'gives update on every Lease',
    ],
  ])('%j', (rule, violation) => {
    expect(ruleViolations(role(rule)).join()).toContain(violation);
    expect(ruleViolations(role({}))).toEqual([]);
  });
  test('null fields and keys given twice', () => {
    expect(applyViolations({ a: null, env: [{ name: 'A' }, { name: 'A' }] })).toEqual([
      '.a is null',
      '.env has A twice',
    ]);
  });
});
