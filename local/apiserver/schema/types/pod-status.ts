/** Structs of a pod's observed state. */

export const podStatusTypes = `
PodStatus : What a pod is.
  allocatedResources {quantity} : Resources that the node reserved for the pod.
  conditions []PodCondition map(type) merge(type) : Aspects of the state, such as Ready.
  containerStatuses []ContainerStatus : State of each container.
  ephemeralContainerStatuses []ContainerStatus : State of each ephemeral container.
  extendedResourceClaimStatus object : Claim made for extended resources.
  hostIP string : Address of the node.
  hostIPs []HostIP atomic merge(ip) : Addresses of the node.
  initContainerStatuses []ContainerStatus : State of each init container.
  message string : Why the pod is in this state, in words.
  nodeAllocatableResourceClaimStatuses []object : Claims of node resources.
  nominatedNodeName string : Node on which others are pushed away for the pod.
  observedGeneration int64 : metadata.generation that the status is about.
  phase string |Failed,Pending,Running,Succeeded,Unknown : Where the pod is in its life.
  podIP string : Address of the pod.
  podIPs []PodIP map(ip) merge(ip) : Addresses of the pod.
  qosClass string |BestEffort,Burstable,Guaranteed : Quality of service, from requests and limits.
  reason string : Why the pod is in this state, in one word.
  resize string : State of a resize.
  resourceClaimStatuses []PodResourceClaimStatus map(name) merge(name) retain : State of resource claims.
  resources ResourceRequirements : Resources of the whole pod.
  startTime time : When the kubelet took the pod.
PodCondition : One aspect of a pod's state.
  lastProbeTime nullTime : When the condition was last checked.
  lastTransitionTime nullTime : When status last changed.
  message string : What is so, in words.
  observedGeneration int64 : metadata.generation that the condition is about.
  reason string : One word for the cause of the last change.
  status! string : True, False or Unknown.
  type! string : Name of the condition.
ContainerStatus : State of a container.
  allocatedResources {quantity} : Resources that the node reserved.
  allocatedResourcesStatus []ResourceStatus map(name) merge(name) : Health of devices.
  containerID string : Identity of the container.
  image! string : Image that runs.
  imageID! string : Identity of the image.
  lastState ContainerState : How the container ended last.
  name! string : Name of the container.
  ready! bool : Whether the readiness probe succeeds.
  resources ResourceRequirements : Resources in effect.
  restartCount! int32 : How often the container was restarted.
  started bool : Whether the startup probe succeeded.
  state ContainerState : State of the container now.
  stopSignal string : Signal that ends the container.
  user ContainerUser : User of the first process.
  volumeMounts []VolumeMountStatus map(mountPath) merge(mountPath) : State of mounts.
ResourceStatus : Health of a resource.
  name! string : Name of the resource.
  resources []ResourceHealth map(resourceID) : Health of each device.
ResourceHealth : Health of a device.
  health string : Healthy, Unhealthy or Unknown.
  message string : Why it is so, in words.
  resourceID! string : Identity of the device.
ContainerState : One of waiting, running and terminated.
  running ContainerStateRunning : The container runs.
  terminated ContainerStateTerminated : The container ended.
  waiting ContainerStateWaiting : The container waits to be started.
ContainerStateRunning : A container that runs.
  startedAt time : When it was started.
ContainerStateTerminated : A container that ended.
  containerID string : Identity of the container.
  exitCode! int32 : Exit code.
  finishedAt time : When it ended.
  message string : Termination message.
  reason string : Why it ended, in one word.
  signal int32 : Signal that ended it.
  startedAt time : When it was started.
ContainerStateWaiting : A container that waits.
  message string : Why it waits, in words.
  reason string : Why it waits, in one word.
ContainerUser : User of a container.
  linux LinuxContainerUser : User on Linux.
LinuxContainerUser : User on Linux.
  gid! int64 : Primary group.
  supplementalGroups []int64 : More groups.
  uid! int64 : User.
VolumeMountStatus : State of a mount.
  mountPath! string : Path in the container.
  name! string : Name of the volume.
  readOnly bool : Whether it is read-only.
  recursiveReadOnly string : Whether it is recursively read-only.
  volumeStatus object : State of the volume.
HostIP : An address of the node.
  ip! string : The address.
PodIP : An address of the pod.
  ip! string : The address.
PodResourceClaimStatus : State of a resource claim.
  name! string : Name of the claim inside the pod.
  resourceClaimName string : Name of the ResourceClaim.
`;
