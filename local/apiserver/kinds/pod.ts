/** Strategy of pods. */
import type { Strategy, StrategyContext } from '../kind.ts';
import { type AnyObject, type Json, jsonAt, listAt, numberAt, textAt } from '../object.ts';
import { type FieldFault, forbidden } from '../status-error.ts';
import { podSpecDefaults, setDefault } from './pod-defaults.ts';
import { podSpecFaults, podUpdateFaults } from './pod-rules.ts';
import { refuseOverQuota } from './quota.ts';

const podNames = { group: '', plural: 'pods', kind: 'Pod' };

/** BestEffort, Burstable or Guaranteed, by the containers' cpu and memory. */
export function qosClass(spec: unknown): string {
  let any = false;
  let all = true;
  for (const container of [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]) {
    const resources = jsonAt(container, 'resources');
    for (const name of ['cpu', 'memory']) {
      const limit = jsonAt(resources, 'limits')[name];
      const request = jsonAt(resources, 'requests')[name];
      if (limit !== undefined || request !== undefined) any = true;
      if (limit === undefined || String(limit) !== String(request ?? limit)) all = false;
    }
  }
  return any ? (all ? 'Guaranteed' : 'Burstable') : 'BestEffort';
}

function tolerationsFor(spec: Json): void {
  const tolerations = listAt(spec, 'tolerations');
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    if (
      !tolerations.some(
        (item) =>
          textAt(item, 'key') === key ||
          (textAt(item, 'key') === '' && textAt(item, 'operator') === 'Exists'),
      )
    )
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  spec.tolerations = tolerations;
}

/** Works out priority from the class, as the Priority admission plugin does. */
function priorityOf(draft: AnyObject, spec: Json, context: StrategyContext): void {
  const name = textAt(spec, 'priorityClassName');
  if (name === '') {
    setDefault(spec, 'priority', 0);
    setDefault(spec, 'preemptionPolicy', 'PreemptLowerPriority');
    return;
  }
  const builtin = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 }[name];
  const found = context.find('priorityclasses.scheduling.k8s.io', undefined, name);
  if (builtin === undefined && found === undefined)
    throw forbidden(podNames, draft.metadata.name ?? '', `no PriorityClass with name ${name} was found`);
  spec.priority = builtin ?? numberAt(found, 'value') ?? 0;
  setDefault(spec, 'preemptionPolicy', textAt(found, 'preemptionPolicy') || 'PreemptLowerPriority');
}

export const podStrategy: Strategy = {
  statusKeeps: 'owners',
  unconditionalUpdate: true,
  prepareCreate(draft, context) {
    const spec = jsonAt(draft, 'spec');
    draft.spec = spec;
    podSpecDefaults(spec);
    setDefault(spec, 'enableServiceLinks', true);
    setDefault(spec, 'serviceAccountName', 'default');
    setDefault(spec, 'serviceAccount', spec.serviceAccountName);
    tolerationsFor(spec);
    priorityOf(draft, spec, context);
    draft.status = { phase: 'Pending', qosClass: qosClass(spec) };
  },
  prepareUpdate(draft) {
    podSpecDefaults(jsonAt(draft, 'spec'));
  },
  validate(object, old): FieldFault[] {
    const spec = jsonAt(object, 'spec');
    if (old !== undefined) return podUpdateFaults(spec, jsonAt(old, 'spec'));
    return podSpecFaults(spec, 'spec');
  },
  admit(draft, context) {
    refuseOverQuota(draft, podNames, context);
  },
};
