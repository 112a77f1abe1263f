/** `spec.runtime`: how the pods run the model. */
import { z } from 'zod';
import { describe, quantity, rules, text } from './field.ts';
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
    rules({
      rule: "has(self.image) || !has(self.resources) || !has(self.resources.limits) || self.resources.limits.all(k, !k.contains('/'))",
      message:
        'an extended resource such as nvidia.com/gpu needs runtime.image: the default image runs on CPUs only',
      fieldPath: '.resources',
      reason: 'FieldValueForbidden',
    }),
  );
