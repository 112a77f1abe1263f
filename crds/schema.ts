/** The contract: one zod schema of a ModelDeployment, from which CRD, JSON Schema and API reference are generated. */
import { z } from 'zod';
import { statusSchema } from './status.ts';
import { durationPattern, percentPattern, quantityPattern, sha256Pattern } from './values.ts';

/** A CEL rule of the CRD; `messageExpression` quotes the bad value, `message` is said where it cannot be computed. */
export interface CelRule {
  rule: string;
  message: string;
  messageExpression?: string;
  fieldPath?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired' | 'FieldValueDuplicate';
  optionalOldSelf?: boolean;
}

/** Attaches what the generator needs: description (with unit, default, example), CEL rules, Kubernetes extensions. */
const describe = <T extends z.ZodType>(
  schema: T,
  description: string,
  extra: Record<string, unknown> = {},
): T => schema.meta({ description, ...extra }) as T;
const rules = (...list: CelRule[]): Record<string, unknown> => ({ 'x-kubernetes-validations': list });

const text = (maxLength: number) => z.string().min(1).max(maxLength);
const duration = () => z.string().max(12).regex(new RegExp(durationPattern));
const quantity = () =>
  z
    .union([z.int(), z.string().max(32)])
    .meta({ 'x-kubernetes-int-or-string': true, pattern: quantityPattern });
const name63 = () => z.string().min(1).max(63);

export const modelSchema = z.strictObject({
  uri: describe(
    z
      .string()
      .min(8)
      .max(2048)
      .regex(/^(https|file|pvc):\/\/[^\s]+$/),
    'Where the model file is. `https://host/path` (redirects followed, private addresses refused), `pvc://claim/path` (a file on a PersistentVolumeClaim of the namespace) or `file:///samples/…` (a file that the pod image brings). Example: `file:///samples/wine/model.onnx`.',
  ),
  sha256: describe(
    z.string().length(64).regex(new RegExp(sha256Pattern)).optional(),
    'SHA-256 of the model file, 64 lower-case hex digits. A file with another digest is never served. Without it, the digest that the revision’s first pod fetches is recorded and every later pod must fetch the same. Default: recorded.',
  ),
  version: describe(
    z
      .string()
      .min(1)
      .max(63)
      .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/)
      .optional(),
    'Version of the model as callers see it in `/v2/models/NAME/versions/VERSION` and in answers. Example: `2026-11-01`. Default: the revision’s hash.',
  ),
});

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

const tolerationSchema = z.strictObject({
  key: describe(
    z.string().max(316).optional(),
    'Taint key that is tolerated. Default: every key, with `operator: Exists`.',
  ),
  operator: describe(z.enum(['Exists', 'Equal']).optional(), '`Exists` or `Equal`. Default: `Equal`.'),
  value: describe(z.string().max(63).optional(), 'Taint value for `Equal`. Example: `models`.'),
  effect: describe(
    z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
    'Taint effect. Default: every effect.',
  ),
  tolerationSeconds: describe(
    z.int().min(0).max(86_400).optional(),
    'How long a `NoExecute` taint is tolerated, seconds. Default: for ever.',
  ),
});

const spreadSchema = z.strictObject({
  topologyKey: describe(
    text(316),
    'Node label whose values are the domains. Example: `topology.kubernetes.io/zone`.',
  ),
  maxSkew: describe(
    z.int().min(1).max(100).optional(),
    'Largest allowed difference of pods between two domains, in pods. Default: 1.',
  ),
  whenUnsatisfiable: describe(
    z.enum(['ScheduleAnyway', 'DoNotSchedule']).optional(),
    'What happens to a pod that would break the skew. Default: `ScheduleAnyway`.',
  ),
});

const stringMap = (description: string) =>
  describe(z.record(z.string(), z.string().max(256)).optional(), description, { maxProperties: 32 });

export const podSchema = z.strictObject({
  nodeSelector: stringMap('Labels that a node must have. Example: `{disktype: ssd}`. Default: any node.'),
  tolerations: describe(
    z.array(tolerationSchema).max(16).optional(),
    'Taints that the pods tolerate. Default: none.',
    { 'x-kubernetes-list-type': 'atomic' },
  ),
  affinity: describe(
    z.looseObject({}).optional(),
    'Kubernetes affinity, passed on as it is (`kubectl explain pod.spec.affinity`). Default: none.',
    { 'x-kubernetes-preserve-unknown-fields': true },
  ),
  topologySpread: describe(
    z.array(spreadSchema).max(8).optional(),
    'How a revision’s pods are spread. Default: over `kubernetes.io/hostname` and `topology.kubernetes.io/zone`, `ScheduleAnyway`.',
    { 'x-kubernetes-list-type': 'atomic' },
  ),
  priorityClassName: describe(
    text(253).optional(),
    'PriorityClass of the pods. Default: the cluster’s default.',
  ),
  serviceAccountName: describe(
    text(253).optional(),
    'ServiceAccount of the pods, which must exist. Default: one that the operator makes, without any permission.',
  ),
  imagePullSecrets: describe(
    z
      .array(
        z.strictObject({
          name: describe(text(253), 'Name of a Secret of the namespace. Example: `registry-login`.'),
        }),
      )
      .max(8)
      .optional(),
    'Secrets to pull the image with. Default: none.',
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
  ),
  labels: describe(
    z.record(z.string(), z.string().max(63)).optional(),
    'More labels for the pods. Keys of `ballast.dev/` and `app.kubernetes.io/` are the operator’s and refused. Default: none.',
    {
      maxProperties: 32,
      ...rules({
        rule: "self.all(k, !k.startsWith('ballast.dev/') && !k.startsWith('app.kubernetes.io/'))",
        message:
          'labels that start with ballast.dev/ or app.kubernetes.io/ belong to the operator: choose another key',
        reason: 'FieldValueForbidden',
      }),
    },
  ),
  annotations: describe(
    z.record(z.string(), z.string().max(4096)).optional(),
    'More annotations for the pods. Default: none.',
    { maxProperties: 32 },
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

const latencyField = (percentile: string, example: string) =>
  describe(
    duration().optional(),
    `${percentile} of the answers come within this time, as clients of the pod see it. Example: \`${example}\`. Default: not promised.`,
  );

export const slaSchema = z.strictObject({
  latency: describe(
    z
      .strictObject({
        p50: latencyField('Half', '20ms'),
        p90: latencyField('90 %', '40ms'),
        p95: latencyField('95 %', '50ms'),
        p99: latencyField('99 %', '100ms'),
      })
      .optional(),
    'Latency promises; 429 and 5xx answers count as late. Default: none.',
    rules(
      {
        rule: 'has(self.p50) || has(self.p90) || has(self.p95) || has(self.p99)',
        message: 'promise at least one of p50, p90, p95 and p99, or leave sla.latency out',
        reason: 'FieldValueRequired',
      },
      {
        rule: "[self.?p50, self.?p90, self.?p95, self.?p99].all(p, !p.hasValue() || duration(p.value()) > duration('0s'))",
        message: 'a promised latency must be longer than 0: write for instance 50ms',
        reason: 'FieldValueInvalid',
      },
      ...(
        [
          ['p50', 'p90'],
          ['p50', 'p95'],
          ['p50', 'p99'],
          ['p90', 'p95'],
          ['p90', 'p99'],
          ['p95', 'p99'],
        ] as const
      ).map(
        ([low, high]): CelRule => ({
          rule: `!has(self.${low}) || !has(self.${high}) || duration(self.${low}) <= duration(self.${high})`,
          message: `${low} must not be longer than ${high}`,
          messageExpression: `'${low} is ' + self.${low} + ' and ${high} is ' + self.${high} + ': ${low} must not be longer than ${high}'`,
          fieldPath: `.${low}`,
          reason: 'FieldValueInvalid',
        }),
      ),
    ),
  ),
  errorRate: describe(
    z.string().max(8).regex(new RegExp(percentPattern)).optional(),
    'Largest share of requests that may fail: 429, 503, 504 and other 5xx; a client’s own 4xx does not count. Example: `0.1%`. Default: not promised.',
  ),
  window: describe(
    duration().default('5m'),
    'SLO window over which promise and measurement are compared, 10s to 1h. Default: `5m`.',
    rules({
      rule: "duration(self) >= duration('10s') && duration(self) <= duration('1h')",
      message: 'sla.window must be between 10s and 1h',
      messageExpression: "'sla.window is ' + self + ': it must be between 10s and 1h'",
      reason: 'FieldValueInvalid',
    }),
  ),
});

export const trafficSchema = z.strictObject({
  timeout: describe(
    duration().optional(),
    'Longest time that a request may take before it is answered 504, 10ms to 1h. Default: the larger of 1s and ten times the highest promised latency.',
    rules({
      rule: "duration(self) >= duration('10ms') && duration(self) <= duration('1h')",
      message: 'traffic.timeout must be between 10ms and 1h',
      messageExpression: "'traffic.timeout is ' + self + ': it must be between 10ms and 1h'",
      reason: 'FieldValueInvalid',
    }),
  ),
});

export const scalingModes = ['SLA', 'Fixed', 'External'] as const;
const replicas = (min: number) => z.int().min(min).max(1_000);

export const scalingSchema = z
  .strictObject({
    mode: describe(
      z.enum(scalingModes).default('SLA'),
      'Who decides how many replicas run. `SLA`: Ballast, from latency and request rate. `Fixed`: `replicas`. `External`: another autoscaler (HPA, KEDA) through the scale subresource. Default: `SLA`.',
    ),
    minReplicas: describe(replicas(1).optional(), 'Fewest replicas in mode `SLA`. Default: 1.'),
    maxReplicas: describe(
      replicas(1).optional(),
      'Most replicas in mode `SLA`. Default: with an `sla` or `requestsPerSecondPerReplica` the larger of minReplicas and 10, without them minReplicas.',
    ),
    replicas: describe(
      replicas(0).default(1),
      'Replicas in the modes `Fixed` and `External`; `kubectl scale` writes it. In mode `SLA` it cannot be changed. Default: 1.',
    ),
    requestsPerSecondPerReplica: describe(
      z.int().min(1).max(1_000_000).optional(),
      'Requests per second that one replica should get at most, in mode `SLA`: a floor beside the latency promise. Example: 200. Default: measured capacity decides.',
    ),
  })
  .meta(
    rules(
      {
        rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
        message: 'minReplicas must not be larger than maxReplicas',
        messageExpression:
          "'minReplicas is ' + string(self.minReplicas) + ' and maxReplicas is ' + string(self.maxReplicas) + ': minReplicas must not be larger than maxReplicas'",
        fieldPath: '.minReplicas',
        reason: 'FieldValueInvalid',
      },
      {
        rule: "self.mode == 'SLA' || !(has(self.minReplicas) || has(self.maxReplicas) || has(self.requestsPerSecondPerReplica))",
        message:
          'minReplicas, maxReplicas and requestsPerSecondPerReplica belong to mode SLA: remove them, or set mode: SLA',
        messageExpression:
          "'scaling.mode is ' + self.mode + ': minReplicas, maxReplicas and requestsPerSecondPerReplica belong to mode SLA; remove them, or set mode: SLA'",
        fieldPath: '.mode',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "self.mode != 'SLA' || self.replicas == 1 || self.replicas == oldSelf.?replicas.orValue(1)",
        message:
          'in scaling.mode SLA Ballast chooses the replicas: set minReplicas and maxReplicas, or mode: Fixed',
        messageExpression:
          "'scaling.replicas cannot become ' + string(self.replicas) + ': in scaling.mode SLA Ballast chooses the replicas; set minReplicas and maxReplicas, or mode: Fixed'",
        fieldPath: '.replicas',
        reason: 'FieldValueForbidden',
        optionalOldSelf: true,
      },
    ),
  );

export const rolloutSchema = z.strictObject({
  progressDeadline: describe(
    duration().optional(),
    'How long a new revision may take to become ready before it counts as failed, 10s to 24h; the old one keeps serving. Default: `10m`.',
    rules({
      rule: "duration(self) >= duration('10s') && duration(self) <= duration('24h')",
      message: 'rollout.progressDeadline must be between 10s and 24h',
      messageExpression: "'rollout.progressDeadline is ' + self + ': it must be between 10s and 24h'",
      reason: 'FieldValueInvalid',
    }),
  ),
  revisionHistoryLimit: describe(
    z.int().min(0).max(100).optional(),
    'How many old revisions are kept to go back to. Default: 10.',
  ),
  restartedAt: describe(
    z.string().max(64).optional(),
    'Change it to replace every pod with a new one of the same revision, a few at a time. Any text; a time is usual. Example: `2026-11-24T10:00:00Z`. Default: never restarted.',
  ),
});

export const accessSchema = z.strictObject({
  networkPolicy: describe(
    z.enum(['Off', 'Restricted']).optional(),
    '`Restricted` adds a NetworkPolicy: into the pods only on their three ports, out of them only what fetching the model needs. Default: `Off`.',
  ),
});

export const specSchema = z.strictObject({
  model: describe(modelSchema, 'The model to serve.'),
  runtime: describe(runtimeSchema.optional(), 'How the pods run it. A change makes a new revision.'),
  sla: describe(
    slaSchema.optional(),
    'What the deployment promises. The autoscaler, status and the error budget read this one block.',
  ),
  traffic: describe(trafficSchema.optional(), 'How requests wait and when they are refused.'),
  scaling: describe(
    scalingSchema.default({ mode: 'SLA', replicas: 1 }),
    'How many replicas run, and who decides it. Default: mode SLA, one replica and more when the promise needs them.',
  ),
  rollout: describe(
    rolloutSchema.optional(),
    'How a new revision replaces the old one: pods are added before others are taken away.',
  ),
  access: describe(accessSchema.optional(), 'Who may reach the pods.'),
  suspend: describe(
    z.boolean().optional(),
    'True stops every pod and keeps everything else; false or absent brings them back. Default: false.',
  ),
});

export const modelDeploymentSchema = z.strictObject({
  apiVersion: z.literal('ballast.dev/v1alpha1'),
  kind: z.literal('ModelDeployment'),
  metadata: z.looseObject({ name: name63(), namespace: name63().optional() }),
  spec: specSchema,
  status: statusSchema.optional(),
});

/** Rules at the root of the CRD, where `self.metadata.name` can be read. */
export const rootRules: CelRule[] = [
  {
    rule: "self.metadata.name.size() <= 45 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message:
      'the name must have at most 45 characters: lower-case letters, digits and "-", starting with a letter',
    messageExpression:
      '\'the name "\' + self.metadata.name + \'" must have at most 45 characters: lower-case letters, digits and "-", starting with a letter and ending with a letter or digit\'',
    reason: 'FieldValueInvalid',
  },
];
