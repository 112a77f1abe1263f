/** Sequences of writes to one custom resource; see `scenarios.ts`. */
import { apply, type Scenario, write } from './scenarios.ts';

type Draft = Record<string, unknown>;

const things = { path: '/apis/s.example.com/v1', group: 's.example.com', version: 'v1', kind: 'Thing' };
const thing = (spec?: unknown, rest: Draft = {}): Draft => ({
  apiVersion: 's.example.com/v1',
  kind: 'Thing',
  metadata: { name: 'x' },
  ...(spec === undefined ? {} : { spec }),
  ...rest,
});

/** The schema of the custom kind that scenarios use. */
export const thingSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        mode: { type: 'string' },
        replicas: { type: 'integer', default: 1 },
        size: { 'x-kubernetes-int-or-string': true },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        plain: { type: 'array', items: { type: 'string' } },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name', 'protocol'],
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { type: 'string' },
              protocol: { type: 'string', default: 'TCP' },
              port: { type: 'integer' },
            },
          },
        },
        whole: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        nested: {
          type: 'object',
          properties: { a: { type: 'string' }, b: { type: 'object', properties: { c: { type: 'string' } } } },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: {
      type: 'object',
      properties: { phase: { type: 'string' }, count: { type: 'integer' } },
    },
  },
} as const;

export const customScenarios: readonly Scenario[] = [
  {
    name: 'a custom resource: sets, keyed lists, atomic parts, free parts',
    resource: things,
    steps: [
      apply(
        'a',
        thing({
          mode: 'm',
          tags: ['x', 'y'],
          plain: ['p'],
          ports: [{ name: 'h', port: 1 }],
          whole: { a: '1' },
          labels: { l: 'm' },
          nested: { b: { c: '1' } },
          free: { q: { r: 1 }, s: [1, { t: 1 }] },
          size: '5%',
        }),
      ),
      apply(
        'b',
        thing({ tags: ['y', 'z'], ports: [{ name: 'h', protocol: 'UDP', port: 2 }], labels: { n: 'o' } }),
      ),
      apply(
        'b',
        thing({
          whole: { b: '1' },
          plain: ['q'],
          ports: [{ name: 'h', port: 3 }],
          nested: { b: { c: '2' } },
          free: { q: { r: 2 } },
          size: 5,
        }),
      ),
      apply('a', thing({ mode: 'm', tags: ['y'], nested: {} })),
      apply('b', thing({})),
      apply('a', thing()),
      apply('b', thing()),
    ],
  },
  {
    name: 'a custom resource created and updated',
    resource: things,
    steps: [
      write(
        'create',
        'm',
        thing(
          { mode: 'x', ports: [{ name: 'h', port: 1 }], tags: ['a'], nested: { a: '1' } },
          { status: { phase: 'no' } },
        ),
      ),
      write('merge', 'm', { spec: { nested: { b: { c: '2' } }, tags: ['a', 'b'] } }),
      {
        ...write('merge', 's', {
          status: { phase: 'P', count: 1 },
          spec: { mode: 'ignored' },
          metadata: { labels: { no: 'no' } },
        }),
        subresource: 'status',
      },
      { ...apply('t', thing(undefined, { status: { count: 2 } })), subresource: 'status' },
      { ...apply('t', thing(undefined, { status: { count: 2 } }), true), subresource: 'status' },
      apply('a', thing({ mode: 'y' }, { status: { phase: 'no' } }), true),
      write('merge', 'm', { spec: null }),
    ],
  },
  {
    name: 'what an apply may not be',
    resource: things,
    steps: [
      apply('a', thing({ nope: 1 })),
      apply('a', thing({ mode: 1 })),
      apply('a', thing({ tags: ['x', 'x'] })),
      apply('a', thing({ ports: [{ port: 1 }] })),
      apply('a', thing({ ports: [{ name: 'a' }, { name: 'a', protocol: 'TCP' }] })),
      apply('a', thing({ ports: 'x' })),
      apply('a', thing({ nested: ['x'] })),
      apply('a', thing({ mode: null, replicas: null })),
    ],
  },
];
