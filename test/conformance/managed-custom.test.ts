import { describe, expect, test } from '@jest/globals';
import { openCluster } from './support/cluster.ts';
import { thingDefinition } from './support/objects.ts';
import { at, owners, said } from './support/words.ts';

const api = await openCluster();
const fresh = () => api.unique('managed');
const group = `${api.unique('managed')}.test`;
const things = await api.install(
  thingDefinition(
    group,
    {
      type: 'object',
      properties: {
        size: { type: 'integer', default: 1 },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['number', 'protocol'],
          items: {
            type: 'object',
            required: ['number'],
            properties: {
              number: { type: 'integer' },
              protocol: { type: 'string', default: 'TCP' },
              note: { type: 'string' },
            },
          },
        },
        plain: { type: 'array', items: { type: 'string' } },
        whole: {
          type: 'object',
          'x-kubernetes-map-type': 'atomic',
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
        free: { type: 'object', additionalProperties: { type: 'string' } },
        any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    {
      version: {
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
        },
      },
    },
  ) as never,
);
const applyThing = (name: string, manager: string, spec: object, query = {}) =>
  api.apply(
    `${things}/${name}`,
    manager,
    { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name }, spec },
    query,
  );

describe('custom kinds', () => {
  test('status is applied apart, under its own subresource', async () => {
    const name = fresh();
    await applyThing(name, 'spec-writer', { size: 2 });
    const answer = await api.apply(`${things}/${name}/status`, 'status-writer', {
      apiVersion: `${group}/v1`,
      kind: 'Thing',
      metadata: { name },
      spec: { size: 9 },
      status: { ready: true },
    });
    expect(said(answer)).toBe('200');
    expect(answer.body).toMatchObject({ spec: { size: 2 }, status: { ready: true } });
    expect(owners(answer.body)).toEqual({
      'spec-writer Apply': ['.spec.size'],
      'status-writer Apply/status': ['.status.ready'],
    });
  });

  test('a status apply to an absent object is NotFound', async () => {
    const name = fresh();
    const answer = await api.apply(`${things}/${name}/status`, 'a', {
      apiVersion: `${group}/v1`,
      kind: 'Thing',
      metadata: { name },
      status: { ready: true },
    });
    expect(said(answer)).toBe(`404 NotFound: things.${group} "${name}" not found`);
  });

  test('a status in an apply to the object itself is dropped', async () => {
    const name = fresh();
    const answer = await api.apply(`${things}/${name}`, 'a', {
      apiVersion: `${group}/v1`,
      kind: 'Thing',
      metadata: { name },
      spec: { size: 2 },
      status: { ready: true },
    });
    expect(answer.body).not.toHaveProperty('status');
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.spec.size'] });
  });

  test('a set merges its members', async () => {
    const name = fresh();
    await applyThing(name, 'a', { tags: ['x', 'y'] });
    const shared = await applyThing(name, 'b', { tags: ['y', 'z'] });
    expect(at(shared.body, 'spec.tags')).toEqual(['x', 'y', 'z']);
    expect(owners(shared.body)).toEqual({
      'a Apply': ['.spec.tags[="x"]', '.spec.tags[="y"]'],
      'b Apply': ['.spec.tags[="y"]', '.spec.tags[="z"]'],
    });
    const less = await applyThing(name, 'a', { tags: ['x'] });
    expect(at(less.body, 'spec.tags')).toEqual(['x', 'y', 'z']);
    const none = await applyThing(name, 'b', {});
    expect(at(none.body, 'spec.tags')).toEqual(['x']);
  });

  test('a map list merges by both keys, a default included', async () => {
    const name = fresh();
    await applyThing(name, 'a', { ports: [{ number: 53 }, { number: 53, protocol: 'UDP', note: 'u' }] });
    const answer = await applyThing(name, 'b', { ports: [{ number: 53, protocol: 'TCP', note: 't' }] });
    expect(at(answer.body, 'spec.ports')).toEqual([
      { number: 53, protocol: 'TCP', note: 't' },
      { number: 53, protocol: 'UDP', note: 'u' },
    ]);
    expect(owners(answer.body)['b Apply']).toEqual([
      '.spec.ports[number=53,protocol="TCP"].note',
      '.spec.ports[number=53,protocol="TCP"].number',
      '.spec.ports[number=53,protocol="TCP"].protocol',
    ]);
  });

  test('a list without a type is atomic', async () => {
    const name = fresh();
    const made = await applyThing(name, 'a', { plain: ['x', 'y'] });
    expect(owners(made.body)).toEqual({ 'a Apply': ['.spec.plain'] });
    const answer = await applyThing(name, 'b', { plain: ['z'] });
    expect(said(answer)).toBe('409 Conflict: Apply failed with 1 conflict: conflict with "a": .spec.plain');
    const forced = await applyThing(name, 'b', { plain: ['z'] }, { force: true });
    expect(at(forced.body, 'spec.plain')).toEqual(['z']);
  });

  test('an atomic map is replaced whole', async () => {
    const name = fresh();
    await applyThing(name, 'a', { whole: { a: '1' } });
    const answer = await applyThing(name, 'b', { whole: { b: '2' } }, { force: true });
    expect(at(answer.body, 'spec.whole')).toEqual({ b: '2' });
    expect(owners(answer.body)).toEqual({ 'b Apply': ['.spec.whole'] });
  });

  test('a map of free keys is owned key by key', async () => {
    const name = fresh();
    await applyThing(name, 'a', { free: { x: '1' } });
    const answer = await applyThing(name, 'b', { free: { y: '2' } });
    expect(at(answer.body, 'spec.free')).toEqual({ x: '1', y: '2' });
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.spec.free.x'], 'b Apply': ['.spec.free.y'] });
  });

  test('unknown fields below preserve-unknown-fields are owned leaf by leaf, lists as one', async () => {
    const name = fresh();
    const answer = await applyThing(name, 'a', { any: { deep: { x: 1 }, list: [{ y: 2 }] } });
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.spec.any.deep.x', '.spec.any.list'] });
  });

  test('a field outside the schema is refused', async () => {
    const name = fresh();
    const answer = await applyThing(name, 'a', { surprise: 1 });
    expect(answer.status).toBe(500);
    expect(answer.body.message).toMatch(
      /^failed to create typed patch object \(.*\/managed-.*; managed-.*\.test\/v1, Kind=Thing\): \.spec\.surprise: field not declared in schema$/,
    );
  });

  test('a default that nobody sent is owned by nobody', async () => {
    const name = fresh();
    const answer = await applyThing(name, 'a', { tags: ['x'] });
    expect(at(answer.body, 'spec.size')).toBe(1);
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.spec.tags[="x"]'] });
  });

  test('null is owned by nobody', async () => {
    const name = fresh();
    const answer = await applyThing(name, 'a', { size: null, tags: ['x'] });
    expect(said(answer)).toBe('201');
    expect(at(answer.body, 'spec.size')).toBe(1);
  });

  test('an update through status owns status alone', async () => {
    const name = fresh();
    await applyThing(name, 'a', { size: 2 });
    const answer = await api.mergePatch(
      `${things}/${name}/status`,
      { status: { size: 3 } },
      { fieldManager: 'op' },
    );
    expect(owners(answer.body)).toEqual({ 'a Apply': ['.spec.size'], 'op Update/status': ['.status.size'] });
  });

  test('a write of scale owns the replicas path', async () => {
    const name = fresh();
    await applyThing(name, 'a', { size: 2 });
    await api.mergePatch(`${things}/${name}/scale`, { spec: { replicas: 5 } }, { fieldManager: 'scaler' });
    const { body } = await api.get(`${things}/${name}`);
    expect(at(body, 'spec.size')).toBe(5);
    expect(owners(body)).toEqual({ 'scaler Update/scale': ['.spec.size'] });
  });
});
