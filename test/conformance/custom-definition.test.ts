import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { thingDefinition } from './support/objects.ts';
import { at, said, shortCauses } from './support/words.ts';

const api = await openCluster();
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
type Fields = Record<string, unknown>;

/** Creates a CRD as a dry run and gives the answer. */
const tried = (spec: Fields, options: Parameters<typeof thingDefinition>[2] = {}) =>
  api.post(crds, thingDefinition(`${api.unique('def')}.test`, spec, options), { dryRun: 'All' });
const specPath = 'spec.validation.openAPIV3Schema.properties[spec]';

describe('a definition is refused', () => {
  test.each<[string, Fields, string[]]>([
    [
      'without a type',
      { properties: { a: { type: 'string' } } },
      [
        `${specPath}.type | FieldValueRequired | Required value: must not be empty for specified object fields`,
      ],
    ],
    [
      'with a field without a type',
      { type: 'object', properties: { a: { description: 'x' } } },
      [
        `${specPath}.properties[a].type | FieldValueRequired | Required value: must not be empty for specified object fields`,
      ],
    ],
    [
      'with a list without items',
      { type: 'object', properties: { a: { type: 'array' } } },
      [`${specPath}.properties[a].items | FieldValueRequired | Required value: must be specified`],
    ],
    [
      'with an unknown type',
      { type: 'object', properties: { a: { type: 'text' } } },
      [
        `${specPath}.properties[a].type | FieldValueNotSupported | Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      ],
    ],
    [
      'with properties and additionalProperties',
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } },
      [
        `${specPath}.additionalProperties | FieldValueForbidden | Forbidden: additionalProperties and properties are mutual exclusive`,
      ],
    ],
    [
      'with a default that its schema refuses',
      { type: 'object', properties: { a: { type: 'integer', minimum: 5, default: 1 } } },
      [
        `${specPath}.properties[a].default | FieldValueInvalid | Invalid value: 1:  in body should be greater than or equal to 5`,
      ],
    ],
    [
      'with a map list without keys',
      {
        type: 'object',
        properties: {
          a: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            items: { type: 'object', properties: { k: { type: 'string' } } },
          },
        },
      },
      [
        `${specPath}.properties[a].x-kubernetes-list-map-keys | FieldValueRequired | Required value: must not be empty if x-kubernetes-list-type is map`,
      ],
    ],
    [
      'with a key that may be absent',
      {
        type: 'object',
        properties: {
          a: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['k'],
            items: { type: 'object', properties: { k: { type: 'string' } } },
          },
        },
      },
      [
        `${specPath}.properties[a].items.properties[k].default | FieldValueRequired | Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      ],
    ],
    [
      'with a pattern that is no regular expression',
      { type: 'object', properties: { a: { type: 'string', pattern: '(' } } },
      [
        `${specPath}.properties[a].pattern | FieldValueInvalid | Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: …`,
      ],
    ],
    [
      'with a look-ahead, which the server’s regular expressions do not have',
      { type: 'object', properties: { a: { type: 'string', pattern: '^(?=a)' } } },
      [
        `${specPath}.properties[a].pattern | FieldValueInvalid | Invalid value: "^(?=a)": must be a valid regular expression, but isn't: error parsing regexp: …`,
      ],
    ],
    [
      'with uniqueItems',
      { type: 'object', properties: { a: { type: 'array', uniqueItems: true, items: { type: 'string' } } } },
      [
        `${specPath}.properties[a].uniqueItems | FieldValueForbidden | Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
      ],
    ],
    [
      'with a rule that does not compile',
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        'x-kubernetes-validations': [{ rule: 'self.b == 1' }],
      },
      [
        `${specPath}.x-kubernetes-validations[0].rule | FieldValueInvalid | Invalid value: …: compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b == 1\n | ....^`,
      ],
    ],
    [
      'with a rule that is no condition',
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        'x-kubernetes-validations': [{ rule: 'self.a' }],
      },
      [
        `${specPath}.x-kubernetes-validations[0].rule | FieldValueInvalid | Invalid value: …: cel expression must evaluate to a bool`,
      ],
    ],
    [
      'with a rule without limits that costs too much',
      {
        type: 'object',
        properties: { a: { type: 'array', items: { type: 'string' } } },
        'x-kubernetes-validations': [{ rule: 'self.a.all(x, self.a.all(y, x == y))' }],
      },
      [],
    ],
  ])('%s', async (name, spec, wanted) => {
    const answer = await tried(spec);
    expect([answer.status, answer.body.reason]).toEqual([422, 'Invalid']);
    if (name.includes('costs too much'))
      expect(answer.body.message).toMatch(/exceeds budget by (a )?factor of/);
    else expect(shortCauses(answer)).toEqual(wanted);
  });

  test('with a name that is not plural.group', async () => {
    const definition = thingDefinition('named.test', { type: 'object' });
    const answer = await api.post(
      crds,
      { ...definition, metadata: { name: 'other.named.test' } },
      { dryRun: 'All' },
    );
    expect(shortCauses(answer)).toEqual([
      'metadata.name | FieldValueInvalid | Invalid value: "other.named.test": must be spec.names.plural+"."+spec.group',
    ]);
  });

  test('without a version that is stored', async () => {
    const answer = await tried({ type: 'object' }, { version: { storage: false } });
    expect(shortCauses(answer)).toEqual([
      'spec.versions | FieldValueInvalid | Invalid value: …: must have exactly one version marked as storage version',
      'status.storedVersions | FieldValueInvalid | Invalid value: …: must have at least one stored version',
    ]);
  });

  test('without a schema', async () => {
    const definition = thingDefinition('bare.test', { type: 'object' });
    const answer = await api.post(
      crds,
      {
        ...definition,
        spec: { ...definition.spec, versions: [{ name: 'v1', served: true, storage: true }] },
      },
      { dryRun: 'All' },
    );
    expect(shortCauses(answer)).toContain(
      'spec.versions[0].schema.openAPIV3Schema | FieldValueRequired | Required value',
    );
  });
});

describe('a definition that is taken', () => {
  const group = `${api.unique('taken')}.test`;

  test('gets its defaults, a status, and becomes Established', async () => {
    await api.install(thingDefinition(group, { type: 'object' }) as never);
    const { body } = await api.get(`${crds}/things.${group}`);
    expect(body.spec).toMatchObject({
      conversion: { strategy: 'None' },
      names: { singular: 'thing', listKind: 'ThingList' },
    });
    expect(body.status).toMatchObject({
      acceptedNames: { plural: 'things', kind: 'Thing', listKind: 'ThingList', singular: 'thing' },
      storedVersions: ['v1'],
    });
    const conditions = at(body, 'status.conditions') as { type: string; status: string; reason: string }[];
    expect(conditions.map((one) => [one.type, one.status, one.reason]).sort()).toEqual([
      ['Established', 'True', 'InitialNamesAccepted'],
      ['NamesAccepted', 'True', 'NoConflicts'],
    ]);
  });

  test('singular and listKind default from kind', async () => {
    const definition = thingDefinition(`${api.unique('short')}.test`, { type: 'object' });
    const names = { plural: 'things', kind: 'Thing' };
    const { body } = await api.post(
      crds,
      { ...definition, spec: { ...definition.spec, names } },
      { dryRun: 'All' },
    );
    expect(at(body, 'spec.names')).toEqual({
      plural: 'things',
      kind: 'Thing',
      singular: 'thing',
      listKind: 'ThingList',
    });
  });

  test('a changed schema is in effect for the next writes', async () => {
    const changing = `${api.unique('changing')}.test`;
    const things = await api.install(
      thingDefinition(changing, { type: 'object', properties: { a: { type: 'string' } } }) as never,
    );
    const path = `${crds}/things.${changing}`;
    const { body } = await api.get(path);
    const next = thingDefinition(changing, {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
    });
    const changed = await api.put(path, {
      ...next,
      metadata: { name: next.metadata.name, resourceVersion: body.metadata.resourceVersion },
    });
    expect([changed.status, changed.body.metadata.generation]).toEqual([200, 2]);
    const thing = {
      apiVersion: `${changing}/v1`,
      kind: 'Thing',
      metadata: { name: 'x' },
      spec: { a: '1', b: '2' },
    };
    const ask = () => api.post(things, thing, { dryRun: 'All' });
    const answer = await api.eventually(ask, (one) => at(one.body, 'spec.b') === '2');
    expect(answer.status).toBe(201);
  });

  test('deleting it deletes its objects and ends its paths', async () => {
    const going = `${api.unique('going')}.test`;
    const things = await api.install(thingDefinition(going, { type: 'object' }) as never);
    await api.post(things, { apiVersion: `${going}/v1`, kind: 'Thing', metadata: { name: 'x' } });
    await api.delete(`${crds}/things.${going}`);
    await api.eventually(
      () => api.get(`${crds}/things.${going}`),
      ({ status }) => status === 404,
    );
    const answer = await api.eventually(
      () => api.get(things),
      ({ status }) => status === 404,
    );
    expect(answer.text).toMatch(/404 page not found|could not find the requested resource/);
  });

  test('two versions share their objects: conversion None changes the apiVersion alone', async () => {
    const both = `${api.unique('both')}.test`;
    const definition = thingDefinition(both, {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    });
    const [first] = definition.spec.versions;
    const versions = [first, { ...first, name: 'v2', storage: false }];
    const v1 = await api.install({ ...definition, spec: { ...definition.spec, versions } } as never);
    await api.post(v1, { apiVersion: `${both}/v1`, kind: 'Thing', metadata: { name: 'x' }, spec: { a: 1 } });
    const v2 = v1.replace('/v1/', '/v2/');
    const answer = await api.eventually(
      () => api.get(`${v2}/x`),
      ({ status }) => status === 200,
    );
    expect(answer.body).toMatchObject({ apiVersion: `${both}/v2`, kind: 'Thing', spec: { a: 1 } });
  });

  test('cluster scope has no namespace', async () => {
    const wide = `${api.unique('wide')}.test`;
    const things = await api.install(
      thingDefinition(wide, { type: 'object' }, { scope: 'Cluster' }) as never,
    );
    const answer = await api.post(things, {
      apiVersion: `${wide}/v1`,
      kind: 'Thing',
      metadata: { name: 'x' },
    });
    expect(said(answer)).toBe('201');
    expect(answer.body.metadata.namespace).toBeUndefined();
    expect((await api.get(`/apis/${wide}/v1/namespaces/${api.namespace}/things`)).status).toBe(404);
  });
});
