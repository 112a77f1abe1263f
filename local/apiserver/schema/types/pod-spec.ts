/** Structs of a pod's wanted state, containers apart. */

export const podSpecTypes = `
Pod : A group of containers that run together on one node.
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.
  spec PodSpec : What the pod should be.
  status PodStatus : What the pod is; written by the system.
PodTemplateSpec : The pod that is made from a workload.
  metadata ObjectMeta : Labels and annotations of the pods.
  spec PodSpec : What the pods should be.
PodSpec : What a pod should be.
  activeDeadlineSeconds int64 : Seconds after which a running pod is ended.
  affinity Affinity : Rules about the nodes and the neighbours of the pod.
  automountServiceAccountToken bool : False mounts no service account token.
  containers! []Container map(name) merge(name) : Containers of the pod; at least one.
  dnsConfig PodDNSConfig : DNS settings merged with those of dnsPolicy.
  dnsPolicy string =ClusterFirst |ClusterFirstWithHostNet,ClusterFirst,Default,None : Where DNS settings come from.
  enableServiceLinks bool : True puts variables about the namespace's Services into the environment. Default true.
  ephemeralContainers []EphemeralContainer map(name) merge(name) : Containers added to a running pod for debugging.
  hostAliases []HostAlias map(ip) merge(ip) : Lines that are added to the hosts file.
  hostIPC bool : True uses the node's IPC namespace.
  hostNetwork bool : True uses the node's network namespace.
  hostPID bool : True uses the node's PID namespace.
  hostUsers bool : False runs the pod in a user namespace of its own.
  hostname string : Host name of the pod; default its name.
  hostnameOverride string : Host name as the pod itself sees it.
  imagePullSecrets []LocalObjectReference map(name) merge(name) : Secrets with which images are pulled.
  initContainers []Container map(name) merge(name) : Containers that run one after another before the others start.
  nodeName string : Node on which the pod runs; set by the scheduler.
  nodeSelector {string} atomic : Labels that the node must have.
  os PodOS : Operating system of the containers.
  overhead {quantity} : Resources that the runtime itself needs.
  preemptionPolicy string |Never,PreemptLowerPriority : Whether the pod may push away others of lower priority.
  priority int32 : Priority of the pod; set from priorityClassName.
  priorityClassName string : PriorityClass of the pod.
  readinessGates []PodReadinessGate : Conditions that must be True before the pod counts as ready.
  resourceClaims []PodResourceClaim map(name) merge(name) retain : Resource claims that containers can use.
  resources ResourceRequirements : Resources of the whole pod.
  restartPolicy string =Always |Always,OnFailure,Never : When containers that ended are started again.
  runtimeClassName string : RuntimeClass with which the pod runs.
  schedulerName string =default-scheduler : Scheduler that places the pod.
  schedulingGates []PodSchedulingGate map(name) merge(name) : Gates that must be gone before the pod is scheduled.
  schedulingGroup PodSchedulingGroup : Group with which the pod is scheduled.
  securityContext PodSecurityContext ={} : Security settings for all containers.
  serviceAccount string : Old name of serviceAccountName.
  serviceAccountName string : ServiceAccount as which the pod runs.
  setHostnameAsFQDN bool : True makes the full domain name the host name.
  shareProcessNamespace bool : True lets the containers see each other's processes.
  subdomain string : Subdomain of the pod's full host name.
  terminationGracePeriodSeconds int64 =30 : Seconds between SIGTERM and SIGKILL when the pod is ended.
  tolerations []Toleration : Taints of nodes that the pod tolerates.
  topologySpreadConstraints []TopologySpreadConstraint map(topologyKey,whenUnsatisfiable) merge(topologyKey) : How pods are spread over zones or nodes.
  volumes []Volume map(name) merge(name) retain : Volumes that containers can mount.
Affinity : Rules about where a pod is placed.
  nodeAffinity NodeAffinity : Rules about nodes.
  podAffinity PodAffinity : Rules about pods to be near to.
  podAntiAffinity PodAntiAffinity : Rules about pods to be far from.
NodeAffinity : Rules about the nodes of a pod.
  preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm : Rules that are followed where possible.
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector : Rules that must hold.
PreferredSchedulingTerm : A preferred kind of node.
  preference! NodeSelectorTerm : Conditions on the node.
  weight! int32 : Weight of the preference, 1 to 100.
PodAffinity : Rules about pods to be near to.
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm : Rules that are followed where possible.
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm : Rules that must hold.
PodAntiAffinity : Rules about pods to be far from.
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm : Rules that are followed where possible.
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm : Rules that must hold.
WeightedPodAffinityTerm : A preferred rule about other pods.
  podAffinityTerm! PodAffinityTerm : The rule.
  weight! int32 : Weight of the rule, 1 to 100.
PodAffinityTerm : Other pods, and the domain in which they count.
  labelSelector LabelSelector : The other pods.
  matchLabelKeys []string : Labels whose values are taken from the pod itself.
  mismatchLabelKeys []string : Labels that must differ from the pod's own.
  namespaceSelector LabelSelector : Namespaces of the other pods, by label.
  namespaces []string : Namespaces of the other pods, by name.
  topologyKey! string : Node label whose values are the domains.
PodDNSConfig : DNS settings of a pod.
  nameservers []string : Addresses of name servers.
  options []PodDNSConfigOption : Options of the resolver.
  searches []string : Search domains.
PodDNSConfigOption : An option of the resolver.
  name string : Name of the option.
  value string : Value of the option.
HostAlias : A line of the hosts file.
  hostnames []string : Names for the address.
  ip! string : The address.
PodOS : Operating system of a pod.
  name! string : linux or windows.
PodReadinessGate : A condition that counts for readiness.
  conditionType! string : Type of the condition.
PodResourceClaim : A resource claim of a pod.
  name! string : Name of the claim inside the pod.
  resourceClaimName string : Name of a ResourceClaim.
  resourceClaimTemplateName string : Name of a ResourceClaimTemplate.
PodSchedulingGate : A gate that keeps a pod from being scheduled.
  name! string : Name of the gate.
PodSchedulingGroup : Group with which a pod is scheduled.
  podGroupName string : Name of the group.
PodSecurityContext : Security settings for all containers of a pod.
  appArmorProfile AppArmorProfile : AppArmor profile.
  fsGroup int64 : Group that owns the volumes.
  fsGroupChangePolicy string |Always,OnRootMismatch : When the owner of volumes is changed.
  runAsGroup int64 : Primary group of the processes.
  runAsNonRoot bool : True refuses to run as root.
  runAsUser int64 : User of the processes.
  seLinuxChangePolicy string : How SELinux labels of volumes are set.
  seLinuxOptions SELinuxOptions : SELinux label.
  seccompProfile SeccompProfile : seccomp profile.
  supplementalGroups []int64 : More groups of the processes.
  supplementalGroupsPolicy string |Merge,Strict : Whether groups of the image count too.
  sysctls []Sysctl : Kernel parameters of the pod.
  windowsOptions WindowsSecurityContextOptions : Settings for Windows.
Sysctl : A kernel parameter.
  name! string : Name of the parameter.
  value! string : Value of the parameter.
Toleration : A taint that a pod tolerates.
  effect string |NoExecute,NoSchedule,PreferNoSchedule : Effect of the taint; empty means every effect.
  key string : Key of the taint; empty with Exists means every key.
  operator string |Equal,Exists,Gt,Lt : How key and value are compared; default Equal.
  tolerationSeconds int64 : Seconds for which a NoExecute taint is tolerated; absent means for ever.
  value string : Value of the taint.
TopologySpreadConstraint : How pods are spread over domains.
  labelSelector LabelSelector : Pods that are counted.
  matchLabelKeys []string : Labels whose values are taken from the pod itself.
  maxSkew! int32 : Largest difference of pods between two domains.
  minDomains int32 : Least number of domains.
  nodeAffinityPolicy string |Honor,Ignore : Whether nodes that the pod's affinity excludes count.
  nodeTaintsPolicy string |Honor,Ignore : Whether tainted nodes count.
  topologyKey! string : Node label whose values are the domains.
  whenUnsatisfiable! string |DoNotSchedule,ScheduleAnyway : What happens to a pod that would break the rule.
`;
