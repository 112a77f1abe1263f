/** A fleet at rest, as the API server would tell of it: every object of so many ModelDeployments with so many pods each. */
import { annotations, labels, modelDeployments } from '../../crds/constants.ts';
import type { Deployment, KubeObject } from '../../kube/objects.ts';
import { apiVersionOf, type ResourceType, resources } from '../../kube/resource.ts';
import { withHash } from '../../operator/model/child-plan.ts';
import type { ChildKind } from '../../operator/model/snapshot.ts';
import { World } from '../../operator/model/testing/world.ts';

export interface Fleet {
  readonly deployments: number;
  readonly podsEach: number;
}

/** One kind with a function from a ModelDeployment's number to its objects of that kind. */
export interface Listed {
  readonly type: ResourceType;
  of(index: number): readonly KubeObject[];
}

/** A hundred models share a namespace. */
const namespaceOf = (index: number) => `fleet-${Math.floor(index / 100)}`;
const nameOf = (index: number) => `model-${index}`;

/** Addresses of 127.0.0.0/8, so that one server on this machine answers for all pods. */
const addressOf = (pod: number) => `127.${1 + (pod >> 16)}.${(pod >> 8) & 255}.${pod & 255}`;

const podHash = '7d9f8b6c5d';
const since = '2026-01-01T12:00:00Z';
/** As much as kubelet and controllers leave in a pod: read from the wire and let go. */
const managedFields = [
  {
    manager: 'kube-controller-manager',
    operation: 'Update' as const,
    apiVersion: 'v1',
    time: since,
    fieldsType: 'FieldsV1',
    fieldsV1: Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`f:field-${index}`, { '.': {}, 'f:name': {} }]),
    ),
  },
];

/** What the operator made for one model, settled, with the names that stand for those of each. */
function settled({ podsEach }: Fleet) {
  const world = new World(podsEach, {
    sla: { latency: { p95: '50ms' }, errorRate: '0.1%', window: '5m' },
    scaling: { mode: 'SLA', replicas: 1, minReplicas: podsEach, maxReplicas: podsEach },
    traffic: { path: 'Direct' },
  });
  world.settle(200 + 2 * podsEach);
  return { deployment: world.deployment, children: world.children() };
}

/** Lists of every kind that the operator reads; `opsPort` is where pods answer. */
export function fleetObjects(fleet: Fleet, opsPort: number): Listed[] {
  const { deployment, children } = settled(fleet);
  const renamed = <T>(object: T, index: number): T =>
    JSON.parse(
      JSON.stringify(object)
        .replaceAll('uid-wine', `uid-${index}`)
        .replaceAll('"shop"', `"${namespaceOf(index)}"`)
        .replaceAll(/\bwine\b(?!\/)/g, nameOf(index)),
    ) as T;
  /** As the server has it: the hash is of the object as it is applied. */
  const stored = (child: KubeObject, index: number): KubeObject => {
    const { uid, resourceVersion, ...metadata } = child.metadata;
    const { [annotations.appliedHash]: _, ...others } = metadata.annotations ?? {};
    const bare: KubeObject = {
      ...child,
      metadata: {
        ...metadata,
        ...(Object.keys(others).length === 0 ? { annotations: undefined as never } : { annotations: others }),
      },
    };
    const { object } = withHash(JSON.parse(JSON.stringify(renamed(bare, index))) as KubeObject);
    return {
      ...object,
      metadata: { ...object.metadata, uid: `${uid}-${index}`, resourceVersion: '1', managedFields },
    };
  };
  const [model] = children.deployments;
  if (model === undefined) throw new Error('the model of the fleet was not rolled out');
  const revision = model.metadata.labels?.[labels.revision] ?? '';
  const childType: Readonly<Record<ChildKind, ResourceType>> = {
    serviceAccounts: resources.serviceAccounts,
    configMaps: resources.configMaps,
    controllerRevisions: resources.controllerRevisions,
    services: resources.services,
    networkPolicies: resources.networkPolicies,
    deployments: resources.deployments,
    podDisruptionBudgets: resources.podDisruptionBudgets,
  };
  const childLists = Object.entries(childType).map(([kind, type]) => ({
    type,
    of: (index: number) =>
      (children[kind as ChildKind] as readonly KubeObject[]).map((child) => {
        const object = stored(child, index);
        return kind === 'deployments'
          ? { ...object, status: { ...deploymentStatus(fleet.podsEach) } }
          : object;
      }),
  }));
  const setOf = (index: number) => {
    const child = renamed(model, index);
    return { name: `${child.metadata.name}-${podHash}`, uid: `set-${index}`, child };
  };
  const podNames = (index: number) => {
    const { name } = setOf(index);
    return Array.from({ length: fleet.podsEach }, (_, pod) => `${name}-${pod.toString(36).padStart(5, 'x')}`);
  };
  return [
    { type: modelDeployments, of: (index) => [{ ...renamed(deployment, index) } as KubeObject] },
    ...childLists,
    {
      type: resources.replicaSets,
      of: (index) => {
        const { name, uid, child } = setOf(index);
        return [replicaSetOf(name, uid, child, `${model.metadata.uid}-${index}`)];
      },
    },
    {
      type: resources.pods,
      of: (index) => {
        const set = setOf(index);
        return podNames(index).map((name, pod) => podOf(name, set, addressOf(index * fleet.podsEach + pod)));
      },
    },
    {
      type: resources.endpointSlices,
      of: (index) => {
        const names = podNames(index);
        const { child } = setOf(index);
        // As the controller makes them: a hundred endpoints each.
        return Array.from({ length: Math.ceil(names.length / 100) }, (_, part) => ({
          apiVersion: apiVersionOf(resources.endpointSlices),
          kind: resources.endpointSlices.kind,
          metadata: {
            name: `${child.metadata.name}-${part}`,
            namespace: namespaceOf(index),
            uid: `slice-${index}-${part}`,
            resourceVersion: '1',
            labels: { [labels.deployment]: nameOf(index), [labels.revision]: revision },
          },
          addressType: 'IPv4',
          ports: [
            { name: 'http', port: 8080, protocol: 'TCP' },
            { name: 'grpc', port: 9000, protocol: 'TCP' },
            { name: 'ops', port: opsPort, protocol: 'TCP' },
          ],
          endpoints: names.slice(100 * part, 100 * part + 100).map((name, at) => ({
            addresses: [addressOf(index * fleet.podsEach + 100 * part + at)],
            conditions: { ready: true, serving: true, terminating: false },
            nodeName: `node-${at % 50}`,
            targetRef: { kind: 'Pod', name, namespace: namespaceOf(index), uid: `pod-${name}` },
          })),
        }));
      },
    },
  ];
}

const deploymentStatus = (replicas: number) => ({
  observedGeneration: 1,
  replicas,
  updatedReplicas: replicas,
  readyReplicas: replicas,
  availableReplicas: replicas,
});

function replicaSetOf(name: string, uid: string, child: Deployment, owner: string): KubeObject {
  const { namespace = '', labels: own = {} } = child.metadata;
  return {
    apiVersion: apiVersionOf(resources.replicaSets),
    kind: resources.replicaSets.kind,
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion: '1',
      creationTimestamp: since,
      labels: { ...own, 'pod-template-hash': podHash },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: child.metadata.name ?? '',
          uid: owner,
          controller: true,
        },
      ],
      managedFields,
    },
    spec: { replicas: child.spec.replicas, selector: child.spec.selector, template: child.spec.template },
  } as KubeObject;
}

/** A running pod with all that kubelet says of it. */
function podOf(
  name: string,
  set: { name: string; uid: string; child: Deployment },
  address: string,
): KubeObject {
  const { template } = set.child.spec;
  const { namespace = '' } = set.child.metadata;
  const containers = (names: readonly { name: string; image?: string }[], state: object, ready: boolean) =>
    names.map((one) => ({
      name: one.name,
      image: one.image,
      imageID: `docker.io/ballast/inference-pod@sha256:${'ab'.repeat(32)}`,
      containerID: `containerd://${'cd'.repeat(32)}`,
      ready,
      started: ready,
      restartCount: 0,
      lastState: {},
      state,
    }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${set.name}-`,
      namespace,
      uid: `pod-${name}`,
      resourceVersion: '1',
      creationTimestamp: since,
      labels: { ...template.metadata?.labels, 'pod-template-hash': podHash },
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.name, uid: set.uid, controller: true },
      ],
      managedFields,
    },
    spec: { ...template.spec, nodeName: `node-${address.length}` },
    status: {
      phase: 'Running',
      hostIP: '10.0.0.1',
      podIP: address,
      podIPs: [{ ip: address }],
      qosClass: 'Burstable',
      startTime: since,
      conditions: [
        'PodReadyToStartContainers',
        'Initialized',
        'Ready',
        'ContainersReady',
        'PodScheduled',
      ].map((type) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: since })),
      initContainerStatuses: containers(
        template.spec.initContainers ?? [],
        { terminated: { exitCode: 0, reason: 'Completed', startedAt: since, finishedAt: since } },
        true,
      ),
      containerStatuses: containers(template.spec.containers, { running: { startedAt: since } }, true),
    },
  } as unknown as KubeObject;
}
