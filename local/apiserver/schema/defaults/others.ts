/** Defaults of the other kinds that depend on other fields. Work in place. */
import type { JsonObject } from '../../../../crds/structural/schema-node.ts';
import { ensureObject, objectAt, objectsAt, setDefault, setDefaultText, textAt } from './access.ts';

/** Service: target ports, traffic policies, session affinity. */
export function defaultService(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  setDefaultText(spec, 'sessionAffinity', 'None');
  setDefaultText(spec, 'type', 'ClusterIP');
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP')
    setDefault(
      ensureObject(ensureObject(spec, 'sessionAffinityConfig'), 'clientIP'),
      'timeoutSeconds',
      10_800,
    );
  for (const port of objectsAt(spec, 'ports')) {
    setDefaultText(port, 'protocol', 'TCP');
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '')
      port.targetPort = port.port;
  }
  const type = textAt(spec, 'type');
  if (type === 'NodePort' || type === 'LoadBalancer')
    setDefaultText(spec, 'externalTrafficPolicy', 'Cluster');
  if (type !== 'ExternalName') setDefaultText(spec, 'internalTrafficPolicy', 'Cluster');
  if (type === 'LoadBalancer') setDefault(spec, 'allocateLoadBalancerNodePorts', true);
}

/** Secret: type, and `stringData` written into `data`. */
export function defaultSecret(object: JsonObject): void {
  setDefaultText(object, 'type', 'Opaque');
  const texts = objectAt(object, 'stringData');
  if (texts === undefined) return;
  const data = ensureObject(object, 'data');
  for (const [name, value] of Object.entries(texts))
    data[name] = Buffer.from(String(value), 'utf8').toString('base64');
  delete object.stringData;
}

/** NetworkPolicy: policy types from the rules that are there. */
export function defaultNetworkPolicy(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  setDefault(spec, 'podSelector', {});
  if (!Array.isArray(spec.policyTypes) || spec.policyTypes.length === 0)
    spec.policyTypes = ['Ingress', ...(objectsAt(spec, 'egress').length > 0 ? ['Egress'] : [])];
}

/** Role bindings: API groups of role and subjects. */
export function defaultBinding(object: JsonObject): void {
  const group = 'rbac.authorization.k8s.io';
  const role = objectAt(object, 'roleRef');
  if (role !== undefined) setDefaultText(role, 'apiGroup', group);
  for (const subject of objectsAt(object, 'subjects'))
    if (subject.kind === 'User' || subject.kind === 'Group') setDefaultText(subject, 'apiGroup', group);
}

/** Namespace: the label with its own name. */
export function defaultNamespace(object: JsonObject): void {
  const metadata = ensureObject(object, 'metadata');
  const name = textAt(metadata, 'name');
  if (name !== '') ensureObject(metadata, 'labels')['kubernetes.io/metadata.name'] = name;
}

/** LimitRange: limits and requests of containers from each other. */
export function defaultLimitRange(object: JsonObject): void {
  for (const item of objectsAt(objectAt(object, 'spec'), 'limits')) {
    if (item.type !== 'Container') continue;
    const [limits, requests] = [ensureObject(item, 'default'), ensureObject(item, 'defaultRequest')];
    for (const [name, value] of Object.entries(objectAt(item, 'max') ?? {})) setDefault(limits, name, value);
    for (const [name, value] of Object.entries(limits)) setDefault(requests, name, value);
    for (const [name, value] of Object.entries(objectAt(item, 'min') ?? {}))
      setDefault(requests, name, value);
  }
}

/** PersistentVolume and claim: phase. */
export function defaultPhase(object: JsonObject): void {
  setDefaultText(ensureObject(object, 'status'), 'phase', 'Pending');
}

/** CustomResourceDefinition: names and conversion. */
export function defaultDefinition(object: JsonObject): void {
  const spec = ensureObject(object, 'spec');
  const names = ensureObject(spec, 'names');
  const kind = textAt(names, 'kind');
  if (kind !== '') {
    setDefaultText(names, 'singular', kind.toLowerCase());
    setDefaultText(names, 'listKind', `${kind}List`);
  }
  const conversion = ensureObject(spec, 'conversion');
  setDefaultText(conversion, 'strategy', 'None');
  const service = objectAt(objectAt(objectAt(conversion, 'webhook'), 'clientConfig'), 'service');
  if (service !== undefined) setDefault(service, 'port', 443);
}
