/** The closed list of condition types and reasons; docs and tests are generated from it. */

export const conditionTypes = [
  'Available',
  'Ready',
  'Reconciling',
  'Stalled',
  'SLAMet',
  'ScalingLimited',
] as const;
export type ConditionType = (typeof conditionTypes)[number];

/** Each reason with what it means and what to do, for `docs/` and `kubectl describe`. */
export const reasons = {
  Serving: 'At least one ready pod answers.',
  NoReadyPods: 'No pod is ready. The message names what the pods wait for.',
  UpToDate: 'The spec as written serves, with every wanted replica ready.',
  RollingOut: 'A new revision is being rolled out; the message counts its ready replicas.',
  ScalingUp: 'Replicas were asked for and are not ready yet.',
  Suspended: 'spec.suspend is true: nothing runs until it is false or absent.',
  Deleting: 'The ModelDeployment is being deleted.',
  SpecInvalid: 'The spec cannot be served as written; the message names the field and the way out.',
  ModelUnavailable: 'The model file cannot be had: not found, refused, too large or no ONNX model.',
  DigestMismatch: 'The file fetched is not the one that spec.model.sha256 names.',
  DigestMoved:
    'The unpinned model changed behind its URI: a later pod fetched another file than the first one did.',
  PodCrashing: 'Containers of the revision end again and again; the message has exit code and last words.',
  ImagePullFailed: 'The container image cannot be pulled.',
  OutOfMemory: 'A container passed its memory limit; the message has the limit.',
  Unschedulable: 'No node has room for the pod; the message is the scheduler’s.',
  QuotaExceeded: 'The namespace refuses more pods (ResourceQuota or LimitRange).',
  ProgressDeadlineExceeded: 'The new revision was not ready within spec.rollout.progressDeadline.',
  ChildConflict: 'An object with a name that Ballast needs belongs to somebody else.',
  ChildMutated:
    'Something in the cluster keeps changing an object that Ballast applies; Ballast stopped fighting.',
  Forbidden: 'The API server refused a request of the operator; the message names the missing permission.',
  WriteFailing:
    'The API server keeps failing to write or delete an object of the ModelDeployment; the message has its words. It is tried again.',
  Met: 'The promise was kept over the SLO window.',
  Violated: 'The promise was broken in the SLO window; the message has promised and measured.',
  NotPromised: 'spec.sla is absent.',
  NoTraffic: 'No request came in the SLO window, or too few to judge the promise by.',
  MetricsUnknown: 'Pods did not answer with fresh figures.',
  NoRoom: 'More replicas are needed than the cluster has room for; those that wait are in status.pending.',
  AtMaximum: 'More replicas are wanted than maxReplicas allows, or than maxHourlyCost pays for.',
  ReplicasContested:
    'Two owners change one count: an autoscaler writes replicas that scaling.mode gives to Ballast or to the spec, or in mode External two write them against each other.',
  SLAInfeasible:
    'The promised latency is shorter than the model’s own service time: no number of replicas keeps it.',
  BurstUnservable:
    'Most bursts are over before a pod that is asked for then can serve: replicas that start do not help against them.',
  NoGain:
    'More replicas were tried and served no more requests: they slow each other, or something else holds requests up.',
  WithinLimits: 'The wanted number of replicas lies within the limits.',
} as const;
export type Reason = keyof typeof reasons;
