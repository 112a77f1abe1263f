/** Structs of the cluster itself: configuration, namespaces, nodes, events, quotas, leases, access, budgets. */

const head = `
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.`;

export const clusterTypes = `
ConfigMap : Configuration for pods.${head}
  binaryData {bytes} : Binary values, base64.
  data {string} : Text values.
  immutable bool : True forbids changes of the values.
Secret : Confidential values for pods.${head}
  data {bytes} : Values, base64.
  immutable bool : True forbids changes of the values.
  stringData {string} : Text values that are written into data; never read back.
  type string =Opaque : What the Secret is for. Cannot be changed.
ServiceAccount : An identity for pods.${head}
  automountServiceAccountToken bool : False mounts no token into pods.
  imagePullSecrets []LocalObjectReference atomic : Secrets with which images are pulled.
  secrets []ObjectReference map(name) merge(name) : Secrets that pods may use.
Event : Something that happened to an object.${head}
  action string : What was done.
  count int32 : How often it happened.
  eventTime microTime : When it happened first.
  firstTimestamp time : When it happened first.
  involvedObject! ObjectReference : The object.
  lastTimestamp time : When it happened last.
  message string : What happened, in words.
  reason string : What happened, in one word.
  related ObjectReference : Another object that had to do with it.
  reportingComponent string = : Controller that says it.
  reportingInstance string = : Instance of that controller.
  series EventSeries : Repetitions.
  source EventSource ={} : Component that says it.
  type string : Normal or Warning.
EventSeries : Repetitions of an event.
  count int32 : How often it happened.
  lastObservedTime microTime : When it happened last.
EventSource : Component that says an event.
  component string : Name of the component.
  host string : Node of the component.
EventsEvent : Something that happened to an object.${head}
  action string : What was done.
  deprecatedCount int32 : How often it happened, in the old form.
  deprecatedFirstTimestamp time : When it happened first, in the old form.
  deprecatedLastTimestamp time : When it happened last, in the old form.
  deprecatedSource EventSource : Component that says it, in the old form.
  eventTime! microTime : When it happened first.
  note string : What happened, in words.
  reason string : What happened, in one word.
  regarding ObjectReference : The object.
  related ObjectReference : Another object that had to do with it.
  reportingController string : Controller that says it.
  reportingInstance string : Instance of that controller.
  series EventSeries : Repetitions.
  type string : Normal or Warning.
Namespace : A space of names.${head}
  spec NamespaceSpec : What keeps the namespace.
  status NamespaceStatus : State of the namespace.
NamespaceSpec : What keeps a namespace.
  finalizers []string atomic : Names that must be removed before the namespace is gone.
NamespaceStatus : State of a namespace.
  conditions []PlainCondition map(type) merge(type) : Aspects of the state.
  phase string |Active,Terminating : Active or Terminating.
Node : A machine that runs pods.${head}
  spec NodeSpec : What the node should be.
  status NodeStatus : State of the node.
NodeSpec : What a node should be.
  configSource object : Not used any more.
  externalID string : Not used any more.
  podCIDR string : Addresses of the node's pods.
  podCIDRs []string set merge : Addresses of the node's pods, one range per IP family.
  providerID string : Identity of the machine at its provider.
  taints []Taint atomic : Taints of the node.
  unschedulable bool : True keeps new pods away.
Taint : Keeps pods away that do not tolerate it.
  effect! string |NoSchedule,PreferNoSchedule,NoExecute : What happens to pods.
  key! string : Key of the taint.
  timeAdded time : When it was added.
  value string : Value of the taint.
NodeStatus : State of a node.
  addresses []NodeAddress map(type) merge(type) : Addresses of the node.
  allocatable {quantity} : Resources for pods.
  capacity {quantity} : Resources of the machine.
  conditions []NodeCondition map(type) merge(type) : Aspects of the state.
  config object : Not used any more.
  daemonEndpoints NodeDaemonEndpoints : Ports of the kubelet.
  declaredFeatures []string atomic : Features that the kubelet declares.
  features NodeFeatures : Features of the runtime.
  images []ContainerImage atomic : Images on the node.
  nodeInfo NodeSystemInfo : Versions of the node's software.
  phase string |Pending,Running,Terminated : Not used any more.
  runtimeHandlers []NodeRuntimeHandler atomic : Handlers of the runtime.
  volumesAttached []AttachedVolume atomic : Volumes that are attached.
  volumesInUse []string atomic : Volumes that are in use.
NodeAddress : An address of a node.
  address! string : The address.
  type! string : Kind of the address.
NodeCondition : One aspect of a node's state.
  lastHeartbeatTime time : When the condition was last written.
  lastTransitionTime time : When status last changed.
  message string : What is so, in words.
  reason string : One word for the cause of the last change.
  status! string : True, False or Unknown.
  type! string : Name of the condition.
NodeDaemonEndpoints : Ports of the node's daemons.
  kubeletEndpoint DaemonEndpoint : Port of the kubelet.
DaemonEndpoint : A port.
  Port! int32 : Port number.
NodeFeatures : Features of the runtime.
  supplementalGroupsPolicy bool : Whether supplementalGroupsPolicy is honoured.
ContainerImage : An image on a node.
  names []string atomic : Names of the image.
  sizeBytes int64 : Size in bytes.
NodeSystemInfo : Versions of a node's software.
  architecture! string : Architecture.
  bootID! string : Identity of the boot.
  containerRuntimeVersion! string : Version of the runtime.
  kernelVersion! string : Version of the kernel.
  kubeProxyVersion! string : Not used any more.
  kubeletVersion! string : Version of the kubelet.
  machineID! string : Identity of the machine.
  operatingSystem! string : Operating system.
  osImage! string : Distribution.
  swap object : Swap memory.
  systemUUID! string : UUID of the machine.
NodeRuntimeHandler : A handler of the runtime.
  features object : Its features.
  name string : Its name.
AttachedVolume : A volume that is attached.
  devicePath! string : Path of the device.
  name! string : Name of the volume.
ResourceQuota : Limits of what a namespace may use.${head}
  spec ResourceQuotaSpec : The limits.
  status ResourceQuotaStatus : What is used.
ResourceQuotaSpec : Limits of a namespace.
  hard {quantity} : Most of each resource.
  scopeSelector ScopeSelector : Objects that count, by condition.
  scopes []string atomic : Objects that count, by scope.
ScopeSelector atomic : Objects that count.
  matchExpressions []ScopedResourceSelectorRequirement atomic : Conditions.
ScopedResourceSelectorRequirement : A condition.
  operator! string |DoesNotExist,Exists,In,NotIn : How scope and values are compared.
  scopeName! string : The scope.
  values []string atomic : Values for the comparison.
ResourceQuotaStatus : What is used.
  hard {quantity} : Limits in effect.
  used {quantity} : What is used.
LimitRange : Bounds and defaults of resources in a namespace.${head}
  spec LimitRangeSpec : The bounds.
LimitRangeSpec : Bounds of resources.
  limits! []LimitRangeItem atomic : Bounds per kind of object.
LimitRangeItem : Bounds for one kind of object.
  default {quantity} : Default limits.
  defaultRequest {quantity} : Default requests.
  max {quantity} : Upper bounds.
  maxLimitRequestRatio {quantity} : Largest limit divided by request.
  min {quantity} : Lower bounds.
  type! string : Container, Pod or PersistentVolumeClaim.
Lease : Who holds something, and until when.${head}
  spec LeaseSpec : The holder.
LeaseSpec : The holder of a lease.
  acquireTime microTime : When the holder got it.
  holderIdentity string : Who holds it.
  leaseDurationSeconds int32 : Seconds after renewTime for which it is held.
  leaseTransitions int32 : How often the holder changed.
  preferredHolder string : Who should hold it.
  renewTime microTime : When the holder last renewed it.
  strategy string : How the holder is chosen.
PodDisruptionBudget : How many pods may be missing when nodes are drained.${head}
  spec PodDisruptionBudgetSpec : The budget.
  status PodDisruptionBudgetStatus : State of the budget.
PodDisruptionBudgetSpec : A budget.
  maxUnavailable intOrString : Pods that may be missing, count or percentage.
  minAvailable intOrString : Pods that must be there, count or percentage.
  selector LabelSelector replace : Pods of the budget.
  unhealthyPodEvictionPolicy string |AlwaysAllow,IfHealthyBudget : When pods that are not ready may be evicted.
PodDisruptionBudgetStatus : State of a budget.
  conditions []Condition map(type) merge(type) : Aspects of the state.
  currentHealthy int32 : Pods that are ready.
  desiredHealthy int32 : Pods that must be ready.
  disruptedPods {time} : Pods whose eviction was allowed and is under way.
  disruptionsAllowed int32 : Pods that may be evicted now.
  expectedPods int32 : Pods of the budget.
  observedGeneration int64 : metadata.generation that the status is about.
Role : Permissions in a namespace.${head}
  rules []PolicyRule atomic : The permissions.
ClusterRole : Permissions in the cluster.${head.replace('\n', '\n  aggregationRule AggregationRule : ClusterRoles whose rules are taken over.\n')}
  rules []PolicyRule atomic : The permissions.
PolicyRule : Permissions.
  apiGroups []string atomic : API groups; * means all.
  nonResourceURLs []string atomic : Paths that are no resources.
  resourceNames []string atomic : Names of objects; empty means all.
  resources []string atomic : Resources; * means all.
  verbs! []string atomic : Verbs; * means all.
AggregationRule : ClusterRoles whose rules are taken over.
  clusterRoleSelectors []LabelSelector atomic : The ClusterRoles.
RoleBinding : Gives permissions to somebody in a namespace.${head}
  roleRef! RoleRef : The role. Cannot be changed.
  subjects []Subject atomic : Who gets them.
ClusterRoleBinding : Gives permissions to somebody in the cluster.${head}
  roleRef! RoleRef : The role. Cannot be changed.
  subjects []Subject atomic : Who gets them.
RoleRef atomic : A role.
  apiGroup string : API group of the role. Default rbac.authorization.k8s.io.
  kind! string : Role or ClusterRole.
  name! string : Name of the role.
Subject atomic : A user, a group or a service account.
  apiGroup string : API group of the subject.
  kind! string : User, Group or ServiceAccount.
  name! string : Name of the subject.
  namespace string : Namespace of a service account.
PriorityClass : Names a priority of pods.${head}
  description string : When to use it.
  globalDefault bool : True makes it the default.
  preemptionPolicy string =PreemptLowerPriority |PreemptLowerPriority,Never : Whether pods push others away.
  value int32 : The priority; higher is more important. Cannot be changed.
`;
