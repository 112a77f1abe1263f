/** The gateway of one namespace: what it is made of. It serves every ModelDeployment of the namespace that takes this path. */
import { groupVersion, kind, labels } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import { quantityNumber } from '../../../crds/values.ts';
import type {
  Deployment,
  KubeObject,
  ObjectMeta,
  OwnerReference,
  PodDisruptionBudget,
  ResourceRequirements,
  Role,
  RoleBinding,
  Service,
  ServiceAccount,
} from '../../../kube/objects.ts';
import { containerSecurity } from '../desired/container-security.ts';
import { managedBy } from '../labels.ts';

/** Name of everything that makes up the gateway. */
export const gatewayName = 'ballast-gateway';

/** Port of /livez, /readyz, /metrics and /load. */
const gatewayOpsPort = 8081;

const componentLabel = 'app.kubernetes.io/component';

/** The gateway's pods: what the callers' Service selects. */
export const gatewaySelector: Readonly<Record<string, string>> = {
  [labels.appName]: gatewayName,
  [componentLabel]: 'gateway',
};

/** What finds the gateway's objects among all others. */
export const gatewayLabelSelector = `${componentLabel}=gateway,${labels.managedBy}=${managedBy}`;

const gatewayLabels = { ...gatewaySelector, [labels.managedBy]: managedBy };

/** Whether an object of that name was made by Ballast for its gateway. */
export const isGatewayObject = ({ metadata }: KubeObject): boolean =>
  Object.entries(gatewayLabels).every(([key, value]) => metadata.labels?.[key] === value);

/** What the operator's settings say of gateways. */
export interface GatewaySettings {
  readonly image: string;
  readonly replicas: number;
  readonly resources: ResourceRequirements;
  readonly imagePullSecrets?: readonly { readonly name: string }[] | undefined;
}

/** Requests and limits where the chart gives none. A quarter of the memory limit may hold bodies of waiting requests. */
export const defaultGatewayResources: ResourceRequirements = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { memory: '512Mi' },
};

/** Kinds of what a gateway is made of, spelled as in kube/resource.ts. */
export const gatewayKinds = [
  'serviceAccounts',
  'roles',
  'roleBindings',
  'services',
  'deployments',
  'podDisruptionBudgets',
] as const;
export type GatewayChildKind = (typeof gatewayKinds)[number];

export interface GatewayChild {
  readonly kind: GatewayChildKind;
  readonly object: KubeObject;
}

/**
 * The anchor: a ServiceAccount that all ModelDeployments on this path own, and that owns the rest. So the garbage
 * collector takes the gateway with the last of them, also while no operator runs, and a further model changes one object.
 */
export function gatewayAnchor(namespace: string, owners: readonly ModelDeployment[]): ServiceAccount {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: gatewayName,
      namespace,
      labels: { ...gatewayLabels },
      ownerReferences: owners
        .map(({ metadata: { name, uid } }) => ({ apiVersion: groupVersion, kind, name, uid }))
        .sort((a, b) => (a.uid < b.uid ? -1 : 1)),
    },
    automountServiceAccountToken: false,
  };
}

const meta = (namespace: string, owner: OwnerReference): ObjectMeta => ({
  name: gatewayName,
  namespace,
  labels: { ...gatewayLabels },
  ownerReferences: [owner],
});

/** What the gateway asks of the API server: its routes and where pods are. */
const role = (metadata: ObjectMeta, wakes: boolean): Role => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'Role',
  metadata,
  rules: [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    // A model that sleeps is woken by the gateway itself, also while no operator runs. Only where one may sleep.
    ...(wakes ? [{ apiGroups: ['apps'], resources: ['deployments/scale'], verbs: ['get', 'patch'] }] : []),
  ],
});

const roleBinding = (metadata: ObjectMeta, namespace: string): RoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata,
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: gatewayName },
  subjects: [{ kind: 'ServiceAccount', name: gatewayName, namespace }],
});

/** Headless: its slices tell gateways of each other, and the operator whom to ask for the load and how many are ready. */
const service = (metadata: ObjectMeta): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata,
  spec: {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: { ...gatewaySelector },
    ports: [{ name: 'ops', port: gatewayOpsPort, targetPort: 'ops', protocol: 'TCP' }],
  },
});

const podDisruptionBudget = (metadata: ObjectMeta): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata,
  spec: {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: { ...gatewaySelector } },
  },
});

const spread = (topologyKey: string) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: { ...gatewaySelector } },
});

/**
 * Node's bounds under a memory limit (a quantity): the heap gets two fifths of it, the rest is bodies and sockets. Under
 * attack at 512 MiB plain Node came to 543 MB, with these flags to 157 MB. The room for what is young is there from the
 * start: Node gives it by and by, and with less of it a gRPC call cost 82 µs of CPU instead of 76.
 */
export function gatewayNodeFlags(memoryLimit: string | number | undefined): string[] {
  const young = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
  if (memoryLimit === undefined) return young;
  const mebibytes = Math.max(64, Math.floor((0.4 * quantityNumber(memoryLimit)) / 2 ** 20));
  return [...young, `--max-old-space-size=${mebibytes}`];
}

function deployment(metadata: ObjectMeta, settings: GatewaySettings): Deployment {
  const { image, replicas, resources, imagePullSecrets = [] } = settings;
  const memory = resources.limits?.memory;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: { ...gatewaySelector } },
      // A new one is ready before an old one goes.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 1,
      template: {
        metadata: { labels: { ...gatewayLabels } },
        spec: {
          serviceAccountName: gatewayName,
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          // 5 s until nobody is sent here any more, 45 s for what runs, and a margin.
          terminationGracePeriodSeconds: 60,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          topologySpreadConstraints: [
            spread('kubernetes.io/hostname'),
            spread('topology.kubernetes.io/zone'),
          ],
          ...(imagePullSecrets.length === 0
            ? {}
            : { imagePullSecrets: imagePullSecrets.map(({ name }) => ({ name })) }),
          containers: [
            {
              name: 'gateway',
              image,
              // The operator's image holds both programs; its own entry point starts the operator.
              command: ['/nodejs/bin/node', ...gatewayNodeFlags(memory), '/app/gateway.mjs'],
              env: [
                {
                  name: 'BALLAST_GATEWAY_NAMESPACE',
                  valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } },
                },
                { name: 'BALLAST_POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                ...(memory === undefined
                  ? []
                  : [
                      {
                        name: 'BALLAST_MEMORY_LIMIT_BYTES',
                        value: String(Math.floor(quantityNumber(memory))),
                      },
                    ]),
              ],
              ports: [{ name: 'ops', containerPort: gatewayOpsPort, protocol: 'TCP' }],
              resources,
              readinessProbe: {
                httpGet: { path: '/readyz', port: 'ops', scheme: 'HTTP' },
                periodSeconds: 1,
                timeoutSeconds: 2,
                failureThreshold: 3,
              },
              livenessProbe: {
                httpGet: { path: '/livez', port: 'ops', scheme: 'HTTP' },
                initialDelaySeconds: 10,
                periodSeconds: 10,
                timeoutSeconds: 5,
                failureThreshold: 3,
              },
              securityContext: containerSecurity,
              terminationMessagePolicy: 'FallbackToLogsOnError',
            },
          ],
        },
      },
    },
  };
}

/** What the anchor owns, in the order in which it is made: rights and address before the pods. */
export function gatewayChildren(
  namespace: string,
  anchorUid: string,
  settings: GatewaySettings,
  /** Whether a ModelDeployment of the namespace may scale to zero. */
  wakes = false,
): readonly GatewayChild[] {
  const metadata = meta(namespace, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    name: gatewayName,
    uid: anchorUid,
  });
  return [
    { kind: 'roles', object: role(metadata, wakes) },
    { kind: 'roleBindings', object: roleBinding(metadata, namespace) },
    { kind: 'services', object: service(metadata) },
    { kind: 'podDisruptionBudgets', object: podDisruptionBudget(metadata) },
    { kind: 'deployments', object: deployment(metadata, settings) },
  ];
}
