/** Custom resources, good and bad; what a real kube-apiserver 1.36 says of them is in `custom-recorded.json`. */
import type { SchemaNode, ValidationRule } from '../schema-node.ts';

export interface CustomCase {
  readonly name: string;
  readonly spec: unknown;
  /** The spec before, when the case is an update. */
  readonly old?: unknown;
}

const text: SchemaNode = { type: 'string' };
const rules = (...list: ValidationRule[]) => ({ 'x-kubernetes-validations': list });

/** A schema with one field for each thing that can go wrong. */
export const customSchema: SchemaNode = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['must'],
      properties: {
        must: { type: 'string', default: 'there' },
        text: { ...text, minLength: 2, maxLength: 5, pattern: '^[a-z]+$' },
        choice: { ...text, enum: ['a', 'b'] },
        count: { type: 'integer', minimum: 1, maximum: 10 },
        small: { type: 'integer', format: 'int32' },
        ratio: { type: 'number', exclusiveMinimum: true, minimum: 0, multipleOf: 0.5 },
        flag: { type: 'boolean' },
        none: { ...text, nullable: true },
        mixed: { 'x-kubernetes-int-or-string': true },
        when: { ...text, format: 'date-time' },
        long: { ...text, format: 'duration' },
        address: { ...text, format: 'ipv4' },
        range: { ...text, format: 'cidr' },
        id: { ...text, format: 'uuid' },
        link: { ...text, format: 'uri' },
        bytes: { ...text, format: 'byte' },
        list: { type: 'array', items: text, minItems: 1, maxItems: 2 },
        set: { type: 'array', items: text, 'x-kubernetes-list-type': 'set', maxItems: 10 },
        keyed: {
          type: 'array',
          maxItems: 10,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { ...text, maxLength: 10 },
              size: { type: 'integer', ...rules({ rule: 'self >= oldSelf', message: 'may not shrink' }) },
            },
            ...rules({ rule: "self.name != 'bad'", message: 'bad name', fieldPath: '.name' }),
          },
        },
        map: {
          type: 'object',
          maxProperties: 2,
          minProperties: 1,
          additionalProperties: { ...text, maxLength: 5, ...rules({ rule: "self != 'no'" }) },
        },
        nested: {
          type: 'object',
          required: ['x'],
          properties: { x: { type: 'integer', default: 3 }, y: text },
        },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        one: {
          type: 'object',
          properties: { a: text, b: text },
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
        },
        either: {
          type: 'object',
          properties: { a: text, b: text },
          anyOf: [{ required: ['a'] }, { required: ['b'] }],
        },
        not: { ...text, not: { enum: ['forbidden'] } },
        both: { ...text, allOf: [{ minLength: 2 }, { maxLength: 3 }] },
        low: { type: 'integer' },
        high: { type: 'integer' },
        fixed: { ...text, maxLength: 20, ...rules({ rule: 'self == oldSelf', message: 'cannot change' }) },
        grow: {
          type: 'integer',
          ...rules({
            rule: 'self >= oldSelf.orValue(5)',
            messageExpression: "'must be at least %d'.format([5])",
            optionalOldSelf: true,
          }),
        },
        cpu: {
          ...text,
          maxLength: 10,
          ...rules({
            rule: "isQuantity(self) && quantity(self).isLessThan(quantity('2'))",
            message: 'too much',
          }),
        },
        time: { ...text, maxLength: 10, ...rules({ rule: "duration(self) >= duration('1s')" }) },
        fails: {
          type: 'array',
          maxItems: 3,
          items: { type: 'integer' },
          ...rules({ rule: 'self[5] == 1', message: 'm' }),
        },
        zero: { type: 'integer', ...rules({ rule: '1 / self == 1' }) },
      },
      ...rules(
        {
          rule: '!has(self.low) || !has(self.high) || self.low <= self.high',
          message: 'low must not be above high',
          messageExpression: "'low %d is above high %d'.format([self.low, self.high])",
          fieldPath: '.low',
          reason: 'FieldValueForbidden',
        },
        {
          rule: '!has(self.flag) || self.flag',
          message: '  flag must be true  ',
          reason: 'FieldValueRequired',
        },
      ),
    },
  },
  ...rules({ rule: "self.metadata.name != 'bad'", message: 'a bad name' }),
};

const of = (name: string, spec: unknown, old?: unknown): CustomCase =>
  old === undefined ? { name, spec } : { name, spec, old };

export const customCases: readonly CustomCase[] = [
  of('an empty spec', {}),
  of('a text that is a number', { text: 3 }),
  of('a text that is a list', { text: ['x'] }),
  of('a text that is a truth value', { text: true }),
  of('a text that is too short', { text: 'a' }),
  of('a text that is too long', { text: 'abcdef' }),
  of('a text that does not match', { text: 'ABC' }),
  of('a text of wide characters', { text: 'äöü' }),
  of('a choice that does not exist', { choice: 'c' }),
  of('a choice of the wrong type', { choice: 3 }),
  of('a number that is text', { count: 'x' }),
  of('a number that is too small', { count: 0 }),
  of('a number that is too large', { count: 11 }),
  of('a number with a fraction', { count: 1.5 }),
  of('a number beyond 32 bits', { small: 3e9 }),
  of('a ratio of zero', { ratio: 0 }),
  of('a ratio that is no multiple', { ratio: 0.7 }),
  of('a ratio that is', { ratio: 1.5 }),
  of('a whole ratio', { ratio: 2 }),
  of('a truth value that is text', { flag: 'true' }),
  of('a false flag', { flag: false }),
  of('a null that may be', { none: null }),
  of('a null that may not be', { text: null }),
  of('a null with a default', { must: null }),
  of('an int-or-string that is a truth value', { mixed: true }),
  of('an int-or-string that is a fraction', { mixed: 1.5 }),
  of('an int-or-string', { mixed: '5%' }),
  of('formats that are wrong', {
    when: 'x',
    long: 'x',
    address: 'x',
    range: 'x',
    id: 'x',
    link: 'x y',
    bytes: '!',
  }),
  of('formats that are right', {
    when: '2026-01-01T00:00:00Z',
    long: '1h',
    address: '1.2.3.4',
    range: '1.2.3.0/24',
    id: '123e4567-e89b-12d3-a456-426614174000',
    link: 'http://x',
    bytes: 'eA==',
  }),
  of('a time without a zone', { when: '2026-01-01T00:00:00' }),
  of('a time in words', { long: '3 days' }),
  of('an empty list', { list: [] }),
  of('a list that is too long', { list: ['a', 'b', 'c'] }),
  of('a list with a wrong item', { list: ['a', 3] }),
  of('a list with a null', { list: [null] }),
  of('a set with repetitions', { set: ['a', 'b', 'a', 'a'] }),
  of('a keyed list with repetitions', { keyed: [{ name: 'a' }, { name: 'a', size: 1 }] }),
  of('a keyed list without a key', { keyed: [{ size: 1 }] }),
  of('a keyed list with a text', { keyed: ['x'] }),
  of('a keyed item that breaks its rule', { keyed: [{ name: 'ok' }, { name: 'bad' }] }),
  of('a map with too many keys', { map: { a: 'x', b: 'y', c: 'z' } }),
  of('an empty map', { map: {} }),
  of('a map value that breaks its rule', { map: { a: 'no' } }),
  of('a map value of the wrong type', { map: { a: 3 } }),
  of('a map that is a list', { map: [] }),
  of('a nested default', { nested: {} }),
  of('a nested null', { nested: { x: null, y: null } }),
  of('anything', { any: { x: [1, { y: 2 }], z: null } }),
  of('none of one', { one: {} }),
  of('both of one', { one: { a: 'x', b: 'y' } }),
  of('one of one', { one: { a: 'x' } }),
  of('neither', { either: {} }),
  of('the forbidden word', { not: 'forbidden' }),
  of('too long for both', { both: 'abcd' }),
  of('low above high', { low: 3, high: 2 }),
  of('low below high', { low: 1, high: 2 }),
  of('a quantity that is none', { cpu: 'x' }),
  of('a quantity that is too much', { cpu: '2500m' }),
  of('a quantity that is fine', { cpu: '1900m' }),
  of('a duration that is none', { time: 'x' }),
  of('a duration that is too short', { time: '10ms' }),
  of('an index out of bounds', { fails: [1] }),
  of('a division by zero', { zero: 0 }),
  of('a first value that is too small', { grow: 3 }),
  of('a later value that is smaller', { grow: 6 }, { grow: 7 }),
  of('a later value that grew', { grow: 8 }, { grow: 7 }),
  of('a fixed value that stays', { fixed: 'a' }, { fixed: 'a' }),
  of('a fixed value that changes', { fixed: 'b' }, { fixed: 'a' }),
  of('a fixed value that comes', { fixed: 'b' }, {}),
  of(
    'a keyed item that shrinks',
    { keyed: [{ name: 'a', size: 1 }] },
    {
      keyed: [
        { name: 'b', size: 1 },
        { name: 'a', size: 2 },
      ],
    },
  ),
];
