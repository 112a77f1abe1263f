/** CustomResourceDefinitions, good and bad; what a real kube-apiserver 1.36 says of them is in `definition-recorded.json`. */
import type { JsonObject } from '../../../../crds/structural/schema-node.ts';

export interface DefinitionCase {
  readonly name: string;
  readonly object: JsonObject;
}

interface Draft {
  metadata: JsonObject;
  spec: JsonObject & { versions: JsonObject[] };
}

const definition = (schema: unknown, edit?: (draft: Draft) => void): JsonObject => {
  const draft: Draft = {
    metadata: { name: 'things.s.example.com' },
    spec: {
      group: 's.example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
  edit?.(draft);
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', ...draft };
};

/** A schema whose spec has these keywords. */
const spec = (keywords: JsonObject) => ({
  type: 'object',
  properties: { spec: { type: 'object', ...keywords } },
});
/** A schema whose spec has one field `a`. */
const field = (a: JsonObject, keywords: JsonObject = {}) => spec({ properties: { a }, ...keywords });
const rules = (...list: JsonObject[]) => ({ 'x-kubernetes-validations': list });
const text = { type: 'string' };
const keyed = (items: JsonObject, ...keys: string[]) => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  ...(keys.length === 0 ? {} : { 'x-kubernetes-list-map-keys': keys }),
  items: { type: 'object', ...items },
});

const schemas: [name: string, schema: unknown][] = [
  ['an ordinary schema', field(text)],
  ['no schema', undefined],
  ['a root without a type', { properties: { spec: {} } }],
  ['a root that is a text', text],
  ['an array without items', field({ type: 'array' })],
  ['properties and additionalProperties', spec({ properties: { a: text }, additionalProperties: text })],
  ['a type that does not exist', field({ type: 'foo' })],
  ['a default of the wrong type', field({ type: 'integer', default: 'x' })],
  ['a default with an unknown field', field({ type: 'object', default: { x: 1 }, properties: { y: text } })],
  ['a default outside the enum', field({ ...text, enum: ['x'], default: 'y' })],
  ['a default that fits', field({ ...text, enum: ['x'], default: 'x' })],
  ['a keyed list without keys', field(keyed({ properties: { n: text } }))],
  ['a keyed list with an absent key', field(keyed({ properties: { n: text } }, 'm'))],
  ['a keyed list with an optional key', field(keyed({ properties: { n: text } }, 'n'))],
  [
    'a keyed list whose key is an object',
    field(keyed({ required: ['n'], properties: { n: { type: 'object' } } }, 'n')),
  ],
  ['a keyed list', field(keyed({ required: ['n'], properties: { n: text } }, 'n'))],
  ['a list type that does not exist', field({ type: 'array', 'x-kubernetes-list-type': 'foo', items: text })],
  [
    'a set of objects',
    field({
      type: 'array',
      'x-kubernetes-list-type': 'set',
      items: { type: 'object', properties: { b: text } },
    }),
  ],
  ['an int-or-string with a type', field({ type: 'integer', 'x-kubernetes-int-or-string': true })],
  [
    'an int-or-string spelled out',
    field({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, text] }),
  ],
  ['nullable under anyOf', field({ ...text, anyOf: [{ nullable: true }] })],
  ['a type under anyOf', field({ ...text, anyOf: [text] })],
  [
    'labels in metadata',
    {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } },
    },
  ],
  [
    'a pattern for the name',
    {
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { ...text, maxLength: 5 } } } },
    },
  ],
  ...[
    '(',
    ')',
    '[a',
    '*a',
    '(?=a)',
    '\\1',
    '[b-a]',
    'a\\',
    '^[[:alpha:]]+$',
    '(?i)a',
    'a{1001}',
    '(?P<n>a)',
  ].map((pattern): [string, unknown] => [`the pattern ${pattern}`, field({ ...text, pattern })]),
  ['unique items', field({ type: 'array', uniqueItems: true, items: text })],
  ['preserving that is false', spec({ 'x-kubernetes-preserve-unknown-fields': false })],
  ['an embedded resource without fields', field({ type: 'object', 'x-kubernetes-embedded-resource': true })],
  ['a rule about an unknown field', field(text, rules({ rule: 'self.b == 1' }))],
  ['a rule that ends early', field(text, rules({ rule: 'self.a ==' }))],
  ['a rule that compares text and number', field(text, rules({ rule: 'self.a == 1' }))],
  ['a rule that is no truth value', field({ ...text, maxLength: 5 }, rules({ rule: 'self.a' }))],
  ['an empty rule', spec(rules({ rule: '' }))],
  ['a rule with an unknown function', field(text, rules({ rule: 'self.a.foo()' }))],
  ['a rule with an unknown variable', field(text, rules({ rule: 'foo == 1' }))],
  ['a message of two lines', spec(rules({ rule: 'true', message: 'a\nb' }))],
  ['a message that is a number', spec(rules({ rule: 'true', messageExpression: '1' }))],
  ['a message about an unknown field', spec(rules({ rule: 'true', messageExpression: 'self.x' }))],
  ['a reason that does not exist', spec(rules({ rule: 'true', reason: 'Foo' }))],
  ['a field path that leads nowhere', spec(rules({ rule: 'true', fieldPath: '.nope' }))],
  ['a field path without a dot', spec(rules({ rule: 'true', fieldPath: 'x' }))],
  [
    'oldSelf in a list without keys',
    field({
      type: 'array',
      maxItems: 3,
      items: { ...text, maxLength: 3, ...rules({ rule: 'self == oldSelf' }) },
    }),
  ],
  ['optionalOldSelf without oldSelf', spec(rules({ rule: 'true', optionalOldSelf: true }))],
  ['has() of an unknown field', field(text, rules({ rule: 'has(self.nope)' }))],
  [
    'a rule in a list whose variable has an unknown field',
    field(
      { type: 'array', maxItems: 3, items: { type: 'object', properties: { n: { ...text, maxLength: 3 } } } },
      rules({ rule: 'self.a.all(i, i.m == "x")' }),
    ),
  ],
  [
    'names that CEL must escape',
    spec({
      properties: { 'a-b': { ...text, maxLength: 3 }, in: { type: 'integer' } },
      ...rules({ rule: 'self.a__dash__b == "x" && self.__in__ > 1' }),
    }),
  ],
  [
    'optionals, quantities and lists',
    spec({
      properties: {
        q: { ...text, maxLength: 10 },
        n: { type: 'array', maxItems: 5, items: { type: 'integer' } },
      },
      ...rules({
        rule: 'self.?q.hasValue() && quantity(self.q).isGreaterThan(quantity("1Mi")) && self.n.sum() > 3 && self.n.isSorted()',
      }),
    }),
  ],
  [
    'a rule over all without bounds',
    field({ type: 'array', items: text }, rules({ rule: 'self.a.all(x, self.a.all(y, x == y))' })),
  ],
  [
    'a pattern rule per item without bounds',
    field({ type: 'array', items: { ...text, ...rules({ rule: 'self.matches("^a$")' }) } }),
  ],
  [
    'a message from a number of any length',
    field({ type: 'integer' }, rules({ rule: 'self.a > 0', messageExpression: "'x' + string(self.a)" })),
  ],
  [
    'a message from a number by format',
    field({ type: 'integer' }, rules({ rule: 'self.a > 0', messageExpression: "'x %d'.format([self.a])" })),
  ],
  [
    'a text compared with a text, without bounds',
    spec({ properties: { a: text, b: text }, ...rules({ rule: 'self.a == self.b' }) }),
  ],
  ['a text of any length split', field(text, rules({ rule: "self.a.split(',').all(x, x.size() > 1)" }))],
];

const edits: [name: string, edit: (draft: Draft) => void][] = [
  [
    'a name that is not plural and group',
    ({ metadata }) => {
      metadata.name = 'foo.s.example.com';
    },
  ],
  [
    'names in the wrong case',
    (draft) => {
      draft.spec.names = {
        plural: 'Things',
        kind: 'thing_',
        shortNames: ['T'],
        singular: 'X Y',
        listKind: 'x',
        categories: ['A'],
      };
    },
  ],
  [
    'a scope that does not exist',
    (draft) => {
      draft.spec.scope = 'X';
    },
  ],
  [
    'a group without a dot',
    (draft) => {
      draft.spec.group = 'nodots';
      draft.metadata.name = 'things.nodots';
    },
  ],
  [
    'a group of Kubernetes',
    (draft) => {
      draft.spec.group = 'foo.k8s.io';
      draft.metadata.name = 'things.foo.k8s.io';
    },
  ],
  [
    'columns that cannot be',
    ({ spec: { versions } }) => {
      Object.assign(versions[0] ?? {}, {
        additionalPrinterColumns: [{ name: '', type: 'foo', jsonPath: 'x' }],
      });
    },
  ],
  [
    'a scale with bad paths',
    ({ spec: { versions } }) => {
      Object.assign(versions[0] ?? {}, {
        subresources: { scale: { specReplicasPath: 'spec.r', statusReplicasPath: '.x' } },
      });
    },
  ],
  [
    'a conversion that does not exist',
    (draft) => {
      draft.spec.conversion = { strategy: 'X' };
    },
  ],
  [
    'unknown fields kept in the old way',
    (draft) => {
      draft.spec.preserveUnknownFields = true;
    },
  ],
];

export const definitionCases: readonly DefinitionCase[] = [
  ...schemas.map(([name, schema]) => ({ name, object: definition(schema) })),
  ...edits.map(([name, edit]) => ({ name, object: definition(spec({}), edit) })),
];
