/**
 * Field tables of the Kubernetes messages that typed clients (kubectl create, helm) send as protobuf. One line a
 * message: `Name: number field type, …`. Types: text (default), int, bool, bytes (base64 in JSON), time, quantity,
 * intOrString, or a message; `[]` lists, `{}` maps with text keys. `?` marks fields that Go holds by pointer: their
 * zero value counts; all others are absent when zero. `apiVersion.Kind` is a kind whose versions differ. `~` marks a nested message whose fields JSON holds inline.
 */
const notation = `
ObjectMeta: 1 name, 2 generateName, 3 namespace, 5 uid, 6 resourceVersion, 7 generation int, 8 creationTimestamp time, 9 deletionTimestamp time, 10 deletionGracePeriodSeconds? int, 11 labels {}, 12 annotations {}, 13 ownerReferences []OwnerReference, 14 finalizers [], 17 managedFields []ManagedFieldsEntry
OwnerReference: 1 kind, 3 name, 4 uid, 5 apiVersion, 6 controller? bool, 7 blockOwnerDeletion? bool
ManagedFieldsEntry: 1 manager, 2 operation, 3 apiVersion, 4 time time, 6 fieldsType, 7 fieldsV1 rawJson, 8 subresource
LabelSelector: 1 matchLabels {}, 2 matchExpressions []LabelSelectorRequirement
LabelSelectorRequirement: 1 key, 2 operator, 3 values []
LocalObjectReference: 1 name
ObjectReference: 1 kind, 2 namespace, 3 name, 4 uid, 5 apiVersion, 6 resourceVersion, 7 fieldPath
Preconditions: 1 uid?, 2 resourceVersion?
DeleteOptions: 1 gracePeriodSeconds? int, 2 preconditions Preconditions, 3 orphanDependents? bool, 4 propagationPolicy, 5 dryRun []
Secret: 1 metadata ObjectMeta, 2 data {}bytes, 3 type, 4 stringData {}, 5 immutable? bool
ConfigMap: 1 metadata ObjectMeta, 2 data {}, 3 binaryData {}bytes, 4 immutable? bool
Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status NamespaceStatus
NamespaceSpec: 1 finalizers []
NamespaceStatus: 1 phase
ServiceAccount: 1 metadata ObjectMeta, 2 secrets []ObjectReference, 3 imagePullSecrets []LocalObjectReference, 4 automountServiceAccountToken? bool
Pod: 1 metadata ObjectMeta, 2 spec PodSpec
PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
PodSpec: 1 volumes []Volume, 2 containers []Container, 3 restartPolicy, 4 terminationGracePeriodSeconds? int, 5 activeDeadlineSeconds? int, 6 dnsPolicy, 7 nodeSelector {}, 8 serviceAccountName, 10 nodeName, 11 hostNetwork bool, 12 hostPID bool, 13 hostIPC bool, 14 securityContext? PodSecurityContext, 15 imagePullSecrets []LocalObjectReference, 16 hostname, 17 subdomain, 19 schedulerName, 20 initContainers []Container, 21 automountServiceAccountToken? bool, 22 tolerations []Toleration, 24 priorityClassName, 25 priority? int, 27 shareProcessNamespace? bool, 29 runtimeClassName?, 30 enableServiceLinks? bool, 31 preemptionPolicy?
PodSecurityContext: 2 runAsUser? int, 3 runAsNonRoot? bool, 5 fsGroup? int, 6 runAsGroup? int
Toleration: 1 key, 2 operator, 3 value, 4 effect, 5 tolerationSeconds? int
Container: 1 name, 2 image, 3 command [], 4 args [], 5 workingDir, 6 ports []ContainerPort, 7 env []EnvVar, 8 resources ResourceRequirements, 9 volumeMounts []VolumeMount, 10 livenessProbe Probe, 11 readinessProbe Probe, 13 terminationMessagePath, 14 imagePullPolicy, 16 stdin bool, 17 stdinOnce bool, 18 tty bool, 20 terminationMessagePolicy, 22 startupProbe Probe
ContainerPort: 1 name, 2 hostPort int, 3 containerPort int, 4 protocol, 5 hostIP
EnvVar: 1 name, 2 value, 3 valueFrom EnvVarSource
EnvVarSource: 1 fieldRef FieldSelector, 2 resourceFieldRef ResourceFieldSelector, 3 configMapKeyRef KeySelector, 4 secretKeyRef KeySelector
FieldSelector: 1 apiVersion, 2 fieldPath
ResourceFieldSelector: 1 containerName, 2 resource, 3 divisor quantity
KeySelector: 1 ~ LocalObjectReference, 2 key, 3 optional? bool
ResourceRequirements: 1 limits {}quantity, 2 requests {}quantity
VolumeMount: 1 name, 2 readOnly bool, 3 mountPath, 4 subPath, 5 mountPropagation?
Probe: 1 ~ ProbeHandler, 2 initialDelaySeconds int, 3 timeoutSeconds int, 4 periodSeconds int, 5 successThreshold int, 6 failureThreshold int, 7 terminationGracePeriodSeconds? int
ProbeHandler: 1 exec? ExecAction, 2 httpGet? HTTPGetAction, 3 tcpSocket? TCPSocketAction
ExecAction: 1 command []
HTTPGetAction: 1 path, 2 port intOrString, 3 host, 4 scheme, 5 httpHeaders []HTTPHeader
HTTPHeader: 1 name, 2 value
TCPSocketAction: 1 port intOrString, 2 host
Volume: 1 name, 2 ~ VolumeSource
VolumeSource: 1 hostPath? HostPath, 2 emptyDir? EmptyDir, 6 secret? SecretVolume, 10 persistentVolumeClaim? ClaimVolume, 19 configMap? ConfigMapVolume
HostPath: 1 path, 2 type?
EmptyDir: 1 medium, 2 sizeLimit quantity
SecretVolume: 1 secretName, 2 items []KeyToPath, 3 defaultMode? int, 4 optional? bool
ClaimVolume: 1 claimName, 2 readOnly bool
ConfigMapVolume: 1 ~ LocalObjectReference, 2 items []KeyToPath, 3 defaultMode? int, 4 optional? bool
KeyToPath: 1 key, 2 path, 3 mode? int
Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec
DeploymentSpec: 1 replicas? int, 2 selector? LabelSelector, 3 template PodTemplateSpec, 4 strategy DeploymentStrategy, 5 minReadySeconds int, 6 revisionHistoryLimit? int, 7 paused bool, 9 progressDeadlineSeconds? int
DeploymentStrategy: 1 type, 2 rollingUpdate RollingUpdate
RollingUpdate: 1 maxUnavailable intOrString, 2 maxSurge intOrString
ReplicaSet: 1 metadata ObjectMeta, 2 spec ReplicaSetSpec
ReplicaSetSpec: 1 replicas? int, 2 selector? LabelSelector, 3 template PodTemplateSpec, 4 minReadySeconds int
Service: 1 metadata ObjectMeta, 2 spec ServiceSpec
ServiceSpec: 1 ports []ServicePort, 2 selector {}, 3 clusterIP, 4 type, 5 externalIPs [], 7 sessionAffinity, 8 loadBalancerIP, 10 externalName, 11 externalTrafficPolicy, 13 publishNotReadyAddresses bool, 17 ipFamilyPolicy?, 18 clusterIPs [], 19 ipFamilies [], 22 internalTrafficPolicy?
ServicePort: 1 name, 2 protocol, 3 port int, 4 targetPort intOrString, 5 nodePort int, 6 appProtocol?
HorizontalPodAutoscaler: 1 metadata ObjectMeta, 2 spec HorizontalPodAutoscalerSpec
HorizontalPodAutoscalerSpec: 1 scaleTargetRef CrossVersionObjectReference, 2 minReplicas? int, 3 maxReplicas int, 4 metrics []MetricSpec
autoscaling/v1.HorizontalPodAutoscaler: 1 metadata ObjectMeta, 2 spec HorizontalPodAutoscalerV1Spec
HorizontalPodAutoscalerV1Spec: 1 scaleTargetRef CrossVersionObjectReference, 2 minReplicas? int, 3 maxReplicas int, 4 targetCPUUtilizationPercentage? int
CrossVersionObjectReference: 1 kind, 2 name, 3 apiVersion
MetricSpec: 1 type, 4 resource ResourceMetricSource
ResourceMetricSource: 1 name, 2 target MetricTarget
MetricTarget: 1 type, 2 value quantity, 3 averageValue quantity, 4 averageUtilization? int
Lease: 1 metadata ObjectMeta, 2 spec LeaseSpec
LeaseSpec: 1 holderIdentity?, 2 leaseDurationSeconds? int, 3 acquireTime microTime, 4 renewTime microTime, 5 leaseTransitions? int
SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec AccessReviewSpec
AccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
ResourceAttributes: 1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name
NonResourceAttributes: 1 path, 2 verb
SelfSubjectRulesReview: 1 metadata ObjectMeta, 2 spec RulesReviewSpec
RulesReviewSpec: 1 namespace
SelfSubjectReview: 1 metadata ObjectMeta
Eviction: 1 metadata ObjectMeta, 2 deleteOptions DeleteOptions
ResourceQuota: 1 metadata ObjectMeta, 2 spec ResourceQuotaSpec
ResourceQuotaSpec: 1 hard {}quantity, 2 scopes []
PodDisruptionBudget: 1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec
PodDisruptionBudgetSpec: 1 minAvailable intOrString, 2 selector? LabelSelector, 3 maxUnavailable intOrString, 4 unhealthyPodEvictionPolicy?
PriorityClass: 1 metadata ObjectMeta, 2 value int, 3 globalDefault bool, 4 description, 5 preemptionPolicy?
Role: 1 metadata ObjectMeta, 2 rules []PolicyRule
ClusterRole: 1 metadata ObjectMeta, 2 rules []PolicyRule
PolicyRule: 1 verbs [], 2 apiGroups [], 3 resources [], 4 resourceNames [], 5 nonResourceURLs []
RoleBinding: 1 metadata ObjectMeta, 2 subjects []Subject, 3 roleRef RoleRef
ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects []Subject, 3 roleRef RoleRef
Subject: 1 kind, 2 apiGroup, 3 name, 4 namespace
RoleRef: 1 apiGroup, 2 kind, 3 name
Ingress: 1 metadata ObjectMeta, 2 spec IngressSpec
IngressSpec: 1 defaultBackend IngressBackend, 3 rules []IngressRule, 4 ingressClassName?
IngressRule: 1 host, 2 ~ IngressRuleValue
IngressRuleValue: 1 http HTTPIngressRuleValue
HTTPIngressRuleValue: 1 paths []HTTPIngressPath
HTTPIngressPath: 1 path, 2 backend IngressBackend, 3 pathType?
IngressBackend: 4 service IngressServiceBackend
IngressServiceBackend: 1 name, 2 port ServiceBackendPort
ServiceBackendPort: 1 name, 2 number int
Scale: 1 metadata ObjectMeta, 2 spec ScaleSpec
ScaleSpec: 1 replicas int
Binding: 1 metadata ObjectMeta, 2 target ObjectReference
`;

export interface Field {
  /** Name in JSON; '~' for a message whose fields stand inline. */
  readonly name: string;
  /** Scalar type or message name. */
  readonly type: string;
  readonly shape: 'one' | 'list' | 'map';
  /** The zero value counts as given. */
  readonly pointer: boolean;
}

export type Message = ReadonlyMap<number, Field>;

const parsed = new Map<string, Message>();

function parseField(text: string): [number, Field] {
  const [number = '', word = '', kind = ''] = text.trim().split(' ');
  const shape = kind.startsWith('[]') ? 'list' : kind.startsWith('{}') ? 'map' : 'one';
  const type = shape === 'one' ? kind : kind.slice(2);
  const pointer = word.endsWith('?');
  return [Number(number), { name: pointer ? word.slice(0, -1) : word, type: type || 'text', shape, pointer }];
}

/** The field table of a message; undefined when it is not known. */
export function messageOf(name: string): Message | undefined {
  if (parsed.size === 0)
    for (const line of notation.trim().split('\n')) {
      const colon = line.indexOf(':');
      parsed.set(
        line.slice(0, colon),
        new Map(
          line
            .slice(colon + 1)
            .split(',')
            .map(parseField),
        ),
      );
    }
  return parsed.get(name);
}
