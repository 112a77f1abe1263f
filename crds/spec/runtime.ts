/** `spec.runtime`: how the pods run the model. */
import { z } from 'zod';
import { describe, duration, durationBetween, quantity, rules, text, whereDurations } from './field.ts';
import { podSchema } from './pod.ts';

const keySelector = z.strictObject({
  name: describe(text(253), 'Name of the object, in the same namespace. Example: `feature-store`.'),
  key: describe(text(253), 'Key inside the object. Example: `password`.'),
});

const envSchema = z
  .strictObject({
    name: describe(
      z
        .string()
        .min(1)
        .max(128)
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
      'Name of the variable. Names that start with `BALLAST_` are the operator’s and refused. Example: `ORT_LOGGING_LEVEL`.',
    ),
    value: describe(
      z.string().max(4096).optional(),
      'Value, taken literally: `$(NAME)` is not expanded. Exactly one of `value` and `valueFrom`. Example: `3`.',
    ),
    valueFrom: describe(
      z
        .strictObject({
          secretKeyRef: describe(
            keySelector.optional(),
            'A key of a Secret of the namespace; the kubelet reads it, the operator never does.',
          ),
          configMapKeyRef: describe(keySelector.optional(), 'A key of a ConfigMap of the namespace.'),
        })
        .optional(),
      'Takes the value from a Secret or a ConfigMap. Exactly one of `value` and `valueFrom`.',
      rules({
        rule: 'has(self.secretKeyRef) != has(self.configMapKeyRef)',
        message: 'give exactly one of secretKeyRef and configMapKeyRef',
        reason: 'FieldValueInvalid',
      }),
    ),
  })
  .meta(
    rules(
      {
        rule: 'has(self.value) != has(self.valueFrom)',
        message: 'give exactly one of value and valueFrom',
        messageExpression:
          "'environment variable ' + self.name + ': give exactly one of value and valueFrom'",
        reason: 'FieldValueInvalid',
      },
      {
        rule: "!self.name.startsWith('BALLAST_')",
        message: 'names that start with BALLAST_ belong to the operator: choose another',
        messageExpression:
          "'environment variable ' + self.name + ': names that start with BALLAST_ belong to the operator, choose another'",
        fieldPath: '.name',
        reason: 'FieldValueForbidden',
      },
    ),
  );

const resourceMap = (what: string) =>
  describe(
    z.record(z.string(), quantity()).optional().meta({ maxProperties: 8 }),
    `${what} as Kubernetes quantities. \`cpu\` in cores (\`500m\`, \`2\`), \`memory\` in bytes (\`512Mi\`).`,
    { maxProperties: 8 },
  );

const batchingSchema = z
  .strictObject({
    maxSize: describe(
      z.int().min(1).max(1_024).optional(),
      'Largest batch in rows; 1 turns batching off. Each pod measures what batches cost and takes the best size up to this, one that takes longer than a third of the tightest promised latency only while so many wait that they would fill two such runs. Default: 32.',
    ),
    maxDelay: describe(
      duration().optional(),
      'How long a batch that is not full may wait for more requests, 0s to 1s. It trades latency for CPU. Example: `5ms`. Default: `0s`: what waits when the runner is free is taken.',
      rules({
        rule: durationBetween('0s', '1s'),
        message: 'runtime.batching.maxDelay must be between 0s and 1s',
        messageExpression: "'runtime.batching.maxDelay is ' + self + ': it must be between 0s and 1s'",
        reason: 'FieldValueInvalid',
      }),
    ),
  })
  .meta(
    rules({
      rule: '!has(self.maxSize) || self.maxSize > 1 || !has(self.maxDelay)',
      message: 'a batch of one row waits for nothing: remove maxDelay, or set maxSize above 1',
      fieldPath: '.maxDelay',
      reason: 'FieldValueForbidden',
    }),
  );

const concurrencySchema = z
  .strictObject({
    maxInFlight: describe(
      z.int().min(1).max(65_536).optional(),
      'How many requests may be inside one pod at once: those that upload, wait and run; one more is answered 429. Default: 4096.',
    ),
    maxQueue: describe(
      z.int().min(1).max(65_536).optional(),
      'How many requests may wait for the runner of one pod, the batch that runs not counted; one more is answered 429. Default: 512.',
    ),
  })
  .meta(
    rules({
      rule: '!has(self.maxInFlight) || !has(self.maxQueue) || self.maxQueue <= self.maxInFlight',
      message: 'maxQueue must not be larger than maxInFlight',
      messageExpression:
        "'maxQueue is %d and maxInFlight is %d: maxQueue must not be larger than maxInFlight'.format([self.maxQueue, self.maxInFlight])",
      fieldPath: '.maxQueue',
      reason: 'FieldValueInvalid',
    }),
  );

const warmupSchema = z.strictObject({
  duration: describe(
    duration().optional(),
    'How long a new pod may measure batches of made-up inputs before it is ready, 0s to 10m; the runs that show whether rows can be batched are made in any case. `0s`: nothing is run, and nothing batched. Example: `2s`. Default: `150ms`.',
    rules({
      rule: durationBetween('0s', '10m'),
      message: 'runtime.warmup.duration must be between 0s and 10m',
      messageExpression: "'runtime.warmup.duration is ' + self + ': it must be between 0s and 10m'",
      reason: 'FieldValueInvalid',
    }),
  ),
});

export const runtimeSchema = z
  .strictObject({
    image: describe(
      z
        .string()
        .min(1)
        .max(512)
        .regex(/^[A-Za-z0-9][^\s]*$/)
        .optional(),
      'Container image of the pods. Default: the operator’s own inference image. An upgrade of the operator changes no running revision.',
    ),
    resources: describe(
      z
        .strictObject({
          requests: resourceMap('What a pod asks of its node,'),
          limits: resourceMap('What a pod may use at most,'),
        })
        .optional(),
      'Requests and limits of the serving container. Default: requests `cpu: 500m`, `memory: 512Mi`; limits `memory: 1Gi`. Whole-CPU limits, or none, serve best: fractions are throttled.',
    ),
    threads: describe(
      z.int().min(1).max(128).optional(),
      'Threads with which onnxruntime runs one batch. Default: whole CPUs of the limit, at least 1; without a limit, the node’s.',
    ),
    batching: describe(batchingSchema.optional(), 'How requests that wait are run together.'),
    concurrency: describe(concurrencySchema.optional(), 'How many requests one pod takes in.'),
    warmup: describe(warmupSchema.optional(), 'What a pod does before it is ready.'),
    env: describe(
      z.array(envSchema).max(64).optional(),
      'More environment variables for the serving container. Default: none.',
      {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
    ),
    limits: describe(
      z
        .strictObject({
          maxBodyBytes: describe(
            z.int().min(1_024).max(2_147_483_647).optional(),
            'Largest request body, bytes; a larger one is answered 413. Default: 16777216 (16 MiB).',
          ),
        })
        .optional(),
      'Limits of one request.',
    ),
    pod: describe(podSchema.optional(), 'Where and how the pods run.'),
  })
  .meta(
    rules(
      {
        rule: `!has(self.warmup) || !has(self.warmup.duration) || !has(self.batching) || ${whereDurations(['self.warmup.duration'], "duration(self.warmup.duration) > duration('0s')")}`,
        message:
          'without a warm-up it is not shown that rows can be batched: remove runtime.batching, or the duration of 0s',
        fieldPath: '.batching',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "has(self.image) || !has(self.resources) || !has(self.resources.limits) || self.resources.limits.all(k, !k.contains('/'))",
        message:
          'an extended resource such as nvidia.com/gpu needs runtime.image: the default image runs on CPUs only',
        fieldPath: '.resources',
        reason: 'FieldValueForbidden',
      },
    ),
  );
