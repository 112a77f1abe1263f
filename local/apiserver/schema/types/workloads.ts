/** Structs of workloads: Deployments, ReplicaSets, StatefulSets, DaemonSets and their history. */

const head = `
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.`;

export const workloadTypes = `
Deployment : Keeps a number of equal pods running and replaces them step by step.${head}
  spec DeploymentSpec : What the Deployment should be.
  status DeploymentStatus : What the Deployment is; written by the system.
DeploymentSpec : What a Deployment should be.
  minReadySeconds int32 : Seconds a new pod must be ready before it counts as available.
  paused bool : True stops rollouts.
  progressDeadlineSeconds int32 : Seconds without progress after which a rollout counts as failed. Default 600.
  replicas int32 : Number of pods. Default 1.
  revisionHistoryLimit int32 : Old ReplicaSets that are kept to go back to. Default 10.
  selector! LabelSelector : Pods of the Deployment; must match the template's labels. Cannot be changed.
  strategy DeploymentStrategy retain : How old pods are replaced.
  template! PodTemplateSpec : The pods.
DeploymentStrategy : How old pods are replaced.
  rollingUpdate RollingUpdateDeployment : Settings for type RollingUpdate.
  type string : Recreate or RollingUpdate. Default RollingUpdate.
RollingUpdateDeployment : How many pods a rollout adds and takes away at a time.
  maxSurge intOrString : Pods above the wanted number, count or percentage. Default 25%.
  maxUnavailable intOrString : Pods that may be missing, count or percentage. Default 25%.
DeploymentStatus : What a Deployment is.
  availableReplicas int32 : Pods that were ready for minReadySeconds.
  collisionCount int32 : Hash collisions so far.
  conditions []DeploymentCondition map(type) merge(type) : Aspects of the state.
  observedGeneration int64 : metadata.generation that the status is about.
  readyReplicas int32 : Pods that are ready.
  replicas int32 : Pods that exist and are not ending.
  terminatingReplicas int32 : Pods that are ending.
  unavailableReplicas int32 : Pods that are missing or not available.
  updatedReplicas int32 : Pods of the current template.
DeploymentCondition : One aspect of a Deployment's state.
  lastTransitionTime time : When status last changed.
  lastUpdateTime time : When the condition was last written.
  message string : What is so, in words.
  reason string : One word for the cause of the last change.
  status! string : True, False or Unknown.
  type! string : Name of the condition.
ReplicaSet : Keeps a number of equal pods running.${head}
  spec ReplicaSetSpec : What the ReplicaSet should be.
  status ReplicaSetStatus : What the ReplicaSet is.
ReplicaSetSpec : What a ReplicaSet should be.
  minReadySeconds int32 : Seconds a new pod must be ready before it counts as available.
  replicas int32 : Number of pods. Default 1.
  selector! LabelSelector : Pods of the ReplicaSet. Cannot be changed.
  template PodTemplateSpec : The pods.
ReplicaSetStatus : What a ReplicaSet is.
  availableReplicas int32 : Pods that were ready for minReadySeconds.
  conditions []PlainCondition map(type) merge(type) : Aspects of the state.
  fullyLabeledReplicas int32 : Pods with all labels of the template.
  observedGeneration int64 : metadata.generation that the status is about.
  readyReplicas int32 : Pods that are ready.
  replicas! int32 : Pods that exist and are not ending.
  terminatingReplicas int32 : Pods that are ending.
ControllerRevision : A stored state of a controller, to go back to. Its data cannot be changed.${head}
  data any atomic : The state.
  revision int64 =0 : Number of the revision.
StatefulSet : Keeps pods with stable names and storage running.${head}
  spec StatefulSetSpec : What the StatefulSet should be.
  status StatefulSetStatus : What the StatefulSet is.
StatefulSetSpec : What a StatefulSet should be.
  minReadySeconds int32 : Seconds a new pod must be ready before it counts as available.
  ordinals StatefulSetOrdinals : Numbers in the pods' names.
  persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy : What happens to claims.
  podManagementPolicy string =OrderedReady : Whether pods are made one after another.
  replicas int32 : Number of pods. Default 1.
  revisionHistoryLimit int32 : Old revisions that are kept. Default 10.
  selector! LabelSelector : Pods of the StatefulSet. Cannot be changed.
  serviceName string : Headless Service that names the pods.
  template! PodTemplateSpec : The pods.
  updateStrategy StatefulSetUpdateStrategy : How old pods are replaced.
  volumeClaimTemplates []PersistentVolumeClaim : Claims that each pod gets.
StatefulSetOrdinals : Numbers in the pods' names.
  start int32 : First number. Default 0.
StatefulSetPersistentVolumeClaimRetentionPolicy : What happens to claims.
  whenDeleted string : Retain or Delete when the StatefulSet is deleted.
  whenScaled string : Retain or Delete when pods are taken away.
StatefulSetUpdateStrategy : How old pods are replaced.
  rollingUpdate RollingUpdateStatefulSetStrategy : Settings for type RollingUpdate.
  type string : OnDelete or RollingUpdate. Default RollingUpdate.
RollingUpdateStatefulSetStrategy : Settings of a rolling update.
  maxUnavailable intOrString : Pods that may be missing.
  partition int32 : Pods with a lower number keep the old revision.
StatefulSetStatus : What a StatefulSet is.
  availableReplicas int32 : Pods that were ready for minReadySeconds.
  collisionCount int32 : Hash collisions so far.
  conditions []PlainCondition map(type) merge(type) : Aspects of the state.
  currentReplicas int32 : Pods of the current revision.
  currentRevision string : Current revision.
  observedGeneration int64 : metadata.generation that the status is about.
  readyReplicas int32 : Pods that are ready.
  replicas! int32 : Pods that exist.
  updateRevision string : Revision that is rolled out.
  updatedReplicas int32 : Pods of the revision that is rolled out.
DaemonSet : Keeps one pod running on each node that fits.${head}
  spec DaemonSetSpec : What the DaemonSet should be.
  status DaemonSetStatus : What the DaemonSet is.
DaemonSetSpec : What a DaemonSet should be.
  minReadySeconds int32 : Seconds a new pod must be ready before it counts as available.
  revisionHistoryLimit int32 : Old revisions that are kept. Default 10.
  selector! LabelSelector : Pods of the DaemonSet. Cannot be changed.
  template! PodTemplateSpec : The pods.
  updateStrategy DaemonSetUpdateStrategy : How old pods are replaced.
DaemonSetUpdateStrategy : How old pods are replaced.
  rollingUpdate RollingUpdateDaemonSet : Settings for type RollingUpdate.
  type string : OnDelete or RollingUpdate. Default RollingUpdate.
RollingUpdateDaemonSet : Settings of a rolling update.
  maxSurge intOrString : Pods above the wanted number.
  maxUnavailable intOrString : Pods that may be missing. Default 1.
DaemonSetStatus : What a DaemonSet is.
  collisionCount int32 : Hash collisions so far.
  conditions []PlainCondition map(type) merge(type) : Aspects of the state.
  currentNumberScheduled! int32 : Nodes that run the pod and should.
  desiredNumberScheduled! int32 : Nodes that should run the pod.
  numberAvailable int32 : Nodes with an available pod.
  numberMisscheduled! int32 : Nodes that run the pod and should not.
  numberReady! int32 : Nodes with a ready pod.
  numberUnavailable int32 : Nodes without an available pod.
  observedGeneration int64 : metadata.generation that the status is about.
  updatedNumberScheduled int32 : Nodes with a pod of the current template.
HorizontalPodAutoscaler : Sets the replicas of a workload from metrics.${head}
  spec! HorizontalPodAutoscalerSpec : What the autoscaler should do.
  status HorizontalPodAutoscalerStatus : What the autoscaler did.
HorizontalPodAutoscalerSpec : What an autoscaler should do.
  behavior HorizontalPodAutoscalerBehavior : How fast it goes up and down.
  maxReplicas! int32 : Most replicas.
  metrics []MetricSpec atomic : Metrics from which replicas are computed.
  minReplicas int32 : Fewest replicas. Default 1.
  scaleTargetRef! CrossVersionObjectReference : The workload.
CrossVersionObjectReference : An object of the same namespace.
  apiVersion string : API version of the object.
  kind! string : Kind of the object.
  name! string : Name of the object.
HorizontalPodAutoscalerBehavior : How fast an autoscaler goes up and down.
  scaleDown HPAScalingRules : Rules for going down.
  scaleUp HPAScalingRules : Rules for going up.
HPAScalingRules : Rules for one direction.
  policies []HPAScalingPolicy atomic : Limits of a step.
  selectPolicy string : Max, Min or Disabled. Default Max.
  stabilizationWindowSeconds int32 : Seconds of past decisions that count.
  tolerance quantity : Relative deviation that is let be.
HPAScalingPolicy : A limit of a step.
  periodSeconds! int32 : Seconds in which the limit holds.
  type! string : Pods or Percent.
  value! int32 : Most change.
MetricSpec : A metric and its target.
  containerResource ContainerResourceMetricSource : Resource of one container.
  external ExternalMetricSource : Metric from outside the cluster.
  object ObjectMetricSource : Metric of another object.
  pods PodsMetricSource : Metric of the pods.
  resource ResourceMetricSource : Resource of the pods.
  type! string : Which of the sources is set.
ContainerResourceMetricSource : Resource of one container.
  container! string : Name of the container.
  name! string : Name of the resource.
  target! MetricTarget : Target value.
ExternalMetricSource : Metric from outside the cluster.
  metric! MetricIdentifier : The metric.
  target! MetricTarget : Target value.
ObjectMetricSource : Metric of another object.
  describedObject! CrossVersionObjectReference : The object.
  metric! MetricIdentifier : The metric.
  target! MetricTarget : Target value.
PodsMetricSource : Metric of the pods.
  metric! MetricIdentifier : The metric.
  target! MetricTarget : Target value.
ResourceMetricSource : Resource of the pods.
  name! string : Name of the resource.
  target! MetricTarget : Target value.
MetricTarget : Target value of a metric.
  averageUtilization int32 : Average percentage of the request.
  averageValue quantity : Average over the pods.
  type! string : Utilization, Value or AverageValue.
  value quantity : Value.
MetricIdentifier : A metric.
  name! string : Name of the metric.
  selector LabelSelector : Series of the metric.
HorizontalPodAutoscalerStatus : What an autoscaler did.
  conditions []PlainCondition map(type) merge(type) : Aspects of the state.
  currentMetrics []object atomic : Last readings.
  currentReplicas int32 : Replicas now.
  desiredReplicas! int32 : Replicas decided.
  lastScaleTime time : When replicas were last changed.
  observedGeneration int64 : metadata.generation that the status is about.
`;
