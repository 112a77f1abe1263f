/** Replays the tables of the patch and schema modules over HTTP: what was recorded from a real server must come again. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { customCases, customSchema } from '../../crds/structural/testing/custom-cases.ts';
import { customScenarios, thingSchema } from '../../local/apiserver/patch/testing/custom-scenarios.ts';
import { visible } from '../../local/apiserver/patch/testing/replay.ts';
import { builtInScenarios, type Scenario, type Step } from '../../local/apiserver/patch/testing/scenarios.ts';
import { type BuiltInCase, deploymentCases } from '../../local/apiserver/schema/testing/built-in-cases.ts';
import { definitionCases } from '../../local/apiserver/schema/testing/definition-cases.ts';
import { otherCases } from '../../local/apiserver/schema/testing/other-cases.ts';
import type { Answer } from './support/client.ts';
import { openCluster } from './support/cluster.ts';

const api = await openCluster();
const read = (path: string) =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')) as Record<string, unknown>;

const crd = (plural: string, kind: string, schema: unknown, version: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.s.example.com` },
  spec: {
    group: 's.example.com',
    scope: 'Namespaced',
    names: { plural, kind },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
  },
});
await api.install(crd('things', 'Thing', thingSchema, { subresources: { status: {} } }));
const others = await api.install(crd('others', 'Other', customSchema));

const plurals: Record<string, string> = {
  Deployment: 'deployments',
  ConfigMap: 'configmaps',
  Service: 'services',
  Thing: 'things',
  Secret: 'secrets',
  PodDisruptionBudget: 'poddisruptionbudgets',
  NetworkPolicy: 'networkpolicies',
  Ingress: 'ingresses',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Lease: 'leases',
  HorizontalPodAutoscaler: 'horizontalpodautoscalers',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  EndpointSlice: 'endpointslices',
  ControllerRevision: 'controllerrevisions',
};
const withoutName = (text = '') => text.replace(/^[A-Z]\w*(\.[\w.]+)? "[^"]*" is invalid: /, '');
/** Go writes the fields of a struct in its own order. */
const withoutValue = (text: string) => text.replace(/Invalid value: [[{].*[\]}]: /, 'Invalid value: …: ');
/** A real server lists some causes twice. */
const causesOf = ({ body }: Answer) => [
  ...new Set(
    (body.details?.causes ?? [])
      .map((cause) =>
        withoutValue(`${cause.field}: ${cause.message}`).replace(
          /Unsupported value: \{.*\}: /,
          'Unsupported value: …: ',
        ),
      )
      .sort(),
  ),
];

function write(base: string, step: Step): Promise<Answer> {
  const query = { fieldManager: step.manager };
  const path = `${base}/x${step.subresource === undefined ? '' : `/${step.subresource}`}`;
  switch (step.verb) {
    case 'create':
      return api.post(base, step.body, query);
    case 'replace':
      return api.put(path, step.body, query);
    case 'merge':
      return api.mergePatch(path, step.body, query);
    case 'strategic':
      return api.strategicPatch(path, step.body, query);
    case 'json':
      return api.jsonPatch(path, step.body, query);
    default:
      return api.apply(path, step.manager, step.body, { force: step.force ?? false });
  }
}

interface Recorded {
  readonly object?: object;
  readonly error?: string;
  readonly status?: number;
}

describe('sequences of writes', () => {
  const recorded = read('local/apiserver/patch/testing/recorded.json') as Record<string, Recorded[]>;
  test.each([...builtInScenarios, ...customScenarios].map((row) => [row.name, row] as const))(
    '%s',
    async (name, scenario: Scenario) => {
      const { path, kind } = scenario.resource;
      const base = `${path}/namespaces/${api.namespace}/${plurals[kind]}`;
      const outcomes: Recorded[] = [];
      for (const step of scenario.steps) {
        const answer = await write(base, step);
        outcomes.push(
          answer.status < 300
            ? { object: visible(answer.body) }
            : { error: withoutName(answer.body.message), status: answer.status },
        );
      }
      await api.mergePatch(`${base}/x`, { metadata: { finalizers: null } });
      await api.delete(`${base}/x`);
      const wanted = (recorded[name] ?? []).map(({ object, error, status }) =>
        error === undefined ? { object } : { error: withoutName(error), status },
      );
      expect(outcomes).toEqual(wanted);
    },
  );
});

describe.each([
  ['Deployments', deploymentCases],
  ['other built-in kinds', otherCases],
])('verdicts on %s', (_, cases: readonly BuiltInCase[]) => {
  test.each(cases.map((row) => [row.name, row] as const))('%s', async (__, row) => {
    const { apiVersion, kind } = row.object;
    const path = `${apiVersion === 'v1' ? '/api' : '/apis'}/${apiVersion}/namespaces/${api.namespace}`;
    const answer = await api.post(`${path}/${plurals[kind ?? '']}`, row.object, { dryRun: 'All' });
    if (row.decode !== undefined) {
      expect(`${answer.status} ${answer.body.message}`).toBe(`400 ${row.decode}`);
      return;
    }
    const wanted = row.errors
      .map((text) => withoutValue(text).replace(/Unsupported value: \{.*\}: /, 'Unsupported value: …: '))
      .sort();
    expect([answer.status, causesOf(answer)]).toEqual([wanted.length === 0 ? 201 : 422, wanted]);
  });
});

describe('verdicts on definitions', () => {
  const recorded = read('local/apiserver/schema/testing/definition-recorded.json') as Record<
    string,
    string[]
  >;
  test.each(definitionCases.map((row) => [row.name, row.object] as const))('%s', async (name, object) => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    // An accepted definition meets the one that this file installed.
    const answer = await api.post(path, object, { dryRun: 'All' });
    const wanted = (recorded[name] ?? []).map(withoutValue).sort();
    expect([answer.status, causesOf(answer)]).toEqual([wanted.length === 0 ? 409 : 422, wanted]);
  });
});

describe('verdicts on custom resources', () => {
  const recorded = read('crds/structural/testing/custom-recorded.json') as Record<
    string,
    { spec?: unknown; errors?: string[] }
  >;
  const body = (spec: unknown, resourceVersion?: string) => ({
    apiVersion: 's.example.com/v1',
    kind: 'Other',
    metadata: { name: 'x', ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec,
  });
  test.each(customCases.map((row) => [row.name, row] as const))('%s', async (name, row) => {
    let answer: Answer;
    if (row.old === undefined) answer = await api.post(others, body(row.spec), { dryRun: 'All' });
    else {
      const made = await api.post(others, body(row.old));
      answer = await api.put(`${others}/x`, body(row.spec, made.body.metadata.resourceVersion), {
        dryRun: 'All',
      });
      await api.delete(`${others}/x`);
    }
    const real = recorded[name];
    expect(causesOf(answer)).toEqual((real?.errors ?? []).map(withoutValue).sort());
    if (real?.spec !== undefined) expect(answer.body.spec).toEqual(real.spec);
  });
});
