import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { thingDefinition } from './support/objects.ts';
import { at, causes, said, warnings } from './support/words.ts';

const api = await openCluster();
const group = `${api.unique('schema')}.test`;
const kind = `Thing.${group}`;
const things = await api.install(
  thingDefinition(
    group,
    {
      type: 'object',
      required: ['must'],
      properties: {
        must: { type: 'string' },
        text: { type: 'string', minLength: 2, maxLength: 4, pattern: '^[a-z]+$' },
        whole: { type: 'integer', minimum: 1, maximum: 10, multipleOf: 2 },
        above: { type: 'number', minimum: 1, exclusiveMinimum: true },
        small: { type: 'integer', format: 'int32' },
        choice: { type: 'string', enum: ['A', 'B'] },
        flag: { type: 'boolean' },
        nothing: { type: 'string', nullable: true },
        list: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string', maxLength: 3 } },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, n: { type: 'integer' } },
          },
        },
        map: {
          type: 'object',
          minProperties: 1,
          maxProperties: 2,
          additionalProperties: { type: 'integer' },
        },
        either: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        when: { type: 'string', format: 'date-time' },
        long: { type: 'string', format: 'duration' },
        mail: { type: 'string', format: 'email' },
        id: { type: 'string', format: 'uuid' },
        bytes: { type: 'string', format: 'byte' },
        address: { type: 'string', format: 'ipv4' },
        either2: {
          type: 'object',
          properties: { a: { type: 'string' }, b: { type: 'string' } },
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
        },
        nested: {
          type: 'object',
          default: {},
          properties: {
            size: { type: 'integer', default: 3 },
            items: {
              type: 'array',
              items: {
                type: 'object',
                properties: { n: { type: 'integer', default: 7 }, m: { type: 'string' } },
              },
            },
          },
        },
        embedded: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    },
    { names: { shortNames: ['tg'] } },
  ) as never,
);
const thing = (spec: object) => ({
  apiVersion: `${group}/v1`,
  kind: 'Thing',
  metadata: { name: api.unique('x') },
  spec,
});
const tried = (spec: object, query = {}) => api.post(things, thing(spec), { dryRun: 'All', ...query });

describe('values that are refused', () => {
  test.each<[string, object, string]>([
    ['a required field that is absent', {}, 'spec.must | FieldValueRequired | Required value'],
    [
      'a wrong type',
      { must: 1 },
      'spec.must | FieldValueTypeInvalid | Invalid value: "integer": spec.must in body must be of type string: "integer"',
    ],
    [
      'a number that is not whole',
      { must: 'a', whole: 2.5 },
      'spec.whole | FieldValueTypeInvalid | Invalid value: "number": spec.whole in body must be of type integer: "number"',
    ],
    [
      'a string for a boolean',
      { must: 'a', flag: 'true' },
      'spec.flag | FieldValueTypeInvalid | Invalid value: "string": spec.flag in body must be of type boolean: "string"',
    ],
    [
      'a string for an object',
      { must: 'a', map: 'x' },
      'spec.map | FieldValueTypeInvalid | Invalid value: "string": spec.map in body must be of type object: "string"',
    ],
    [
      'a scalar for a list',
      { must: 'a', list: 'x' },
      'spec.list | FieldValueTypeInvalid | Invalid value: "string": spec.list in body must be of type array: "string"',
    ],
    [
      'a text that is too short',
      { must: 'a', text: 'a' },
      'spec.text | FieldValueInvalid | Invalid value: "a": spec.text in body should be at least 2 chars long',
    ],
    [
      'a text that is too long',
      { must: 'a', text: 'abcde' },
      'spec.text | FieldValueTooLong | Too long: may not be more than 4 bytes',
    ],
    [
      'a text against its pattern',
      { must: 'a', text: 'A1' },
      'spec.text | FieldValueInvalid | Invalid value: "A1": spec.text in body should match \'^[a-z]+$\'',
    ],
    [
      'a number that is too small',
      { must: 'a', whole: 0 },
      'spec.whole | FieldValueInvalid | Invalid value: 0: spec.whole in body should be greater than or equal to 1',
    ],
    [
      'a number that is too large',
      { must: 'a', whole: 12 },
      'spec.whole | FieldValueInvalid | Invalid value: 12: spec.whole in body should be less than or equal to 10',
    ],
    [
      'a number on an exclusive bound',
      { must: 'a', above: 1 },
      'spec.above | FieldValueInvalid | Invalid value: 1: spec.above in body should be greater than 1',
    ],
    [
      'a number that is no multiple',
      { must: 'a', whole: 3 },
      'spec.whole | FieldValueInvalid | Invalid value: 3: spec.whole in body should be a multiple of 2',
    ],
    [
      'an int32 that is too large',
      { must: 'a', small: 3_000_000_000 },
      '<nil> | FieldValueInvalid | Invalid value: "": Checked value must be of type integer with format int32 in spec.small',
    ],
    [
      'a value outside its enum',
      { must: 'a', choice: 'C' },
      'spec.choice | FieldValueNotSupported | Unsupported value: "C": supported values: "A", "B"',
    ],
    ['null where it is not allowed', { must: null }, 'spec.must | FieldValueRequired | Required value'],
    [
      'a list that is too short',
      { must: 'a', list: [] },
      'spec.list | FieldValueInvalid | Invalid value: 0: spec.list in body should have at least 1 items',
    ],
    [
      'a list that is too long',
      { must: 'a', list: ['a', 'b', 'c'] },
      'spec.list | FieldValueTooMany | Too many: 3: must have at most 2 items',
    ],
    [
      'an item of a list',
      { must: 'a', list: ['a', 'bbbb'] },
      'spec.list[1] | FieldValueTooLong | Too long: may not be more than 3 bytes',
    ],
    [
      'an item that is twice in a set',
      { must: 'a', tags: ['a', 'b', 'a'] },
      'spec.tags[2] | FieldValueDuplicate | Duplicate value: "a"',
    ],
    [
      'a key that is twice in a map list',
      { must: 'a', ports: [{ name: 'p' }, { name: 'p' }] },
      'spec.ports[1] | FieldValueDuplicate | Duplicate value: {"name":"p"}',
    ],
    [
      'a map that is too small',
      { must: 'a', map: {} },
      'spec.map | FieldValueInvalid | Invalid value: 0: spec.map in body should have at least 1 properties',
    ],
    [
      'a map that is too large',
      { must: 'a', map: { a: 1, b: 2, c: 3 } },
      'spec.map | FieldValueTooMany | Too many: 3: must have at most 2 items',
    ],
    [
      'a value of a map',
      { must: 'a', map: { a: 'x' } },
      'spec.map.a | FieldValueTypeInvalid | Invalid value: "string": spec.map.a in body must be of type integer: "string"',
    ],
    [
      'a boolean for int-or-string',
      { must: 'a', either: true },
      'spec.either | FieldValueTypeInvalid | Invalid value: "boolean": spec.either in body must be of type integer,string: "boolean"',
    ],
    [
      'a time that is none',
      { must: 'a', when: 'today' },
      'spec.when | FieldValueTypeInvalid | Invalid value: "today": spec.when in body must be of type date-time: "today"',
    ],
    [
      'a duration that is none',
      { must: 'a', long: 'long' },
      'spec.long | FieldValueTypeInvalid | Invalid value: "long": spec.long in body must be of type duration: "long"',
    ],
    [
      'an address that is none',
      { must: 'a', address: '1.2.3' },
      'spec.address | FieldValueTypeInvalid | Invalid value: "1.2.3": spec.address in body must be of type ipv4: "1.2.3"',
    ],
    [
      'a uuid that is none',
      { must: 'a', id: 'x' },
      'spec.id | FieldValueTypeInvalid | Invalid value: "x": spec.id in body must be of type uuid: "x"',
    ],
    [
      'an embedded resource without kind',
      { must: 'a', embedded: { apiVersion: 'v1' } },
      'spec.embedded.kind | FieldValueRequired | Required value',
    ],
  ])('%s', async (_, spec, cause) => {
    const answer = await tried(spec);
    expect([answer.status, answer.body.reason]).toEqual([422, 'Invalid']);
    expect(causes(answer)).toContain(cause);
  });

  test('the message names kind, group and object, and lists several causes', async () => {
    const body = thing({ text: 'a', whole: 0 });
    const answer = await api.post(things, body);
    const [, head, list = ''] = /^(.* is invalid): \[(.*)\]$/.exec(answer.body.message ?? '') ?? [];
    expect(head).toBe(`${kind} "${body.metadata.name}" is invalid`);
    // The server walks a Go map: the order is by chance.
    expect(
      list
        .split(', spec.')
        .map((one) => one.replace(/^spec\./, ''))
        .sort(),
    ).toEqual([
      'must: Required value',
      'text: Invalid value: "a": spec.text in body should be at least 2 chars long',
      'whole: Invalid value: 0: spec.whole in body should be greater than or equal to 1',
    ]);
    expect(answer.body.details).toMatchObject({ name: body.metadata.name, group, kind: 'Thing' });
  });

  test('oneOf that neither side fulfils', async () => {
    const answer = await tried({ must: 'a', either2: {} });
    expect(answer.status).toBe(422);
    expect(causes(answer)).toContain(
      '<nil> | FieldValueInvalid | Invalid value: "": "spec.either2" must validate one and only one schema (oneOf). Found none valid',
    );
  });

  test('a wrong apiVersion', async () => {
    const answer = await api.post(things, { ...thing({ must: 'a' }), apiVersion: 'other.test/v1' });
    expect(answer.status).toBe(400);
  });
});

describe('values that are taken', () => {
  test.each<[string, object]>([
    ['null where it is allowed', { nothing: null }],
    ['a string for int-or-string', { either: '5%' }],
    ['a number for int-or-string', { either: 5 }],
    ['a time', { when: '2026-11-24T10:00:00Z' }],
    ['a time with fractions and an offset', { when: '2026-11-24T10:00:00.5+02:00' }],
    ['a duration', { long: '1h30m' }],
    ['an address', { address: '10.0.0.1' }],
    ['anything where unknown fields are kept', { free: { a: { b: [1, 'x', { c: null }] } } }],
    [
      'an embedded resource',
      { embedded: { apiVersion: 'v1', kind: 'Any', metadata: { name: 'a' }, spec: { x: 1 } } },
    ],
    ['characters of several bytes counted as one each', { text: 'abcd' }],
  ])('%s', async (_, spec) => {
    const answer = await tried({ must: 'a', ...spec });
    expect(said(answer)).toBe('201');
    expect(answer.body.spec).toMatchObject(spec);
  });
});

describe('defaults', () => {
  test('go in where a field is absent, nested ones too', async () => {
    const { body } = await tried({ must: 'a' });
    expect(body.spec).toEqual({ must: 'a', nested: { size: 3 } });
  });

  test('go into each item of a list', async () => {
    const { body } = await tried({ must: 'a', nested: { items: [{ m: 'x' }, { n: 1 }] } });
    expect(at(body, 'spec.nested')).toEqual({ size: 3, items: [{ m: 'x', n: 7 }, { n: 1 }] });
  });

  test('replace a null that is not allowed', async () => {
    const { body } = await tried({ must: 'a', nested: { size: null } });
    expect(at(body, 'spec.nested.size')).toBe(3);
  });

  test('do not replace a value', async () => {
    const { body } = await tried({ must: 'a', nested: { size: 0 } });
    expect(at(body, 'spec.nested.size')).toBe(0);
  });

  test('come back when a patch removes the value', async () => {
    const body = thing({ must: 'a', nested: { size: 9 } });
    await api.post(things, body);
    const answer = await api.mergePatch(`${things}/${body.metadata.name}`, {
      spec: { nested: { size: null } },
    });
    expect(at(answer.body, 'spec.nested.size')).toBe(3);
  });
});

describe('unknown fields', () => {
  test('are pruned, with a warning', async () => {
    const answer = await tried({ must: 'a', surprise: 1, nested: { odd: 2 } });
    expect(answer.body.spec).toEqual({ must: 'a', nested: { size: 3 } });
    expect(warnings(answer)).toEqual(['unknown field "spec.nested.odd"', 'unknown field "spec.surprise"']);
  });

  test('are refused by fieldValidation=Strict', async () => {
    const answer = await tried({ must: 'a', surprise: 1 }, { fieldValidation: 'Strict' });
    expect(said(answer)).toBe(
      '400 BadRequest: Thing in version "v1" cannot be handled as a Thing: strict decoding error: unknown field "spec.surprise"',
    );
  });

  test('several are named in order', async () => {
    const answer = await tried(
      { must: 'a', b: 1, a: 2, nested: { items: [{ z: 1 }] } },
      { fieldValidation: 'Strict' },
    );
    expect(said(answer)).toBe(
      '400 BadRequest: Thing in version "v1" cannot be handled as a Thing: strict decoding error: unknown field "spec.a", unknown field "spec.b", unknown field "spec.nested.items[0].z"',
    );
  });

  test('at the root are unknown too', async () => {
    const answer = await api.post(
      things,
      { ...thing({ must: 'a' }), sepc: {} },
      { fieldValidation: 'Strict' },
    );
    expect(said(answer)).toMatch(/strict decoding error: unknown field "sepc"$/);
  });

  test('in metadata are named as well', async () => {
    const body = thing({ must: 'a' });
    const answer = await api.post(
      things,
      { ...body, metadata: { ...body.metadata, lables: {} } },
      { fieldValidation: 'Strict' },
    );
    expect(said(answer)).toMatch(/strict decoding error: unknown field "metadata\.lables"$/);
  });

  test('a key that is there twice is refused by Strict', async () => {
    const text = JSON.stringify(thing({ must: 'a' })).replace('"must":"a"', '"must":"a","must":"b"');
    const answer = await api.post(things, text, { fieldValidation: 'Strict' });
    expect(said(answer)).toMatch(/strict decoding error: duplicate field "spec\.must"$/);
  });

  test('are kept where the schema says so', async () => {
    const { body } = await tried({ must: 'a', free: { x: { y: 1 } } });
    expect(at(body, 'spec.free')).toEqual({ x: { y: 1 } });
  });

  test('in a patch are refused by Strict as an update would be', async () => {
    const body = thing({ must: 'a' });
    await api.post(things, body);
    const answer = await api.mergePatch(
      `${things}/${body.metadata.name}`,
      { spec: { surprise: 1 } },
      { fieldValidation: 'Strict' },
    );
    expect([answer.status, answer.body.message]).toEqual([
      422,
      expect.stringContaining('unknown field "spec.surprise"'),
    ]);
  });
});
