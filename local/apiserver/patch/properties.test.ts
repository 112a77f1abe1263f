import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyDefaults } from '../../../crds/structural/defaults.ts';
import { prune, unknownFields } from '../../../crds/structural/prune.ts';
import { deepEqual, isObject, type JsonObject } from '../../../crds/structural/schema-node.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { serverSideApply } from './apply.ts';
import { fieldSetOf } from './field-set.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMergePatch } from './strategic.ts';
import { thingSchema } from './testing/custom-scenarios.ts';
import { compare, toFieldSet } from './typed-value.ts';
import { isNoOp, trackUpdate } from './update.ts';

const runs = { numRuns: 300 };
const word = fc.constantFrom('a', 'b', 'c');
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Specs of the custom kind of the scenarios, without nulls and without repeated keys. */
const specs: fc.Arbitrary<JsonObject> = fc
  .record({
    mode: optional(word),
    replicas: optional(fc.integer({ min: 0, max: 3 })),
    tags: optional(fc.uniqueArray(word, { minLength: 1 })),
    plain: optional(fc.array(word, { minLength: 1, maxLength: 3 })),
    ports: optional(
      fc.uniqueArray(
        fc.record({
          name: word,
          protocol: fc.constantFrom('TCP', 'UDP'),
          port: fc.integer({ min: 1, max: 3 }),
        }),
        { minLength: 1, maxLength: 3, selector: ({ name, protocol }) => `${name}/${protocol}` },
      ),
    ),
    whole: optional(fc.record({ a: word, b: word })),
    labels: optional(fc.dictionary(word, word, { minKeys: 1, maxKeys: 2 })),
    free: optional(fc.dictionary(word, word, { minKeys: 1, maxKeys: 2 })),
  })
  .map((spec) => JSON.parse(JSON.stringify(spec)) as JsonObject);

const object = (spec: JsonObject): KubeObject =>
  ({ apiVersion: 's.example.com/v1', kind: 'Thing', metadata: { name: 'x' }, spec }) as unknown as KubeObject;
let second = 0;
function apply(live: KubeObject | undefined, manager: string, spec: JsonObject, force = true): KubeObject {
  second += 1;
  const result = serverSideApply(thingSchema, live, object(spec), {
    manager,
    force,
    apiVersion: 's.example.com/v1',
    time: new Date(second * 1000).toISOString(),
    resetFields: [],
  });
  if (!('object' in result)) throw new Error(JSON.stringify(result));
  return applyDefaults(result.object, thingSchema);
}
const specOf = (value: KubeObject | undefined): unknown => (value as unknown as JsonObject | undefined)?.spec;
const setOf = (value: KubeObject, manager: string) =>
  fieldSetOf(value.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1);

describe('server-side apply', () => {
  test('applying the same twice changes nothing', () => {
    fc.assert(
      fc.property(specs, specs, (first, spec) => {
        const once = apply(apply(undefined, 'b', first), 'a', spec);
        expect(isNoOp(once, apply(once, 'a', spec))).toBe(true);
      }),
      runs,
    );
  });

  test('every field that a manager applies has its value, and the manager owns exactly those', () => {
    fc.assert(
      fc.property(specs, specs, (first, spec) => {
        const live = apply(apply(undefined, 'b', first), 'a', spec);
        const { added, modified } = compare({ spec: specOf(live) }, { spec }, thingSchema);
        expect([...added.paths(), ...modified.paths()]).toEqual([]);
        expect([...setOf(live, 'a').paths()]).toEqual([...toFieldSet({ spec }, thingSchema).paths()]);
      }),
      runs,
    );
  });

  test('what A takes back leaves B’s fields as they are', () => {
    fc.assert(
      fc.property(specs, specs, (mine, theirs) => {
        const both = apply(apply(undefined, 'a', mine), 'b', theirs);
        const left = apply(both, 'a', {});
        const { removed, modified } = compare({ spec: theirs }, { spec: specOf(left) ?? {} }, thingSchema);
        expect([...removed.paths(), ...modified.paths()]).toEqual([]);
        expect(setOf(left, 'b').equals(setOf(both, 'b'))).toBe(true);
      }),
      runs,
    );
  });

  test('no field ever has two owners that disagree, and a conflict names a field of another owner', () => {
    fc.assert(
      fc.property(specs, specs, (mine, theirs) => {
        const live = apply(undefined, 'a', mine);
        const result = serverSideApply(thingSchema, live, object(theirs), {
          manager: 'b',
          force: false,
          apiVersion: 's.example.com/v1',
          time: '2026-01-01T00:00:00Z',
          resetFields: [],
        });
        const { modified } = compare({ spec: specOf(live) }, { spec: theirs }, thingSchema);
        const disputed = setOf(live, 'a').intersection(modified);
        expect('conflict' in result).toBe(!disputed.isEmpty);
        if ('conflict' in result) expect(result.conflict.causes).toHaveLength([...disputed.paths()].length);
      }),
      runs,
    );
  });

  test('an updater owns what it changed, and what vanished has no owner', () => {
    fc.assert(
      fc.property(specs, specs, (mine, next) => {
        const live = apply(undefined, 'a', mine);
        const after = trackUpdate(thingSchema, live, applyDefaults(object(next), thingSchema), {
          manager: 'u',
          apiVersion: 's.example.com/v1',
          time: '2026-01-01T00:00:00Z',
          resetFields: [],
        });
        const all = toFieldSet({ spec: specOf(after) }, thingSchema);
        for (const path of setOf(after, 'a').paths()) expect(all.has(path)).toBe(true);
        const { added, modified } = compare({ spec: specOf(live) }, { spec: specOf(after) }, thingSchema);
        for (const path of [...added.paths(), ...modified.paths()])
          expect(setOf(after, 'u').has(path)).toBe(true);
      }),
      runs,
    );
  });

  test('fieldsV1 keeps every path', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const set = toFieldSet({ spec }, thingSchema);
        expect(fieldSetOf(JSON.parse(JSON.stringify(set.toFieldsV1()))).equals(set)).toBe(true);
      }),
      runs,
    );
  });
});

/** Any JSON without nulls in objects, which a merge patch cannot set. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.integer(),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('map'),
  ),
  map: fc.dictionary(fc.oneof(word, fc.constantFrom('__proto__', 'constructor', 'toString')), tie('value'), {
    maxKeys: 4,
  }),
}));

/** The merge patch that turns one object into another. */
function difference(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return to;
  const patch = Object.create(null) as JsonObject;
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to))
    if (!Object.hasOwn(from, name)) patch[name] = value;
    else if (!deepEqual(from[name], value)) patch[name] = difference(from[name], value);
  return Object.fromEntries(Object.entries(patch));
}

describe('patches', () => {
  test('the merge patch of a difference gives the target', () => {
    fc.assert(
      fc.property(json.map, json.map, (from, to) => {
        expect(deepEqual(mergePatch(from, difference(from, to)), to)).toBe(true);
      }),
      runs,
    );
  });

  test('no patch reaches a prototype', () => {
    mergePatch({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test('without patch keys a strategic patch is a merge patch', () => {
    fc.assert(
      fc.property(json.map, json.map, (from, to) => {
        const patch = difference(from, to);
        const result = strategicMergePatch({ type: 'object' }, from, patch);
        expect('value' in result && deepEqual(result.value, to)).toBe(true);
      }),
      runs,
    );
  });
});

describe('pruning and defaults', () => {
  test('pruning twice is pruning once, and leaves nothing unknown', () => {
    fc.assert(
      fc.property(specs, json.map, (spec, more) => {
        const pruned = prune({ spec: { ...(more as JsonObject), ...spec } }, thingSchema);
        expect(deepEqual(prune(pruned, thingSchema), pruned)).toBe(true);
        expect(unknownFields(pruned, thingSchema)).toEqual([]);
      }),
      runs,
    );
  });

  test('defaults filled in twice are filled in once', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const once = applyDefaults({ spec }, thingSchema);
        expect(deepEqual(applyDefaults(once, thingSchema), once)).toBe(true);
      }),
      runs,
    );
  });
});
