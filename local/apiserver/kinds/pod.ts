/** Strategy of pods: what admission adds, and the first status. */
import type { Strategy, StrategyContext } from '../kind.ts';
import { type AnyObject, type Json, jsonAt, listAt, numberAt, textAt } from '../object.ts';
import { forbidden } from '../status-error.ts';
import { refuseOverQuota } from './quota.ts';
import { addServiceAccountVolume } from './service-account-volume.ts';

const podNames = { group: '', plural: 'pods', kind: 'Pod' };

/** BestEffort, Burstable or Guaranteed, by the containers' cpu and memory. */
function qosClass(spec: unknown): string {
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

const tolerates = (toleration: unknown, key: string) =>
  textAt(toleration, 'key') === key ||
  (textAt(toleration, 'key') === '' && textAt(toleration, 'operator') === 'Exists');

function addTolerations(spec: Json): void {
  const tolerations = [...listAt(spec, 'tolerations')];
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    if (!tolerations.some((item) => tolerates(item, key)))
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  spec.tolerations = tolerations;
}

const systemPriorities: Record<string, number> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

/** Works out priority from the class, as the Priority admission plugin does. */
function setPriority(draft: AnyObject, spec: Json, context: StrategyContext): void {
  const name = textAt(spec, 'priorityClassName');
  const classes = context.list('priorityclasses.scheduling.k8s.io');
  const found =
    name === ''
      ? classes.find((one) => one.globalDefault === true)
      : classes.find((one) => one.metadata.name === name);
  if (name !== '' && found === undefined && systemPriorities[name] === undefined)
    throw forbidden(podNames, draft.metadata.name ?? '', `no PriorityClass with name ${name} was found`);
  if (name === '' && found !== undefined) spec.priorityClassName = found.metadata.name;
  spec.priority = systemPriorities[name] ?? numberAt(found, 'value') ?? 0;
  spec.preemptionPolicy ??= textAt(found, 'preemptionPolicy') || 'PreemptLowerPriority';
}

/** Only an account that exists; `default` comes with its namespace, a moment later than a real one lets pods wait for. */
function requireAccount(draft: AnyObject, name: string, context: StrategyContext): void {
  const { namespace = '' } = draft.metadata;
  if (name === 'default' || context.find('serviceaccounts', namespace, name) !== undefined) return;
  throw forbidden(
    podNames,
    draft.metadata.name ?? '',
    `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
  );
}

export const podStrategy: Strategy = {
  statusKeeps: 'owners',
  unconditionalUpdate: true,
  admit(draft, context) {
    const spec = jsonAt(draft, 'spec');
    if (textAt(spec, 'serviceAccountName') === '') spec.serviceAccountName = 'default';
    spec.serviceAccount = spec.serviceAccountName;
    requireAccount(draft, textAt(spec, 'serviceAccountName'), context);
    addServiceAccountVolume(draft, context);
    addTolerations(spec);
    setPriority(draft, spec, context);
    refuseOverQuota(draft, podNames, context);
  },
  prepareUpdate(draft) {
    addTolerations(jsonAt(draft, 'spec'));
  },
  prepareCreate(draft) {
    draft.status = { phase: 'Pending', qosClass: qosClass(draft.spec) };
  },
};
