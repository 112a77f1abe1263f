/** Every field and every rule of ModelDeployment: the offline check and the server give one verdict in one set of words. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { manifestProblems, modelDeploymentSchema, specErrors } from '../../crds/manifest-check.ts';
import { compileSchema } from '../../crds/structural/compile.ts';
import type { SchemaNode } from '../../crds/structural/schema-node.ts';
import { accepted } from './support/accepted-models.ts';
import { type CustomDefinition, openCluster } from './support/cluster.ts';
import { fieldCases, unusedFields } from './support/field-cases.ts';
import { refused } from './support/refused-models.ts';
import { wholeSpec } from './support/whole-model.ts';
import { causes, said } from './support/words.ts';

const api = await openCluster();
const path = join(import.meta.dirname, '../../crds/generated/modeldeployment.crd.yaml');
const definition = load(readFileSync(path, 'utf8')) as CustomDefinition;
const collection = await api.install(definition);
const schema = modelDeploymentSchema().schema;
const spec = schema.properties?.spec as SchemaNode;

const manifest = (of: object | undefined) => ({
  apiVersion: 'ballast.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'wine', namespace: api.namespace },
  ...(of === undefined ? {} : { spec: of }),
});
const offline = (of: object | undefined) => {
  const whole = modelDeploymentSchema();
  const errors = specErrors(whole.applyDefaults(whole.prune(manifest(of))));
  return errors
    .map(({ field, reason, body }) => `${field === '' ? '<nil>' : field} | ${reason} | ${body}`)
    .sort();
};

describe('fields', () => {
  test('the whole spec uses every one, and is taken', async () => {
    expect(unusedFields(spec, wholeSpec)).toEqual([]);
    expect(offline(wholeSpec)).toEqual([]);
    const answer = await api.post(collection, manifest(wholeSpec), {
      dryRun: 'All',
      fieldValidation: 'Strict',
    });
    expect(said(answer)).toBe('201');
  });

  const cases = fieldCases(spec, wholeSpec);
  test('there are cases for all', () => expect(cases.length).toBeGreaterThan(150));

  test.each(cases)('%s', async (_, bad) => {
    const answer = await api.post(collection, manifest(bad), { dryRun: 'All' });
    // What starts with a dot is the scale subresource's, which only a server has.
    const told = causes(answer).filter((cause) => !cause.startsWith('.'));
    expect([answer.status, told.sort()]).toEqual([422, offline(bad)]);
  });
});

describe('ballast lint', () => {
  test.each(refused)('says of %s what the server says', async (_, bad) => {
    const answer = await api.post(collection, manifest(bad), { dryRun: 'All' });
    const told = (answer.body.details?.causes ?? [])
      .filter(({ field = '' }) => !field.startsWith('.'))
      .map(({ field, message }) => `${field}: ${message}`);
    expect(manifestProblems(manifest(bad)).sort()).toEqual(told.sort());
  });
});

interface Rule {
  readonly rule: string;
  readonly message?: string;
}

/** Every place with rules, as a function that gives the schema without one of them. */
function* rulesOf(
  node: SchemaNode,
  rebuild: (node: SchemaNode) => SchemaNode,
): Generator<[Rule, () => SchemaNode]> {
  const rules = (node['x-kubernetes-validations'] ?? []) as readonly Rule[];
  for (const rule of rules)
    yield [
      rule,
      () =>
        rebuild({ ...node, 'x-kubernetes-validations': rules.filter((one) => one !== rule) } as SchemaNode),
    ];
  for (const [name, inner] of Object.entries(node.properties ?? {}))
    yield* rulesOf(inner, (made) => rebuild({ ...node, properties: { ...node.properties, [name]: made } }));
  if (node.items !== undefined) yield* rulesOf(node.items, (items) => rebuild({ ...node, items }));
}

describe('CEL rules', () => {
  const all = [...rulesOf(schema, (node) => node)];
  const texts = (errors: readonly { field: string; body: string }[]) =>
    errors.map(({ field, body }) => `${field} ${body}`).sort();
  const named = (name: string, of: object) => ({ ...manifest(of), metadata: { name } });
  const bad = [...refused.map(([, of]) => manifest(of)), named('Wine', { model: wholeSpec.model })];

  test('there are some', () => expect(all.length).toBeGreaterThan(20));

  test.each(all.map(([rule, without]) => [rule.message ?? rule.rule, without] as const))(
    'a refused manifest would be missed without: %s',
    (_, without) => {
      const less = compileSchema(without());
      const whole = modelDeploymentSchema();
      const missed = bad.some((object) => {
        const prepared = whole.applyDefaults(whole.prune(object));
        return texts(less.judge(prepared)).join() !== texts(whole.judge(prepared)).join();
      });
      expect(missed).toBe(true);
    },
  );

  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  /** The definition under another name, with every bound so many times as wide. */
  const wider = (factor: number) => {
    const copy = JSON.parse(JSON.stringify(definition), (key, value: unknown) =>
      ['maxLength', 'maxItems', 'maxProperties'].includes(key) && typeof value === 'number'
        ? value * factor
        : value,
    );
    copy.metadata.name = 'modeldeployments.wider.test';
    copy.spec.group = 'wider.test';
    return copy;
  };

  // Rules of items of a list that compare strings grow by both bounds: ten times each is a hundred times the cost.
  test('their estimated cost leaves a margin: with every bound ten times as wide the definition is taken', async () => {
    const answer = await api.post(crds, wider(10), { dryRun: 'All' });
    expect([said(answer), causes(answer)]).toEqual(['201', []]);
  });

  test('there is a budget: a rule that compares each variable with each other passes it', async () => {
    const dear = wider(10);
    const env =
      dear.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.runtime.properties.env;
    env['x-kubernetes-validations'] = [
      {
        rule: 'self.all(a, self.all(b, self.all(c, a.name != b.name || b.name != c.name)))',
        message: 'dear',
      },
    ];
    const answer = await api.post(crds, dear, { dryRun: 'All' });
    expect([answer.status, causes(answer).some((one) => /exceeds budget by factor of/.test(one))]).toEqual([
      422,
      true,
    ]);
  });
});

test('the tables have more good and bad manifests than fifty', () => {
  expect(accepted.length + refused.length).toBeGreaterThan(50);
});
