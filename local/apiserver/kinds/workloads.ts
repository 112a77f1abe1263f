/** Strategies of apps/v1. */
import type { LabelSelector } from '../../../kube/objects.ts';
import type { Strategy } from '../kind.ts';
import { labelFaults } from '../metadata.ts';
import { type AnyObject, isJson, type Json, jsonAt, numberAt, sameJson } from '../object.ts';
import { labelSelectorMatch } from '../selectors.ts';
import { type FieldFault, fault } from '../status-error.ts';
import { podSpecDefaults, setDefault } from './pod-defaults.ts';
import { podSpecFaults } from './pod-rules.ts';

function templateDefaults(spec: Json): void {
  const template = jsonAt(spec, 'template');
  spec.template = template;
  const metadata = jsonAt(template, 'metadata');
  template.metadata = metadata;
  const podSpec = jsonAt(template, 'spec');
  template.spec = podSpec;
  podSpecDefaults(podSpec);
}

function selectorFaults(object: AnyObject, old: AnyObject | undefined): FieldFault[] {
  const spec = jsonAt(object, 'spec');
  const selector = spec.selector;
  if (old !== undefined && !sameJson(selector, jsonAt(old, 'spec').selector))
    return [fault.invalid('spec.selector', selector, 'field is immutable')];
  if (!isJson(selector)) return [fault.required('spec.selector')];
  if (Object.keys(jsonAt(selector, 'matchLabels')).length === 0 && selector.matchExpressions === undefined)
    return [fault.invalid('spec.selector', selector, 'empty selector is invalid for deployment')];
  const labels = jsonAt(jsonAt(spec.template, 'metadata'), 'labels') as Record<string, string>;
  if (!labelSelectorMatch(selector as LabelSelector)(labels))
    return [
      fault.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    ];
  return labelFaults(labels, 'spec.template.metadata.labels');
}

function commonFaults(object: AnyObject, old: AnyObject | undefined): FieldFault[] {
  const spec = jsonAt(object, 'spec');
  const faults = selectorFaults(object, old);
  for (const field of ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds']) {
    const value = numberAt(spec, field);
    if (value !== undefined && value < 0)
      faults.push(fault.invalid(`spec.${field}`, value, 'must be greater than or equal to 0'));
  }
  const template = jsonAt(spec.template, 'spec');
  faults.push(...podSpecFaults(template, 'spec.template.spec'));
  if (template.restartPolicy !== 'Always' && faults.length === 0)
    faults.push(fault.notSupported('spec.template.spec.restartPolicy', template.restartPolicy, ['Always']));
  return faults;
}

/** Counts that the schema requires: a real server writes their zeros. */
const emptyStatus: Record<string, Json> = {
  ReplicaSet: { replicas: 0 },
  StatefulSet: { replicas: 0, availableReplicas: 0 },
  DaemonSet: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
};

function workload(defaults: (spec: Json) => void): Strategy {
  const fill = (draft: AnyObject): void => {
    const spec = jsonAt(draft, 'spec');
    draft.spec = spec;
    templateDefaults(spec);
    defaults(spec);
  };
  return {
    statusKeeps: 'labels',
    unconditionalUpdate: true,
    prepareCreate: (draft) => {
      fill(draft);
      draft.status = { ...emptyStatus[draft.kind ?? ''] };
    },
    prepareUpdate: fill,
    validate: commonFaults,
  };
}

/** A share of the replicas given as `25%` or as a number. */
const isZero = (value: unknown) => value === 0 || value === '0%' || value === '0';

const deployment = workload((spec) => {
  setDefault(spec, 'replicas', 1);
  setDefault(spec, 'revisionHistoryLimit', 10);
  setDefault(spec, 'progressDeadlineSeconds', 600);
  const strategy = jsonAt(spec, 'strategy');
  spec.strategy = strategy;
  setDefault(strategy, 'type', 'RollingUpdate');
  if (strategy.type !== 'RollingUpdate') return;
  const rolling = jsonAt(strategy, 'rollingUpdate');
  strategy.rollingUpdate = rolling;
  setDefault(rolling, 'maxUnavailable', '25%');
  setDefault(rolling, 'maxSurge', '25%');
});

export const deploymentStrategy: Strategy = {
  ...deployment,
  validate(object, old) {
    const faults = commonFaults(object, old);
    const strategy = jsonAt(jsonAt(object, 'spec'), 'strategy');
    const rolling = strategy.rollingUpdate;
    if (strategy.type === 'Recreate' && rolling !== undefined && rolling !== null)
      faults.push(
        fault.forbidden(
          'spec.strategy.rollingUpdate',
          "may not be specified when strategy `type` is 'Recreate'",
        ),
      );
    if (isJson(rolling) && isZero(rolling.maxUnavailable) && isZero(rolling.maxSurge))
      faults.push(
        fault.invalid(
          'spec.strategy.rollingUpdate.maxUnavailable',
          rolling.maxUnavailable,
          'may not be 0 when `maxSurge` is 0',
        ),
      );
    return faults;
  },
};

export const replicaSetStrategy = workload((spec) => setDefault(spec, 'replicas', 1));

export const statefulSetStrategy = workload((spec) => {
  setDefault(spec, 'replicas', 1);
  setDefault(spec, 'podManagementPolicy', 'OrderedReady');
  setDefault(spec, 'revisionHistoryLimit', 10);
  setDefault(spec, 'updateStrategy', { type: 'RollingUpdate', rollingUpdate: { partition: 0 } });
});

export const daemonSetStrategy = workload((spec) => {
  setDefault(spec, 'revisionHistoryLimit', 10);
  setDefault(spec, 'updateStrategy', {
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
  });
});
