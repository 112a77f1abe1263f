/** Specs of a ModelDeployment that a real kube-apiserver 1.36.3 refuses with the generated CRD, and its words. */

import { refusedContracts } from './refused-contracts.ts';
import { refusedDurations } from './refused-durations.ts';
import { refusedPromises } from './refused-promises.ts';
import { refusedServing } from './refused-serving.ts';

const uri = 'file:///samples/wine/model.onnx';
/** Said beside errors of the schema that keep rules from being asked. */
const unchecked =
  '<nil> | FieldValueInvalid | Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/** Refused, with all causes as `field | reason | message`. */
export const refused: [name: string, spec: object | undefined, causes: string[]][] = [
  ['no spec', undefined, ['spec | FieldValueRequired | Required value', unchecked]],
  ['no model', {}, ['spec.model | FieldValueRequired | Required value', unchecked]],
  ['no uri', { model: {} }, ['spec.model.uri | FieldValueRequired | Required value', unchecked]],
  [
    'an empty uri',
    { model: { uri: '' } },
    [
      `spec.model.uri | FieldValueInvalid | Invalid value: "": spec.model.uri in body should match '^(https|file|pvc):\\/\\/[^\\s]+$'`,
    ],
  ],
  [
    'a scheme that is not served',
    { model: { uri: 'ftp://host/model.onnx' } },
    [
      `spec.model.uri | FieldValueInvalid | Invalid value: "ftp://host/model.onnx": spec.model.uri in body should match '^(https|file|pvc):\\/\\/[^\\s]+$'`,
    ],
  ],
  [
    'a uri with a space',
    { model: { uri: 'https://host/my model.onnx' } },
    [
      `spec.model.uri | FieldValueInvalid | Invalid value: "https://host/my model.onnx": spec.model.uri in body should match '^(https|file|pvc):\\/\\/[^\\s]+$'`,
    ],
  ],
  [
    'a uri that is a number',
    { model: { uri: 7 } },
    [
      'spec.model.uri | FieldValueTypeInvalid | Invalid value: "integer": spec.model.uri in body must be of type string: "integer"',
      unchecked,
    ],
  ],
  [
    'a digest that is too short',
    { model: { uri, sha256: 'abc' } },
    [
      'spec.model.sha256 | FieldValueInvalid | Invalid value: "abc": spec.model.sha256 in body should be at least 64 chars long',
    ],
  ],
  [
    'a digest in upper case',
    { model: { uri, sha256: 'A'.repeat(64) } },
    [
      `spec.model.sha256 | FieldValueInvalid | Invalid value: "${'A'.repeat(64)}": spec.model.sha256 in body should match '^[a-f0-9]{64}$'`,
    ],
  ],
  [
    'a version with a slash',
    { model: { uri, version: 'a/b' } },
    [
      `spec.model.version | FieldValueInvalid | Invalid value: "a/b": spec.model.version in body should match '^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$'`,
    ],
  ],
  [
    'a latency as a number',
    { model: { uri }, sla: { latency: { p95: 50 } } },
    [
      'spec.sla.latency.p95 | FieldValueTypeInvalid | Invalid value: "integer": spec.sla.latency.p95 in body must be of type string: "integer"',
      unchecked,
    ],
  ],
  [
    'a timeout that is too long',
    { model: { uri }, traffic: { timeout: '2h' } },
    [
      'spec.traffic.timeout | FieldValueInvalid | Invalid value: "2h": traffic.timeout is 2h: it must be between 10ms and 1h',
    ],
  ],
  [
    'minReplicas above maxReplicas',
    { model: { uri }, scaling: { minReplicas: 5, maxReplicas: 3 } },
    [
      'spec.scaling.minReplicas | FieldValueInvalid | Invalid value: minReplicas is 5 and maxReplicas is 3: minReplicas must not be larger than maxReplicas',
    ],
  ],
  [
    'minReplicas of zero',
    { model: { uri }, scaling: { minReplicas: 0 } },
    [
      'spec.scaling.minReplicas | FieldValueInvalid | Invalid value: 0: spec.scaling.minReplicas in body should be greater than or equal to 1',
    ],
  ],
  [
    'maxReplicas beyond its bound',
    { model: { uri }, scaling: { maxReplicas: 1001 } },
    [
      'spec.scaling.maxReplicas | FieldValueInvalid | Invalid value: 1001: spec.scaling.maxReplicas in body should be less than or equal to 1000',
    ],
  ],
  [
    'replicas as text',
    { model: { uri }, scaling: { mode: 'Fixed', replicas: '2' } },
    [
      'spec.scaling.replicas | FieldValueTypeInvalid | Invalid value: "string": spec.scaling.replicas in body must be of type integer: "string"',
      '.spec.scaling.replicas | FieldValueInvalid | Invalid value: 0: .spec.scaling.replicas accessor error: 2 is of the type string, expected int64',
      unchecked,
    ],
  ],
  [
    'replicas that are no whole number',
    { model: { uri }, scaling: { mode: 'Fixed', replicas: 1.5 } },
    [
      'spec.scaling.replicas | FieldValueTypeInvalid | Invalid value: "float64": spec.scaling.replicas in body must be of type int64: "float64"',
      '<nil> | FieldValueInvalid | Invalid value: "": Checked value must be of type integer with format int64 in spec.scaling.replicas',
      '.spec.scaling.replicas | FieldValueInvalid | Invalid value: 0: .spec.scaling.replicas accessor error: 1.5 is of the type float64, expected int64',
      unchecked,
    ],
  ],
  [
    'an unknown mode',
    { model: { uri }, scaling: { mode: 'Auto' } },
    [
      'spec.scaling.mode | FieldValueNotSupported | Unsupported value: "Auto": supported values: "SLA", "Fixed", "External"',
      unchecked,
    ],
  ],
  [
    'maxReplicas in mode Fixed',
    { model: { uri }, scaling: { mode: 'Fixed', maxReplicas: 3 } },
    [
      'spec.scaling.mode | FieldValueForbidden | Forbidden: scaling.mode is Fixed: minReplicas, maxReplicas and requestsPerSecondPerReplica belong to mode SLA; remove them, or set mode: SLA',
    ],
  ],
  [
    'a request rate in mode External',
    { model: { uri }, scaling: { mode: 'External', requestsPerSecondPerReplica: 5 } },
    [
      'spec.scaling.mode | FieldValueForbidden | Forbidden: scaling.mode is External: minReplicas, maxReplicas and requestsPerSecondPerReplica belong to mode SLA; remove them, or set mode: SLA',
    ],
  ],
  [
    'replicas in mode SLA',
    { model: { uri }, scaling: { replicas: 3 } },
    [
      'spec.scaling.replicas | FieldValueForbidden | Forbidden: scaling.replicas cannot become 3: in scaling.mode SLA Ballast chooses the replicas; set minReplicas and maxReplicas, or mode: Fixed',
    ],
  ],
  [
    'a GPU without an image',
    {
      model: { uri },
      runtime: { resources: { limits: { 'nvidia.com/gpu': 1 } } },
    },
    [
      'spec.runtime.resources | FieldValueForbidden | Forbidden: an extended resource such as nvidia.com/gpu needs runtime.image: the default image runs on CPUs only',
    ],
  ],
  [
    'a quantity that is none',
    {
      model: { uri },
      runtime: { resources: { limits: { memory: 'lots' } } },
    },
    [
      `spec.runtime.resources.limits.memory | FieldValueInvalid | Invalid value: "lots": spec.runtime.resources.limits.memory in body should match '^[0-9]{1,15}(\\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|[eE][0-9]{1,2})?$'`,
    ],
  ],
  [
    'threads of zero',
    { model: { uri }, runtime: { threads: 0 } },
    [
      'spec.runtime.threads | FieldValueInvalid | Invalid value: 0: spec.runtime.threads in body should be greater than or equal to 1',
    ],
  ],
  [
    'an environment variable of the operator',
    {
      model: { uri },
      runtime: { env: [{ name: 'BALLAST_X', value: '1' }] },
    },
    [
      'spec.runtime.env[0].name | FieldValueForbidden | Forbidden: environment variable BALLAST_X: names that start with BALLAST_ belong to the operator, choose another',
    ],
  ],
  [
    'an environment variable with two sources',
    {
      model: { uri },
      runtime: {
        env: [{ name: 'A', value: '1', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }],
      },
    },
    [
      'spec.runtime.env[0] | FieldValueInvalid | Invalid value: environment variable A: give exactly one of value and valueFrom',
    ],
  ],
  [
    'an environment variable without any',
    {
      model: { uri },
      runtime: { env: [{ name: 'A' }] },
    },
    [
      'spec.runtime.env[0] | FieldValueInvalid | Invalid value: environment variable A: give exactly one of value and valueFrom',
    ],
  ],
  [
    'valueFrom with two sources',
    {
      model: { uri },
      runtime: {
        env: [
          {
            name: 'A',
            valueFrom: { secretKeyRef: { name: 'a', key: 'b' }, configMapKeyRef: { name: 'a', key: 'b' } },
          },
        ],
      },
    },
    [
      'spec.runtime.env[0].valueFrom | FieldValueInvalid | Invalid value: give exactly one of secretKeyRef and configMapKeyRef',
    ],
  ],
  [
    'a name of a variable with a dash',
    {
      model: { uri },
      runtime: { env: [{ name: 'A-B', value: '1' }] },
    },
    [
      `spec.runtime.env[0].name | FieldValueInvalid | Invalid value: "A-B": spec.runtime.env[0].name in body should match '^[A-Za-z_][A-Za-z0-9_]*$'`,
    ],
  ],
  [
    'one variable twice',
    {
      model: { uri },
      runtime: {
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
    },
    ['spec.runtime.env[1] | FieldValueDuplicate | Duplicate value: {"name":"A"}'],
  ],
  [
    'a label of the operator',
    {
      model: { uri },
      runtime: { pod: { labels: { 'ballast.dev/role': 'x' } } },
    },
    [
      'spec.runtime.pod.labels | FieldValueForbidden | Forbidden: labels that start with ballast.dev/ or app.kubernetes.io/ belong to the operator: choose another key',
    ],
  ],
  [
    'an unknown toleration operator',
    {
      model: { uri },
      runtime: {
        pod: { tolerations: [{ operator: 'Like' }] },
      },
    },
    [
      'spec.runtime.pod.tolerations[0].operator | FieldValueNotSupported | Unsupported value: "Like": supported values: "Exists", "Equal"',
      unchecked,
    ],
  ],
  [
    'a spread without a key',
    {
      model: { uri },
      runtime: {
        pod: { topologySpread: [{ maxSkew: 1 }] },
      },
    },
    ['spec.runtime.pod.topologySpread[0].topologyKey | FieldValueRequired | Required value', unchecked],
  ],
  [
    'a pull secret twice',
    {
      model: { uri },
      runtime: {
        pod: { imagePullSecrets: [{ name: 'a' }, { name: 'a' }] },
      },
    },
    ['spec.runtime.pod.imagePullSecrets[1] | FieldValueDuplicate | Duplicate value: {"name":"a"}'],
  ],
  [
    'an unknown network policy',
    { model: { uri }, access: { networkPolicy: 'Open' } },
    [
      'spec.access.networkPolicy | FieldValueNotSupported | Unsupported value: "Open": supported values: "Off", "Restricted"',
      unchecked,
    ],
  ],
  [
    'a history limit below zero',
    { model: { uri }, rollout: { revisionHistoryLimit: -1 } },
    [
      'spec.rollout.revisionHistoryLimit | FieldValueInvalid | Invalid value: -1: spec.rollout.revisionHistoryLimit in body should be greater than or equal to 0',
    ],
  ],
  [
    'a deadline without a unit',
    { model: { uri }, rollout: { progressDeadline: '600' } },
    [
      `spec.rollout.progressDeadline | FieldValueInvalid | Invalid value: "600": spec.rollout.progressDeadline in body should match '^[0-9]{1,9}(ms|s|m|h)$'`,
    ],
  ],
  [
    'suspend as text',
    { model: { uri }, suspend: 'yes' },
    [
      'spec.suspend | FieldValueTypeInvalid | Invalid value: "string": spec.suspend in body must be of type boolean: "string"',
      unchecked,
    ],
  ],
  ...refusedContracts,
  ...refusedDurations,
  ...refusedPromises,
  ...refusedServing,
];
