import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { thingDefinition } from './support/objects.ts';
import { at, causes, said } from './support/words.ts';

const api = await openCluster();
const group = `${api.unique('rules')}.test`;
const rule = (text: string, message: string, more: object = {}) => ({ rule: text, message, ...more });
const things = await api.install(
  thingDefinition(
    group,
    {
      type: 'object',
      default: { low: 1, high: 2, replicas: 1 },
      properties: {
        low: { type: 'integer', default: 1 },
        high: { type: 'integer', default: 2 },
        fixed: {
          type: 'string',
          maxLength: 20,
          'x-kubernetes-validations': [rule('self == oldSelf', 'fixed cannot be changed')],
        },
        grows: {
          type: 'integer',
          'x-kubernetes-validations': [
            rule('oldSelf.hasValue() ? self >= oldSelf.value() : self == 0', 'starts at 0 and never falls', {
              optionalOldSelf: true,
            }),
          ],
        },
        quoted: {
          type: 'string',
          maxLength: 20,
          'x-kubernetes-validations': [
            rule("self.startsWith('a')", 'must start with a', {
              messageExpression: "'\"' + self + '\" must start with a'",
            }),
          ],
        },
        reasoned: {
          type: 'string',
          maxLength: 20,
          'x-kubernetes-validations': [rule("self != 'no'", 'not no', { reason: 'FieldValueForbidden' })],
        },
        wait: {
          type: 'string',
          maxLength: 10,
          'x-kubernetes-validations': [rule("duration(self) > duration('1s')", 'too short')],
        },
        size: {
          type: 'string',
          maxLength: 10,
          'x-kubernetes-validations': [rule("quantity(self).isLessThan(quantity('1Gi'))", 'too large')],
        },
        list: {
          type: 'array',
          maxItems: 5,
          items: {
            type: 'object',
            properties: { name: { type: 'string', maxLength: 10 }, n: { type: 'integer' } },
            'x-kubernetes-validations': [
              rule('!has(self.n) || self.n > 0', 'n must be positive', { fieldPath: '.n' }),
            ],
          },
          'x-kubernetes-validations': [
            rule('self.all(x, self.exists_one(y, x.name == y.name))', 'names must be unique'),
          ],
        },
        map: {
          type: 'object',
          maxProperties: 5,
          additionalProperties: { type: 'string', maxLength: 10 },
          'x-kubernetes-validations': [rule("self.all(k, k.matches('^[a-z]+$'))", 'keys must be lower-case')],
        },
        tags: {
          type: 'array',
          maxItems: 5,
          'x-kubernetes-list-type': 'set',
          items: { type: 'string', maxLength: 5 },
        },
        either: {
          'x-kubernetes-int-or-string': true,
          'x-kubernetes-validations': [
            rule("type(self) == int ? self < 10 : self.endsWith('%')", 'below 10 or a percentage'),
          ],
        },
        ratchet: { type: 'string', maxLength: 5 },
        replicas: { type: 'integer', minimum: 0, maximum: 10, default: 1 },
        broken: {
          type: 'string',
          maxLength: 10,
          'x-kubernetes-validations': [rule("self.split(',')[3] == 'x'", 'four parts')],
        },
      },
      'x-kubernetes-validations': [
        rule('self.low <= self.high', 'low above high', {
          messageExpression: "'low is %d and high is %d'.format([self.low, self.high])",
          fieldPath: '.low',
          reason: 'FieldValueInvalid',
        }),
        rule('!has(oldSelf.tags) || has(self.tags)', 'tags cannot be removed'),
      ],
    },
    {
      root: {
        'x-kubernetes-validations': [
          rule('self.metadata.name.size() < 30', 'name too long', {
            messageExpression: "self.metadata.name + ' is too long'",
          }),
        ],
      },
      version: {
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
      },
      status: { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } },
    },
  ) as never,
);
const thing = (spec: object, name = api.unique('x')) => ({
  apiVersion: `${group}/v1`,
  kind: 'Thing',
  metadata: { name },
  spec,
});
const tried = (spec: object) => api.post(things, thing(spec), { dryRun: 'All' });
const made = async (spec: object) => {
  const body = thing(spec);
  expect(said(await api.post(things, body))).toBe('201');
  return `${things}/${body.metadata.name}`;
};

describe('rules on create', () => {
  test.each<[string, object, string]>([
    [
      'a message that quotes numbers, at the field that it names',
      { low: 5, high: 3 },
      'spec.low | FieldValueInvalid | Invalid value: low is 5 and high is 3',
    ],
    [
      'a message that quotes the value',
      { quoted: 'bad' },
      'spec.quoted | FieldValueInvalid | Invalid value: "bad": "bad" must start with a',
    ],
    ['a reason of its own', { reasoned: 'no' }, 'spec.reasoned | FieldValueForbidden | Forbidden: not no'],
    ['durations', { wait: '500ms' }, 'spec.wait | FieldValueInvalid | Invalid value: "500ms": too short'],
    ['quantities', { size: '2Gi' }, 'spec.size | FieldValueInvalid | Invalid value: "2Gi": too large'],
    [
      'an item, at the field below it',
      {
        list: [
          { name: 'a', n: 1 },
          { name: 'b', n: 0 },
        ],
      },
      'spec.list[1].n | FieldValueInvalid | Invalid value: n must be positive',
    ],
    [
      'a list',
      { list: [{ name: 'a' }, { name: 'a' }] },
      'spec.list | FieldValueInvalid | Invalid value: names must be unique',
    ],
    [
      'the keys of a map',
      { map: { A: 'x' } },
      'spec.map | FieldValueInvalid | Invalid value: keys must be lower-case',
    ],
    [
      'int-or-string as int',
      { either: 11 },
      'spec.either | FieldValueInvalid | Invalid value: 11: below 10 or a percentage',
    ],
    [
      'int-or-string as string',
      { either: '11' },
      'spec.either | FieldValueInvalid | Invalid value: "11": below 10 or a percentage',
    ],
    [
      'a transition rule with optionalOldSelf',
      { grows: 3 },
      'spec.grows | FieldValueInvalid | Invalid value: 3: starts at 0 and never falls',
    ],
    [
      'a rule that fails to run',
      { broken: 'a,b' },
      'spec.broken | FieldValueInvalid | Invalid value: "string": four parts evaluation error: index out of bounds: 3',
    ],
  ])('%s', async (_, spec, cause) => {
    const answer = await tried(spec);
    expect([answer.status, answer.body.reason]).toEqual([422, 'Invalid']);
    if (cause.includes('evaluation error'))
      expect(causes(answer)[0]).toMatch(
        /^spec\.broken \| FieldValueInvalid \| Invalid value: .*(four parts|index out of bounds)/,
      );
    else expect(causes(answer)).toEqual([cause]);
  });

  test('the name, at the root', async () => {
    const name = 'a-name-that-is-longer-than-thirty-characters';
    const answer = await api.post(things, thing({}, name));
    expect(causes(answer)).toEqual([`<nil> | FieldValueInvalid | Invalid value: ${name} is too long`]);
  });

  test('read defaults as values', async () => {
    const answer = await tried({ low: 3 });
    expect(causes(answer)).toEqual(['spec.low | FieldValueInvalid | Invalid value: low is 3 and high is 2']);
  });

  test('are not asked where the schema already refuses', async () => {
    const answer = await tried({ quoted: 7, low: 5, high: 3 });
    expect(causes(answer)[0]).toMatch(/^spec\.quoted \| FieldValueTypeInvalid/);
    expect(causes(answer).some((cause) => cause.includes('low is 5'))).toBe(false);
  });

  test('a transition rule without optionalOldSelf is not asked', async () => {
    expect((await tried({ fixed: 'x' })).status).toBe(201);
  });
});

describe('rules on update', () => {
  test('compare with the old value', async () => {
    const path = await made({ fixed: 'x' });
    const answer = await api.mergePatch(path, { spec: { fixed: 'y' } });
    expect(causes(answer)).toEqual([
      'spec.fixed | FieldValueInvalid | Invalid value: "y": fixed cannot be changed',
    ]);
    expect((await api.mergePatch(path, { spec: { fixed: 'x', low: 0 } })).status).toBe(200);
  });

  test('are not asked where the old value was absent', async () => {
    const path = await made({});
    expect((await api.mergePatch(path, { spec: { fixed: 'y' } })).status).toBe(200);
  });

  test('optionalOldSelf sees the old value', async () => {
    const path = await made({ grows: 0 });
    expect((await api.mergePatch(path, { spec: { grows: 4 } })).status).toBe(200);
    const answer = await api.mergePatch(path, { spec: { grows: 3 } });
    expect(causes(answer)).toEqual([
      'spec.grows | FieldValueInvalid | Invalid value: 3: starts at 0 and never falls',
    ]);
  });

  test('removing a field is seen by a rule above it', async () => {
    const path = await made({ tags: ['a'] });
    const answer = await api.mergePatch(path, { spec: { tags: null } });
    expect(causes(answer)).toEqual(['spec | FieldValueInvalid | Invalid value: tags cannot be removed']);
  });

  test('are asked in an apply too', async () => {
    const body = thing({ fixed: 'x' });
    await api.apply(`${things}/${body.metadata.name}`, 'a', body);
    const answer = await api.apply(`${things}/${body.metadata.name}`, 'a', { ...body, spec: { fixed: 'y' } });
    expect(answer.status).toBe(422);
  });

  test('are asked through /scale', async () => {
    const path = await made({ replicas: 2 });
    const answer = await api.mergePatch(`${path}/scale`, { spec: { replicas: 11 } });
    expect(answer.status).toBe(422);
    expect(answer.body.message).toMatch(
      /spec\.replicas: Invalid value: 11: spec\.replicas in body should be less than or equal to 10/,
    );
  });

  test('are not asked on a write of status where spec is at fault', async () => {
    const path = await made({});
    expect((await api.mergePatch(`${path}/status`, { status: { replicas: 1 } })).status).toBe(200);
  });
});

describe('ratcheting: what was wrong before may stay', () => {
  test('an unchanged field may break a rule that came later, a changed one may not', async () => {
    const late = `${api.unique('ratchet')}.test`;
    const schemaOf = (strict: boolean) => ({
      type: 'object',
      properties: {
        a: { type: 'string', ...(strict ? { maxLength: 2 } : {}) },
        b: {
          type: 'string',
          maxLength: 50,
          ...(strict ? { 'x-kubernetes-validations': [rule("self == 'ok'", 'b must be ok')] } : {}),
        },
        c: { type: 'string' },
      },
    });
    const collection = await api.install(thingDefinition(late, schemaOf(false)) as never);
    const before = {
      apiVersion: `${late}/v1`,
      kind: 'Thing',
      metadata: { name: 'old' },
      spec: { a: 'long', b: 'wrong', c: '1' },
    };
    expect(said(await api.post(collection, before))).toBe('201');
    const crd = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.${late}`;
    const next = thingDefinition(late, schemaOf(true));
    const changed = await api.mergePatch(crd, { spec: next.spec });
    expect(said(changed)).toBe('200');
    const fresh = { ...before, metadata: { name: 'new' } };
    await api.eventually(
      () => api.post(collection, fresh, { dryRun: 'All' }),
      ({ status }) => status === 422,
    );
    expect(said(await api.mergePatch(`${collection}/old`, { spec: { c: '2' } }))).toBe('200');
    expect((await api.mergePatch(`${collection}/old`, { spec: { a: 'longer' } })).status).toBe(422);
    const answer = await api.mergePatch(`${collection}/old`, { spec: { b: 'wronger' } });
    expect(causes(answer)).toEqual(['spec.b | FieldValueInvalid | Invalid value: "wronger": b must be ok']);
    expect(said(await api.mergePatch(`${collection}/old`, { metadata: { labels: { l: '1' } } }))).toBe('200');
  });
});

describe('the scale subresource', () => {
  test('reads spec and status', async () => {
    const path = await made({ replicas: 3 });
    await api.mergePatch(`${path}/status`, { status: { replicas: 2, selector: 'app=x' } });
    const { body } = await api.get(`${path}/scale`);
    expect(body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name: path.split('/').at(-1), namespace: api.namespace, uid: expect.any(String) },
      spec: { replicas: 3 },
      status: { replicas: 2, selector: 'app=x' },
    });
  });

  test('writes spec.replicas alone', async () => {
    const path = await made({ replicas: 3 });
    const answer = await api.mergePatch(`${path}/scale`, { spec: { replicas: 5 } });
    expect(answer.body).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } });
    const after = await api.get(path);
    expect(at(after.body, 'spec.replicas')).toBe(5);
    expect(after.body.metadata.generation).toBe(2);
  });

  test('takes a PUT with the resourceVersion and refuses a stale one', async () => {
    const path = await made({ replicas: 3 });
    const { body } = await api.get(`${path}/scale`);
    const put = await api.put(`${path}/scale`, { ...body, spec: { replicas: 4 } });
    expect(said(put)).toBe('200');
    const stale = await api.put(`${path}/scale`, { ...body, spec: { replicas: 6 } });
    expect(stale.status).toBe(409);
  });

  test('of a Deployment has its selector as text', async () => {
    const { deployment } = await import('./support/objects.ts');
    await api.post(api.path('deployments'), deployment('scaled'));
    const { body } = await api.get(api.path('deployments', 'scaled', 'scale'));
    expect(body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: {},
      status: { replicas: 0, selector: 'app=scaled' },
    });
  });

  test('negative replicas are refused', async () => {
    const path = await made({});
    const answer = await api.mergePatch(`${path}/scale`, { spec: { replicas: -1 } });
    expect(answer.status).toBe(422);
    expect(causes(answer)).toEqual([
      'spec.replicas | FieldValueInvalid | Invalid value: -1: spec.replicas in body should be greater than or equal to 0',
      '.spec.replicas | FieldValueInvalid | Invalid value: -1: should be a non-negative integer',
    ]);
  });
});
