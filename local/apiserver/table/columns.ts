/** Columns of the built-in kinds, as the real server prints them. */
import type { Column } from '../kind.ts';
import { type AnyObject, isJson, jsonAt, listAt, numberAt, textAt } from '../object.ts';
import { labelSelectorText } from '../selectors.ts';
import { ageSince, labelsText } from './human.ts';
import { podColumns } from './pod-columns.ts';

type Cell = NonNullable<Column['cell']>;

const column = (name: string, cell: Cell, priority = 0, type = 'string'): Column => ({
  name,
  type,
  priority,
  cell,
});
const count = (name: string, cell: Cell, priority = 0): Column => column(name, cell, priority, 'integer');
const age = column('Age', (object, now) => ageSince(object.metadata.creationTimestamp, now));
const createdAt = column('Created At', (object) => object.metadata.creationTimestamp, 0, 'date');
const orNone = (value: unknown) =>
  value === undefined || value === null || value === '' ? '<none>' : String(value);
const status = (object: AnyObject, field: string) => numberAt(object.status, field) ?? 0;
const spec = (object: AnyObject, field: string) => jsonAt(object, 'spec')[field];
const joined = (list: unknown[]) => (list.length === 0 ? '<none>' : list.join(','));

const podParts = (object: AnyObject, field: 'name' | 'image') =>
  listAt(jsonAt(jsonAt(object.spec, 'template'), 'spec'), 'containers')
    .map((c) => textAt(c, field))
    .join(',');
const selectorOf = (object: AnyObject) => orNone(labelSelectorText(jsonAt(object.spec, 'selector')));
const workload = [
  column('Containers', (o) => podParts(o, 'name'), 1),
  column('Images', (o) => podParts(o, 'image'), 1),
];
const workloadAndSelector = [...workload, column('Selector', selectorOf, 1)];

function servicePorts(service: AnyObject): string {
  const ports = listAt(service.spec, 'ports').map((port) => {
    const node = numberAt(port, 'nodePort') ?? 0;
    return `${numberAt(port, 'port')}${node > 0 ? `:${node}` : ''}/${textAt(port, 'protocol')}`;
  });
  return joined(ports);
}

function externalAddress(service: AnyObject): string {
  const type = textAt(service.spec, 'type');
  const given = listAt(service.spec, 'externalIPs').map(String);
  if (type === 'ExternalName') return textAt(service.spec, 'externalName');
  if (type !== 'LoadBalancer') return joined(given);
  const balancer = listAt(jsonAt(service.status, 'loadBalancer'), 'ingress').map(
    (entry) => textAt(entry, 'ip') || textAt(entry, 'hostname'),
  );
  return [...balancer, ...given].join(',') || '<pending>';
}

function eventTimes(event: AnyObject, which: 'first' | 'last', now: number): string {
  const series = textAt(event.series, 'lastObservedTime');
  const first =
    textAt(event, 'firstTimestamp') ||
    textAt(event, 'deprecatedFirstTimestamp') ||
    textAt(event, 'eventTime');
  const last = series || textAt(event, 'lastTimestamp') || textAt(event, 'deprecatedLastTimestamp') || first;
  return ageSince(which === 'first' ? first : last, now);
}

const involved = (event: AnyObject) =>
  isJson(event.involvedObject) ? event.involvedObject : jsonAt(event, 'regarding');
const eventSource = (event: AnyObject) => {
  const source = isJson(event.source) ? event.source : jsonAt(event, 'deprecatedSource');
  const parts = [textAt(source, 'component') || textAt(event, 'reportingComponent'), textAt(source, 'host')];
  return parts.filter((part) => part !== '').join(', ');
};

const eventColumns = [
  column('Last Seen', (e, now) => eventTimes(e, 'last', now)),
  column('Type', (e) => textAt(e, 'type')),
  column('Reason', (e) => textAt(e, 'reason')),
  column('Object', (e) => `${textAt(involved(e), 'kind').toLowerCase()}/${textAt(involved(e), 'name')}`),
  column('Subobject', (e) => textAt(involved(e), 'fieldPath'), 1),
  column('Source', eventSource, 1),
  column('Message', (e) => (textAt(e, 'message') || textAt(e, 'note')).trim()),
  column('First Seen', (e, now) => eventTimes(e, 'first', now), 1),
  count('Count', (e) => numberAt(e.series, 'count') ?? numberAt(e, 'count') ?? 1, 1),
  column('Name', (e) => e.metadata.name, 1),
];

function nodeStatus(node: AnyObject): string {
  const ready = listAt(node.status, 'conditions').find((c) => textAt(c, 'type') === 'Ready');
  const word = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return spec(node, 'unschedulable') === true ? `${word},SchedulingDisabled` : word;
}

const rolePrefix = 'node-role.kubernetes.io/';
const nodeInfo = (node: AnyObject, field: string) =>
  textAt(jsonAt(node.status, 'nodeInfo'), field) || '<unknown>';
const nodeAddress = (node: AnyObject, type: string) =>
  orNone(
    textAt(
      listAt(node.status, 'addresses').find((a) => textAt(a, 'type') === type),
      'address',
    ),
  );

const modes: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};
const accessModes = (object: AnyObject) =>
  listAt(object.spec, 'accessModes')
    .map((m) => modes[String(m)] ?? m)
    .join(',');

function sliceEndpoints(slice: AnyObject): string {
  const addresses = listAt(slice, 'endpoints').flatMap((endpoint) =>
    listAt(endpoint, 'addresses').map(String),
  );
  if (addresses.length === 0) return '<unset>';
  return addresses.length > 3
    ? `${addresses.slice(0, 3).join(',')} + ${addresses.length - 3} more...`
    : addresses.join(',');
}

function endpointsText(object: AnyObject): string {
  const all = listAt(object, 'subsets').flatMap((subset) =>
    listAt(subset, 'addresses').flatMap((address) =>
      listAt(subset, 'ports').map((port) => `${textAt(address, 'ip')}:${numberAt(port, 'port')}`),
    ),
  );
  if (all.length === 0) return '<none>';
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : all.join(',');
}

const quotaText = (quota: AnyObject, limits: boolean) =>
  Object.entries(jsonAt(quota.status, 'hard'))
    .filter(([key]) => key.startsWith('limits.') === limits)
    .map(([key, hard]) => `${key}: ${jsonAt(quota.status, 'used')[key] ?? 0}/${hard}`)
    .join(', ');

const dataCount = (object: AnyObject) =>
  Object.keys(jsonAt(object, 'data')).length + Object.keys(jsonAt(object, 'binaryData')).length;

const byKind: Record<string, Column[]> = {
  '/Pod': podColumns,
  '/Service': [
    column('Type', (o) => spec(o, 'type')),
    column('Cluster-IP', (o) => orNone(spec(o, 'clusterIP'))),
    column('External-IP', externalAddress),
    column('Port(s)', servicePorts),
    age,
    column('Selector', (o) => labelsText(jsonAt(o.spec, 'selector')), 1),
  ],
  '/Endpoints': [column('Endpoints', endpointsText), age],
  '/ConfigMap': [column('Data', dataCount), age],
  '/Secret': [column('Type', (o) => textAt(o, 'type')), column('Data', dataCount), age],
  '/ServiceAccount': [age],
  '/Namespace': [column('Status', (o) => textAt(o.status, 'phase')), age],
  '/Event': eventColumns,
  'events.k8s.io/Event': eventColumns,
  '/Node': [
    column('Status', nodeStatus),
    column('Roles', (o) =>
      joined(
        Object.keys(o.metadata.labels ?? {})
          .filter((key) => key.startsWith(rolePrefix))
          .map((key) => key.slice(rolePrefix.length)),
      ),
    ),
    age,
    column('Version', (o) => nodeInfo(o, 'kubeletVersion')),
    column('Internal-IP', (o) => nodeAddress(o, 'InternalIP'), 1),
    column('External-IP', (o) => nodeAddress(o, 'ExternalIP'), 1),
    column('OS-Image', (o) => nodeInfo(o, 'osImage'), 1),
    column('Kernel-Version', (o) => nodeInfo(o, 'kernelVersion'), 1),
    column('Container-Runtime', (o) => nodeInfo(o, 'containerRuntimeVersion'), 1),
  ],
  '/PersistentVolumeClaim': [
    column('Status', (o) =>
      o.metadata.deletionTimestamp === undefined ? textAt(o.status, 'phase') : 'Terminating',
    ),
    column('Volume', (o) => textAt(o.spec, 'volumeName')),
    column('Capacity', (o) => jsonAt(o.status, 'capacity').storage ?? ''),
    column('Access Modes', (o) =>
      listAt(o.status, 'accessModes')
        .map((m) => modes[String(m)] ?? m)
        .join(','),
    ),
    column('StorageClass', (o) => textAt(o.spec, 'storageClassName')),
    column('VolumeAttributesClass', () => '<unset>'),
    age,
    column('VolumeMode', (o) => spec(o, 'volumeMode') ?? '<unset>', 1),
  ],
  '/PersistentVolume': [
    column('Capacity', (o) => jsonAt(o.spec, 'capacity').storage ?? ''),
    column('Access Modes', accessModes),
    column('Reclaim Policy', (o) => textAt(o.spec, 'persistentVolumeReclaimPolicy')),
    column('Status', (o) => textAt(o.status, 'phase')),
    column('Claim', (o) => {
      const claim = jsonAt(o.spec, 'claimRef');
      return textAt(claim, 'name') === '' ? '' : `${textAt(claim, 'namespace')}/${textAt(claim, 'name')}`;
    }),
    column('StorageClass', (o) => textAt(o.spec, 'storageClassName')),
    column('VolumeAttributesClass', () => '<unset>'),
    column('Reason', (o) => textAt(o.status, 'reason')),
    age,
    column('VolumeMode', (o) => spec(o, 'volumeMode') ?? '<unset>', 1),
  ],
  '/ResourceQuota': [
    column('Request', (o) => quotaText(o, false)),
    column('Limit', (o) => quotaText(o, true)),
    age,
  ],
  '/LimitRange': [createdAt],
  'apps/Deployment': [
    column('Ready', (o) => `${status(o, 'readyReplicas')}/${spec(o, 'replicas') ?? 0}`),
    count('Up-to-date', (o) => status(o, 'updatedReplicas')),
    count('Available', (o) => status(o, 'availableReplicas')),
    age,
    ...workloadAndSelector,
  ],
  'apps/ReplicaSet': [
    count('Desired', (o) => spec(o, 'replicas') ?? 0),
    count('Current', (o) => status(o, 'replicas')),
    count('Ready', (o) => status(o, 'readyReplicas')),
    age,
    ...workloadAndSelector,
  ],
  'apps/StatefulSet': [
    column('Ready', (o) => `${status(o, 'readyReplicas')}/${spec(o, 'replicas') ?? 0}`),
    age,
    ...workload,
  ],
  'apps/DaemonSet': [
    count('Desired', (o) => status(o, 'desiredNumberScheduled')),
    count('Current', (o) => status(o, 'currentNumberScheduled')),
    count('Ready', (o) => status(o, 'numberReady')),
    count('Up-to-date', (o) => status(o, 'updatedNumberScheduled')),
    count('Available', (o) => status(o, 'numberAvailable')),
    column('Node Selector', (o) =>
      labelsText(jsonAt(jsonAt(jsonAt(o.spec, 'template'), 'spec'), 'nodeSelector')),
    ),
    age,
    ...workloadAndSelector,
  ],
  'apps/ControllerRevision': [
    column('Controller', (o) => {
      const owner = o.metadata.ownerReferences?.find((reference) => reference.controller === true);
      if (owner === undefined) return '<none>';
      const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
      return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
    }),
    count('Revision', (o) => numberAt(o, 'revision') ?? 0),
    age,
  ],
  'discovery.k8s.io/EndpointSlice': [
    column('AddressType', (o) => textAt(o, 'addressType')),
    column(
      'Ports',
      (o) =>
        listAt(o, 'ports')
          .map((p) => numberAt(p, 'port') ?? '*')
          .join(',') || '<unset>',
    ),
    column('Endpoints', sliceEndpoints),
    age,
  ],
  'policy/PodDisruptionBudget': [
    column('Min Available', (o) => String(spec(o, 'minAvailable') ?? 'N/A')),
    column('Max Unavailable', (o) => String(spec(o, 'maxUnavailable') ?? 'N/A')),
    count('Allowed Disruptions', (o) => status(o, 'disruptionsAllowed')),
    age,
  ],
  'networking.k8s.io/NetworkPolicy': [
    column('Pod-Selector', (o) => orNone(labelSelectorText(jsonAt(o.spec, 'podSelector')))),
    age,
  ],
  'networking.k8s.io/Ingress': [
    column('Class', (o) => orNone(spec(o, 'ingressClassName'))),
    column(
      'Hosts',
      (o) =>
        listAt(o.spec, 'rules')
          .map((rule) => textAt(rule, 'host') || '*')
          .join(',') || '*',
    ),
    column('Address', (o) =>
      listAt(jsonAt(o.status, 'loadBalancer'), 'ingress')
        .map((i) => textAt(i, 'ip') || textAt(i, 'hostname'))
        .join(','),
    ),
    column('Ports', (o) => (listAt(o.spec, 'tls').length > 0 ? '80, 443' : '80')),
    age,
  ],
  'coordination.k8s.io/Lease': [column('Holder', (o) => textAt(o.spec, 'holderIdentity')), age],
  'rbac.authorization.k8s.io/Role': [createdAt],
  'rbac.authorization.k8s.io/ClusterRole': [createdAt],
  'rbac.authorization.k8s.io/RoleBinding': [
    column('Role', (o) => `${textAt(o.roleRef, 'kind')}/${textAt(o.roleRef, 'name')}`),
    age,
  ],
  'rbac.authorization.k8s.io/ClusterRoleBinding': [
    column('Role', (o) => `${textAt(o.roleRef, 'kind')}/${textAt(o.roleRef, 'name')}`),
    age,
  ],
  'apiextensions.k8s.io/CustomResourceDefinition': [createdAt],
  'autoscaling/HorizontalPodAutoscaler': [
    column(
      'Reference',
      (o) =>
        `${textAt(jsonAt(o.spec, 'scaleTargetRef'), 'kind')}/${textAt(jsonAt(o.spec, 'scaleTargetRef'), 'name')}`,
    ),
    column('Targets', (o) => (listAt(o.spec, 'metrics').length === 0 ? '<none>' : '<unknown>')),
    column('MinPods', (o) => String(spec(o, 'minReplicas') ?? '<unset>')),
    count('MaxPods', (o) => spec(o, 'maxReplicas')),
    count('Replicas', (o) => status(o, 'currentReplicas')),
    age,
  ],
  'scheduling.k8s.io/PriorityClass': [
    count('Value', (o) => numberAt(o, 'value') ?? 0),
    column('Global-Default', (o) => o.globalDefault === true, 0, 'boolean'),
    age,
    column('PreemptionPolicy', (o) => textAt(o, 'preemptionPolicy')),
  ],
  'storage.k8s.io/StorageClass': [
    column('Provisioner', (o) => textAt(o, 'provisioner')),
    column('ReclaimPolicy', (o) => textAt(o, 'reclaimPolicy')),
    column('VolumeBindingMode', (o) => textAt(o, 'volumeBindingMode')),
    column('AllowVolumeExpansion', (o) => o.allowVolumeExpansion === true, 0, 'boolean'),
    age,
  ],
};

/** Columns of a built-in kind; those without their own show their age. */
export function builtinColumns(group: string, kind: string): readonly Column[] {
  return byKind[`${group}/${kind}`] ?? [age];
}
