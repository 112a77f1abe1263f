/** `spec.runtime.pod`: where and how the pods run. */
import { z } from 'zod';
import { describe, rules, text } from './field.ts';

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
    'How a revision’s pods are spread. Default: over `topology.kubernetes.io/zone` with maxSkew 1 and `kubernetes.io/hostname` with maxSkew 3, `ScheduleAnyway`; an empty list spreads nothing.',
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
