/** Random specs from a seed, for the comparison of two API servers: a custom kind and a Deployment. */
import type { Random } from './chance.ts';

type Fields = Record<string, unknown>;
/** Each field with this probability; now and then null, which removes or defaults. */
export function randomFields(
  random: Random,
  makers: Record<string, () => unknown>,
  probability = 0.4,
  nulls = 0.05,
): Fields {
  const result: Fields = {};
  for (const [name, make] of Object.entries(makers))
    if (random.chance(probability)) result[name] = random.chance(nulls) ? null : make();
  return result;
}

/** A schema with every type of list and map that apply knows. */
export const thingSchema = {
  type: 'object',
  properties: {
    size: { type: 'integer', default: 1, minimum: 0, maximum: 8 },
    text: { type: 'string' },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
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
          inner: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } },
        },
      },
    },
    plain: { type: 'array', items: { type: 'string' } },
    objects: {
      type: 'array',
      items: { type: 'object', properties: { a: { type: 'string' }, n: { type: 'integer', default: 4 } } },
    },
    whole: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
    free: { type: 'object', additionalProperties: { type: 'string' } },
    nested: {
      type: 'object',
      properties: {
        deep: { type: 'object', properties: { x: { type: 'integer' }, y: { type: 'integer' } } },
      },
    },
    any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    either: { 'x-kubernetes-int-or-string': true },
  },
};

/** A spec of the schema above, sometimes one that it refuses; with nulls, some fields are null. */
export function thingSpec(random: Random, _name: string, withNulls: boolean): object {
  const nulls = withNulls ? 0.05 : 0;
  const fieldsOf = (from: Random, makers: Record<string, () => unknown>) =>
    randomFields(from, makers, 0.4, nulls);
  const word = () => random.pick(['u', 'v', 'w']);
  const words = (keys: readonly string[]) =>
    Object.fromEntries(random.some(keys).map((key) => [key, word()]));
  return fieldsOf(random, {
    size: () => random.below(10),
    text: word,
    tags: () => random.some(['r', 's', 't']),
    ports: () =>
      random.some([80, 81, 82]).map((number) => ({
        number,
        ...fieldsOf(random, {
          protocol: () => random.pick(['TCP', 'UDP']),
          note: word,
          inner: () => words(['a', 'b']),
        }),
      })),
    plain: () => random.some(['p', 'q']),
    objects: () => random.some(['1', '2']).map((a) => ({ a })),
    whole: () => words(['k', 'l']),
    free: () => words(['f', 'g', 'h']),
    nested: () =>
      fieldsOf(random, {
        deep: () => fieldsOf(random, { x: () => random.below(3), y: () => random.below(3) }),
      }),
    any: () => fieldsOf(random, { o: () => words(['m', 'n']), l: () => random.some([1, 2]), s: word }),
    either: () => (random.chance(0.5) ? random.below(5) : '5%'),
  });
}

/** A status for that schema's kind. */
export function thingStatus(random: Random): Fields {
  const condition = (type: string) => ({ type, status: random.pick(['True', 'False']) });
  return randomFields(
    random,
    {
      phase: () => random.pick(['A', 'B', 3]),
      replicas: () => random.below(3),
      conditions: () => random.some(['Ready', 'Good']).map(condition),
    },
    0.5,
    0.05,
  );
}

/** Schema of that status. */
export const thingStatusSchema = {
  type: 'object',
  properties: {
    phase: { type: 'string', enum: ['A', 'B'] },
    replicas: { type: 'integer' },
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      items: {
        type: 'object',
        required: ['type'],
        properties: { type: { type: 'string' }, status: { type: 'string' }, note: { type: 'string' } },
      },
    },
  },
};

/** A spec of a Deployment without pods whose selector never changes. */
export function deploymentSpec(random: Random, name: string): object {
  const image = () => random.pick(['i:1', 'i:2']);
  const env = () =>
    random
      .some(['A', 'B', 'C'])
      .map((key) =>
        random.chance(0.8)
          ? { name: key, value: random.pick(['1', '2']) }
          : { name: key, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      );
  const containers = () =>
    [...new Set(['main', ...random.some(['side', 'extra'])])].map((one) => ({
      name: one,
      image: image(),
      ...randomFields(
        random,
        {
          env,
          args: () => random.some(['x', 'y']),
          ports: () =>
            random.some([80, 81]).map((containerPort) => ({ containerPort, name: `p${containerPort}` })),
          resources: () => ({ requests: { cpu: random.pick(['1', '500m', '0.5']) } }),
          workingDir: () => '/w',
        },
        0.4,
        0,
      ),
    }));
  return {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, ...(random.chance(0.3) ? { extra: random.pick(['1', '2']) } : {}) } },
      spec: {
        containers: containers(),
        ...randomFields(
          random,
          {
            nodeSelector: () =>
              Object.fromEntries(random.some(['n', 'm']).map((key) => [key, random.pick(['1', '2'])])),
            tolerations: () => random.some(['t', 'u']).map((key) => ({ key, operator: 'Exists' })),
            volumes: () => random.some(['v', 'w']).map((one) => ({ name: one, emptyDir: {} })),
            terminationGracePeriodSeconds: () => random.below(3),
          },
          0.4,
          0,
        ),
      },
    },
    ...randomFields(
      random,
      { minReadySeconds: () => random.below(3), revisionHistoryLimit: () => random.below(3) },
      0.4,
      0,
    ),
  };
}
