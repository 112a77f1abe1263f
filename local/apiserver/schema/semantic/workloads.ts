/** Checks of workloads. */
import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../../crds/structural/field-error.ts';
import { deepEqual, isObject, type JsonObject } from '../../../../crds/structural/schema-node.ts';
import { objectAt, objectsAt, textAt } from '../defaults/access.ts';
import {
  countOrPercentErrors,
  isBlank,
  isEmptySelector,
  nonNegative,
  selectorErrors,
  selectorMatches,
} from './names.ts';
import { templateErrors } from './pods.ts';

function selectorAndTemplate(spec: JsonObject, before: JsonObject | undefined, what: string): FieldError[] {
  const errors: FieldError[] = [];
  const selector = spec.selector;
  if (!isObject(selector)) errors.push(required('spec.selector'));
  else {
    errors.push(...selectorErrors(selector, 'spec.selector'));
    if (isEmptySelector(selector))
      errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${what}`));
  }
  if (before !== undefined && !deepEqual(before.selector, selector))
    errors.push(invalid('spec.selector', selector, 'field is immutable'));
  const labels = objectAt(objectAt(spec, 'template'), 'metadata')?.labels;
  const matches = isEmptySelector(selector) || selectorMatches(selector, labels);
  errors.push(...templateErrors(spec.template, 'spec.template', matches));
  return errors;
}

/** Zero, or a percentage of zero. */
const isNothing = (value: unknown) => value === 0 || (typeof value === 'string' && /^0+%$/.test(value));

function deploymentErrors(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const errors = [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...selectorAndTemplate(spec, before, 'deployment'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
  const strategy = objectAt(spec, 'strategy');
  const type = textAt(strategy, 'type');
  const rolling = objectAt(strategy, 'rollingUpdate');
  const at = 'spec.strategy.rollingUpdate';
  if (type === 'Recreate' && rolling !== undefined)
    errors.push(forbidden(at, "may not be specified when strategy `type` is 'Recreate'"));
  else if (type === 'RollingUpdate' && rolling !== undefined) {
    errors.push(
      ...countOrPercentErrors(rolling.maxUnavailable, `${at}.maxUnavailable`),
      ...countOrPercentErrors(rolling.maxSurge, `${at}.maxSurge`, false),
    );
    if (isNothing(rolling.maxUnavailable) && isNothing(rolling.maxSurge))
      errors.push(
        invalid(`${at}.maxUnavailable`, rolling.maxUnavailable, 'may not be 0 when `maxSurge` is 0'),
      );
  } else if (type !== '' && type !== 'Recreate' && type !== 'RollingUpdate')
    errors.push(
      notSupported('spec.strategy', { Type: type, RollingUpdate: null }, ['Recreate', 'RollingUpdate']),
    );
  const [deadline, ready] = [spec.progressDeadlineSeconds, spec.minReadySeconds ?? 0];
  errors.push(...nonNegative(deadline, 'spec.progressDeadlineSeconds'));
  if (typeof deadline === 'number' && typeof ready === 'number' && deadline <= ready)
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  return errors;
}

const statefulFields = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]);

function statefulSetErrors(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const management = textAt(spec, 'podManagementPolicy');
  if (management !== '' && management !== 'OrderedReady' && management !== 'Parallel')
    errors.push(invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"));
  const type = textAt(objectAt(spec, 'updateStrategy'), 'type');
  if (type !== '' && type !== 'RollingUpdate' && type !== 'OnDelete')
    errors.push(
      invalid(
        'spec.updateStrategy',
        { Type: type, RollingUpdate: null },
        "must be 'RollingUpdate' or 'OnDelete'",
      ),
    );
  errors.push(
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...selectorAndTemplate(spec, undefined, 'statefulset'),
  );
  const rest = (value: JsonObject) =>
    Object.fromEntries(Object.entries(value).filter(([name]) => !statefulFields.has(name)));
  if (before !== undefined && !deepEqual(rest(spec), rest(before)))
    errors.push(
      forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  return errors;
}

function daemonSetErrors(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const errors = [
    ...selectorAndTemplate(spec, before, 'daemonset'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
  const type = textAt(objectAt(spec, 'updateStrategy'), 'type');
  if (type !== '' && type !== 'RollingUpdate' && type !== 'OnDelete')
    errors.push(notSupported('spec.updateStrategy.type', type, ['RollingUpdate', 'OnDelete']));
  return errors;
}

const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

function autoscalerErrors(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const [min, max] = [spec.minReplicas ?? 1, spec.maxReplicas ?? 0];
  if (typeof min === 'number' && min < 1)
    errors.push(invalid('spec.minReplicas', min, 'must be greater than or equal to 1'));
  if (typeof max === 'number' && max < 1)
    errors.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  if (typeof min === 'number' && typeof max === 'number' && max < min)
    errors.push(invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  const target = objectAt(spec, 'scaleTargetRef') ?? {};
  for (const field of ['kind', 'name'])
    if (isBlank(target[field])) errors.push(required(`spec.scaleTargetRef.${field}`));
  if (isBlank(target.apiVersion))
    errors.push(invalid('spec.scaleTargetRef.apiVersion', '', 'apiVersion must specify API group'));
  objectsAt(spec, 'metrics').forEach((metric, index) => {
    const type = textAt(metric, 'type');
    if (!metricTypes.includes(type))
      errors.push(notSupported(`spec.metrics[${index}].type`, type, metricTypes));
  });
  return errors;
}

/** Errors of a workload; undefined for other kinds. */
export function workloadErrors(kind: string, object: JsonObject, old: unknown): FieldError[] | undefined {
  const spec = objectAt(object, 'spec') ?? {};
  const before = objectAt(old, 'spec');
  switch (kind) {
    case 'Deployment':
      return deploymentErrors(spec, before);
    case 'ReplicaSet':
      return [
        ...nonNegative(spec.replicas, 'spec.replicas'),
        ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
        ...selectorAndTemplate(spec, before, 'replicaset'),
      ];
    case 'StatefulSet':
      return statefulSetErrors(spec, before);
    case 'DaemonSet':
      return daemonSetErrors(spec, before);
    case 'HorizontalPodAutoscaler':
      return autoscalerErrors(spec);
    case 'ControllerRevision': {
      const errors: FieldError[] = [];
      errors.push(...nonNegative(object.revision, 'revision'));
      const data = object.data ?? null;
      if (isObject(old)) {
        if (!deepEqual(old.data ?? null, data)) errors.push(invalid('data', data, 'field is immutable'));
      } else if (data === null) errors.push(required('data', 'data is mandatory'));
      return errors;
    }
    default:
      return undefined;
  }
}
