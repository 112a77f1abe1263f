/**
 * Built-in kinds as the server writes an object without content: struct fields that are always there.
 * A writer that fills one of these owns what is in it, but not the field itself (`f:spec` without `.`).
 */
import type { JsonObject } from '../../../crds/structural/schema-node.ts';

const template = { metadata: {}, spec: { containers: null } };

const byKind: Record<string, JsonObject> = {
  Pod: { spec: { containers: null }, status: {} },
  Deployment: { spec: { selector: null, strategy: {}, template }, status: {} },
  ReplicaSet: { spec: { selector: null, template }, status: { replicas: 0 } },
  StatefulSet: {
    spec: { selector: null, serviceName: '', template, updateStrategy: {} },
    status: { replicas: 0, availableReplicas: 0 },
  },
  DaemonSet: {
    spec: { selector: null, template, updateStrategy: {} },
    status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  },
  ControllerRevision: { revision: 0 },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 0, scaleTargetRef: { kind: '', name: '' } }, status: {} },
  Service: { spec: {}, status: { loadBalancer: {} } },
  EndpointSlice: { addressType: '', endpoints: null, ports: null },
  NetworkPolicy: { spec: { podSelector: {} } },
  Ingress: { spec: {}, status: { loadBalancer: {} } },
  Lease: { spec: {} },
  PodDisruptionBudget: {
    spec: {},
    status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  },
  PersistentVolumeClaim: { spec: { resources: {} }, status: {} },
  PersistentVolume: { spec: {}, status: {} },
  Namespace: { spec: {}, status: {} },
  Node: {
    spec: {},
    status: {
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      nodeInfo: {
        architecture: '',
        bootID: '',
        containerRuntimeVersion: '',
        kernelVersion: '',
        kubeProxyVersion: '',
        kubeletVersion: '',
        machineID: '',
        operatingSystem: '',
        osImage: '',
        systemUUID: '',
      },
    },
  },
  ResourceQuota: { spec: {}, status: {} },
  LimitRange: { spec: { limits: null } },
  Event: {
    eventTime: null,
    firstTimestamp: null,
    involvedObject: {},
    lastTimestamp: null,
    reportingComponent: '',
    reportingInstance: '',
    source: {},
  },
  Role: { rules: null },
  ClusterRole: { rules: null },
  RoleBinding: { roleRef: { apiGroup: '', kind: '', name: '' } },
  ClusterRoleBinding: { roleRef: { apiGroup: '', kind: '', name: '' } },
  PriorityClass: { value: 0 },
  StorageClass: { provisioner: '' },
  CustomResourceDefinition: {
    spec: { group: '', names: { kind: '', plural: '' }, scope: '', versions: null },
    status: { acceptedNames: { kind: '', plural: '' }, conditions: null, storedVersions: null },
  },
};

/** The empty object of a built-in kind. */
export function emptyObjectOf(kind: string): JsonObject {
  return { metadata: {}, ...byKind[kind] };
}
