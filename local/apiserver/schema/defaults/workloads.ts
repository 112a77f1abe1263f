/** Defaults of workloads that depend on other fields. Work in place. */
import type { JsonObject } from '../../../../crds/structural/schema-node.ts';
import { ensureObject, objectAt, objectsAt, setDefault, setDefaultText } from './access.ts';
import { defaultTemplate } from './pods.ts';

/** Deployment: replicas, strategy, history, deadline. */
export function defaultDeployment(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  defaultTemplate(object);
  setDefault(spec, 'replicas', 1);
  setDefault(spec, 'revisionHistoryLimit', 10);
  setDefault(spec, 'progressDeadlineSeconds', 600);
  const strategy = ensureObject(spec, 'strategy');
  setDefaultText(strategy, 'type', 'RollingUpdate');
  if (strategy.type !== 'RollingUpdate') return;
  const rolling = ensureObject(strategy, 'rollingUpdate');
  setDefault(rolling, 'maxUnavailable', '25%');
  setDefault(rolling, 'maxSurge', '25%');
}

/** ReplicaSet: replicas; labels and selector come from the template in old versions only. */
export function defaultReplicaSet(object: JsonObject): void {
  defaultTemplate(object);
  setDefault(ensureObject(object, 'spec'), 'replicas', 1);
}

/** StatefulSet: replicas, update strategy, claims. */
export function defaultStatefulSet(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  defaultTemplate(object);
  setDefault(spec, 'replicas', 1);
  setDefault(spec, 'revisionHistoryLimit', 10);
  setDefaultText(spec, 'podManagementPolicy', 'OrderedReady');
  const strategy = ensureObject(spec, 'updateStrategy');
  setDefaultText(strategy, 'type', 'RollingUpdate');
  if (strategy.type === 'RollingUpdate') setDefault(ensureObject(strategy, 'rollingUpdate'), 'partition', 0);
  const retention = ensureObject(spec, 'persistentVolumeClaimRetentionPolicy');
  setDefaultText(retention, 'whenDeleted', 'Retain');
  setDefaultText(retention, 'whenScaled', 'Retain');
  for (const claim of objectsAt(spec, 'volumeClaimTemplates')) {
    setDefaultText(claim, 'apiVersion', 'v1');
    setDefaultText(claim, 'kind', 'PersistentVolumeClaim');
    setDefaultText(ensureObject(claim, 'status'), 'phase', 'Pending');
  }
}

/** DaemonSet: update strategy and history. */
export function defaultDaemonSet(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  defaultTemplate(object);
  setDefault(spec, 'revisionHistoryLimit', 10);
  const strategy = ensureObject(spec, 'updateStrategy');
  setDefaultText(strategy, 'type', 'RollingUpdate');
  if (strategy.type !== 'RollingUpdate') return;
  const rolling = ensureObject(strategy, 'rollingUpdate');
  setDefault(rolling, 'maxUnavailable', 1);
  setDefault(rolling, 'maxSurge', 0);
}

function scalingRules(up: boolean): JsonObject {
  return {
    ...(up ? { stabilizationWindowSeconds: 0 } : {}),
    selectPolicy: 'Max',
    policies: up
      ? [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ]
      : [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  };
}

/** HorizontalPodAutoscaler: fewest replicas, metric, behaviour. */
export function defaultAutoscaler(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  setDefault(spec, 'minReplicas', 1);
  if (objectsAt(spec, 'metrics').length === 0)
    spec.metrics = [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
      },
    ];
  const behavior = objectAt(spec, 'behavior');
  if (behavior === undefined) return;
  for (const [name, up] of [
    ['scaleUp', true],
    ['scaleDown', false],
  ] as const) {
    const rules = ensureObject(behavior, name);
    for (const [field, value] of Object.entries(scalingRules(up))) setDefault(rules, field, value);
  }
}
