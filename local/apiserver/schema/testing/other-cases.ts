/** More objects of built-in kinds and what a real kube-apiserver 1.36 says about them. */
import type { BuiltInCase } from './built-in-cases.ts';

type Draft = Record<string, unknown>;

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const qualified =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const port = 'must be between 1 and 65535, inclusive';
const key =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

const row =
  (apiVersion: string, kind: string) =>
  (name: string, body: Draft, ...errors: string[]): BuiltInCase => ({
    name,
    object: { apiVersion, kind, metadata: { name: 'x' }, ...body } as BuiltInCase['object'],
    errors,
  });
const service = row('v1', 'Service');
const budget = row('policy/v1', 'PodDisruptionBudget');
const policy = row('networking.k8s.io/v1', 'NetworkPolicy');
const ingress = row('networking.k8s.io/v1', 'Ingress');
const config = row('v1', 'ConfigMap');
const secret = row('v1', 'Secret');
const claim = row('v1', 'PersistentVolumeClaim');
const lease = row('coordination.k8s.io/v1', 'Lease');
const autoscaler = row('autoscaling/v2', 'HorizontalPodAutoscaler');
const role = row('rbac.authorization.k8s.io/v1', 'Role');
const binding = row('rbac.authorization.k8s.io/v1', 'RoleBinding');
const slice = row('discovery.k8s.io/v1', 'EndpointSlice');
const revision = row('apps/v1', 'ControllerRevision');

export const otherCases: readonly BuiltInCase[] = [
  service('a Service without ports', { spec: {} }, 'spec.ports: Required value'),
  service(
    'a Service port 0',
    { spec: { ports: [{ port: 0 }] } },
    `spec.ports[0].port: Invalid value: 0: ${port}`,
    `spec.ports[0].targetPort: Invalid value: 0: ${port}`,
  ),
  service(
    'two Service ports without names',
    { spec: { ports: [{ port: 1 }, { port: 2 }] } },
    'spec.ports[0].name: Required value',
    'spec.ports[1].name: Required value',
  ),
  service(
    'a Service port with a bad name',
    { spec: { ports: [{ port: 1, name: 'A' }] } },
    `spec.ports[0].name: Invalid value: "A": ${label}`,
  ),
  service(
    'two Service ports of one name',
    {
      spec: {
        ports: [
          { port: 1, name: 'a' },
          { port: 2, name: 'a' },
        ],
      },
    },
    'spec.ports[1].name: Duplicate value: "a"',
  ),
  service(
    'a target port with a bad name',
    { spec: { ports: [{ port: 1, targetPort: 'UPPER_x' }] } },
    'spec.ports[0].targetPort: Invalid value: "UPPER_x": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
  ),
  service(
    'a Service type that does not exist',
    { spec: { type: 'X', ports: [{ port: 1 }] } },
    'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ),
  service(
    'an ExternalName without a name',
    { spec: { type: 'ExternalName' } },
    'spec.externalName: Required value',
  ),
  service(
    'a cluster IP that is no address',
    { spec: { clusterIP: 'x', ports: [{ port: 1 }] } },
    'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ),
  service('a headless Service without ports', { spec: { clusterIP: 'None' } }),
  service(
    'a session affinity that does not exist',
    { spec: { sessionAffinity: 'X', ports: [{ port: 1 }] } },
    'spec.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"',
  ),
  service(
    'a protocol that does not exist',
    { spec: { ports: [{ port: 1, protocol: 'X' }] } },
    'spec.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
  ),
  service(
    'a node port of a ClusterIP Service',
    { spec: { ports: [{ port: 1, nodePort: 30_000 }] } },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ),
  service(
    'a selector with a bad label',
    { spec: { selector: { 'a b': 'c' }, ports: [{ port: 1 }] } },
    `spec.selector: Invalid value: "a b": ${qualified}`,
  ),
  budget(
    'a budget with both bounds',
    { spec: { minAvailable: 1, maxUnavailable: 1 } },
    'spec: Invalid value: {"MaxUnavailable":1,"MinAvailable":1,"Selector":null,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
  ),
  budget(
    'a negative budget',
    { spec: { minAvailable: -1 } },
    'spec.minAvailable: Invalid value: -1: must be greater than or equal to 0',
  ),
  budget(
    'a budget of 200 %',
    { spec: { maxUnavailable: '200%' } },
    'spec.maxUnavailable: Invalid value: "200%": must not be greater than 100%',
  ),
  budget(
    'an eviction policy that does not exist',
    { spec: { unhealthyPodEvictionPolicy: 'X' } },
    'spec.unhealthyPodEvictionPolicy: Unsupported value: "X": supported values: "AlwaysAllow", "IfHealthyBudget"',
  ),
  budget(
    'a selector with bad conditions',
    {
      spec: {
        selector: {
          matchLabels: { 'a b': 'c' },
          matchExpressions: [
            { key: 'a', operator: 'In' },
            { key: 'a', operator: 'Exists', values: ['x'] },
            { key: 'a', operator: 'X' },
          ],
        },
      },
    },
    `spec.selector.matchLabels: Invalid value: "a b": ${qualified}`,
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    'spec.selector.matchExpressions[2].operator: Invalid value: "X": not a valid selector operator',
  ),
  policy(
    'a policy type that does not exist',
    { spec: { podSelector: {}, policyTypes: ['X'] } },
    'spec.policyTypes[0]: Unsupported value: "X": supported values: "Ingress", "Egress"',
  ),
  policy('an empty network policy', { spec: {} }),
  policy(
    'network policy rules that cannot be',
    {
      spec: {
        podSelector: {},
        ingress: [
          {
            ports: [{ port: 70_000 }, { port: 'UPPER_' }, { endPort: 3 }, { port: 5, endPort: 3 }],
            from: [{}],
          },
        ],
      },
    },
    `spec.ingress[0].ports[0].port: Invalid value: 70000: ${port}`,
    'spec.ingress[0].ports[1].port: Invalid value: "UPPER_": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
    'spec.ingress[0].ports[1].port: Invalid value: "UPPER_": must contain at least one letter (a-z)',
    'spec.ingress[0].ports[2].endPort: Invalid value: 3: may not be specified when `port` is not specified',
    'spec.ingress[0].ports[3].endPort: Invalid value: 5: must be greater than or equal to `port`',
    'spec.ingress[0].from[0]: Required value: must specify a peer',
  ),
  ingress(
    'an empty Ingress',
    { spec: {} },
    'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  ),
  ingress(
    'an Ingress path that is relative and goes nowhere',
    { spec: { rules: [{ http: { paths: [{ path: 'x', pathType: 'Prefix', backend: {} }] } }] } },
    'spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
    'spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required',
  ),
  config('a ConfigMap key with a space', { data: { 'a b': 'c' } }, `data[a b]: Invalid value: "a b": ${key}`),
  config(
    'a key in data and binaryData',
    { data: { a: 'x' }, binaryData: { a: 'eA==' } },
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ),
  config(
    'a key that is two dots',
    { data: { '..': 'x' } },
    'data[..]: Invalid value: "..": must not be \'..\'',
  ),
  {
    ...config('a binary value that is not base64', { binaryData: { a: '!!' } }),
    decode: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: illegal base64 data at input byte 0',
  },
  secret(
    'a TLS Secret without keys',
    { type: 'kubernetes.io/tls' },
    'data[tls.crt]: Required value',
    'data[tls.key]: Required value',
  ),
  secret('a Secret from text', { stringData: { a: 'x' } }),
  claim(
    'an empty claim',
    { spec: {} },
    'spec.accessModes: Required value: at least 1 access mode is required',
    'spec.resources[storage]: Required value',
  ),
  claim(
    'a claim of nothing',
    { spec: { accessModes: ['X'], resources: { requests: { storage: '0' } } } },
    'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    'spec.resources[storage]: Invalid value: "0": must be greater than zero',
  ),
  lease(
    'a lease of no time',
    { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } },
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ),
  autoscaler(
    'an autoscaler with more minimum than maximum',
    {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
        maxReplicas: 3,
        minReplicas: 5,
        metrics: [{ type: 'X' }],
      },
    },
    'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
    'spec.metrics[0].type: Unsupported value: "X": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
  ),
  role(
    'a rule without verbs',
    { rules: [{ apiGroups: [''], resources: ['pods'] }] },
    'rules[0].verbs: Required value: verbs must contain at least one value',
  ),
  role(
    'rules without groups, and with paths in a namespace',
    { rules: [{ verbs: ['get'] }, { verbs: ['get'], apiGroups: [''], nonResourceURLs: ['/x'] }] },
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
    'rules[1].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    'rules[1].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ),
  binding(
    'a binding to a kind that does not exist',
    { roleRef: { kind: 'X', name: '' }, subjects: [{ kind: 'Y', name: '' }] },
    'roleRef.kind: Unsupported value: "X": supported values: "Role", "ClusterRole"',
    'roleRef.name: Required value',
    'subjects[0].name: Required value',
    'subjects[0].kind: Unsupported value: "Y": supported values: "ServiceAccount", "User", "Group"',
  ),
  slice(
    'an endpoint without addresses',
    { addressType: 'X', endpoints: [{ addresses: [] }] },
    'addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"',
    'endpoints[0].addresses: Required value: must contain at least 1 address',
  ),
  slice(
    'an address that is none',
    { addressType: 'IPv4', endpoints: [{ addresses: ['x'] }], ports: [{ name: 'A_', port: 1 }] },
    `ports[0].name: Invalid value: "A_": ${label}`,
    'endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ),
  revision(
    'a revision without data',
    { revision: -1 },
    'revision: Invalid value: -1: must be greater than or equal to 0',
    'data: Required value: data is mandatory',
  ),
];
