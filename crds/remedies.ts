/** What to look at and what to do for each condition reason; `docs/how-to/troubleshooting.md` is generated from it. */
import type { Reason } from './reasons.ts';

export interface Remedy {
  /** Shell commands that show more; NAME, NAMESPACE and REVISION stand for the user's own. */
  readonly look: readonly string[];
  /** What to do, the likeliest first; empty where nothing is wrong. */
  readonly fix: readonly string[];
}

const describe = 'kubectl -n NAMESPACE describe md NAME';
const failures = "kubectl -n NAMESPACE get md NAME -o jsonpath='{.status.failures}'";
const pods = 'kubectl -n NAMESPACE get pods -l ballast.dev/model-deployment=NAME -o wide';
const fetchLog = 'kubectl -n NAMESPACE logs -l ballast.dev/model-deployment=NAME -c fetch --tail=20';
const serveLog = 'kubectl -n NAMESPACE logs -l ballast.dev/model-deployment=NAME -c serve --tail=50';
const events = 'kubectl -n NAMESPACE get events --field-selector involvedObject.name=NAME';
const healthy: Remedy = { look: [], fix: [] };

/** One remedy for every reason of the closed list: a reason without one does not compile. */
export const remedies: Record<Reason, Remedy> = {
  Serving: healthy,
  UpToDate: healthy,
  Met: healthy,
  WithinLimits: healthy,
  Deleting: healthy,
  NotPromised: {
    look: [],
    fix: [
      'Promise something: `spec.sla.latency` or `spec.sla.errorRate`. Without a promise replicas follow utilisation only.',
    ],
  },
  Suspended: {
    look: [],
    fix: ['Set `spec.suspend` to false or remove it; the same revision comes back.'],
  },
  NoReadyPods: {
    look: [pods, describe],
    fix: [
      'The message names what the pods wait for; go on at that reason below.',
      'If all pods were ready a moment ago, look at the nodes: `kubectl get nodes`.',
    ],
  },
  RollingOut: {
    look: [describe, pods],
    fix: [
      'Wait: the revision that serves goes on until the new one is ready.',
      'If the count in the message does not rise within `spec.rollout.progressDeadline`, the reason changes to what stops it.',
    ],
  },
  ScalingUp: {
    look: [describe, pods],
    fix: [
      'Wait: pods start. If it lasts, what they wait for is in `status.pending` (a node, and which resource is short; the image; a volume), and what failed in `status.failures`.',
    ],
  },
  SpecInvalid: {
    look: [describe],
    fix: [
      'Change the field that the message names. `npx ballast lint FILE` checks a manifest without a cluster.',
    ],
  },
  ModelUnavailable: {
    look: [fetchLog, failures],
    fix: [
      'Not found or refused: open the URI from a pod of the same namespace; is there a proxy, a private CA or a NetworkPolicy between?',
      'A private address is refused unless whoever installed Ballast allowed its range (chart value `defaults.allowModelCidrs`).',
      'No ONNX model: the server may have answered with a page of HTML; the message has the first bytes.',
    ],
  },
  DigestMismatch: {
    look: [failures, 'sha256sum model.onnx'],
    fix: [
      'The file is not the one that you pinned. If it is the right file, put its digest into `spec.model.sha256`; if not, find out who changed it before you serve it.',
    ],
  },
  DigestMoved: {
    look: [failures],
    fix: [
      'Somebody put another file behind the same URI. Put it under a URI of its own, or pin it with `spec.model.sha256`: either is a new revision.',
      'To serve the new file under the old URI: set `spec.rollout.restartedAt` to the time of now.',
    ],
  },
  PodCrashing: {
    look: [
      failures,
      'kubectl -n NAMESPACE logs -l ballast.dev/model-deployment=NAME,ballast.dev/revision=REVISION -c serve --previous --tail=50',
    ],
    fix: [
      'The message has the exit code and the last words. The old revision goes on serving: apply the manifest that worked, or a mended one.',
    ],
  },
  ImagePullFailed: {
    look: [pods, failures],
    fix: [
      'Correct `spec.runtime.image`, or the chart value `inferencePod.image` where the ModelDeployment names none.',
      'A private registry: `spec.runtime.pod.imagePullSecrets`.',
    ],
  },
  OutOfMemory: {
    look: [failures, describe],
    fix: [
      'Raise `spec.runtime.resources.limits.memory`; the message has the limit that was passed.',
      'Large batches of large inputs take memory: lower `spec.runtime.limits.maxBodyBytes`.',
    ],
  },
  Unschedulable: {
    look: [pods, 'kubectl describe nodes', events],
    fix: [
      'Add a node, or let a node autoscaler (Karpenter, Cluster Autoscaler) do it: pods carry honest requests. `status.pending` has what is short and the scheduler’s words.',
      'A rollout makes room by itself: after a fifth of `spec.rollout.progressDeadline` one pod of the revision that serves gives way at a time. With one replica nothing can give way: to accept a pause, set `spec.suspend` to true, and to false when its pod has ended.',
      'Lower `spec.runtime.resources.requests`, or correct `spec.runtime.pod.nodeSelector` and `tolerations`.',
    ],
  },
  QuotaExceeded: {
    look: ['kubectl -n NAMESPACE describe resourcequota', 'kubectl -n NAMESPACE describe limitrange'],
    fix: [
      'Ask for more quota, lower `spec.scaling.maxReplicas`, or lower the requests. A rollout needs room for one pod more.',
      'If the message names a LimitRange, more quota does not help: bring `spec.runtime.resources` within its limits, or have the LimitRange changed.',
    ],
  },
  ProgressDeadlineExceeded: {
    look: [describe, pods, serveLog],
    fix: [
      'The old revision serves on. The message says how far the new one came; large models need a longer `spec.rollout.progressDeadline`.',
      'Apply the manifest that worked to go back at once: its pods still run.',
    ],
  },
  ChildConflict: {
    look: [describe],
    fix: [
      'Rename or delete the object that the message names, or give the ModelDeployment another name. Ballast never takes over an object that it did not make.',
      'Everything of the gateway of a namespace is called `ballast-gateway`. Until that name is free, requests go straight to the pods.',
    ],
  },
  ChildMutated: {
    look: [
      'kubectl -n NAMESPACE get deployments -l ballast.dev/model-deployment=NAME --show-managed-fields -o yaml',
      'kubectl get mutatingwebhookconfigurations',
    ],
    fix: [
      'Find who writes: `managedFields` names the writer. Exclude objects with the label `app.kubernetes.io/managed-by: ballast` from the webhook or controller.',
    ],
  },
  Forbidden: {
    look: [
      'kubectl auth can-i --list --as=system:serviceaccount:ballast-system:ballast -n NAMESPACE',
      describe,
    ],
    fix: [
      'Give the operator’s role the rule that the message names; `helm upgrade` with the chart’s own roles does that. It heals by itself within a minute.',
    ],
  },
  WriteFailing: {
    look: [
      describe,
      'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
      'kubectl get --raw /readyz?verbose',
    ],
    fix: [
      'The message has the API server’s words. “failed calling webhook” names a webhook whose backend does not answer: bring the backend back, delete the webhook’s configuration, or exempt the namespace in it.',
      'Ballast tries again by itself, at least every 30 s or so, and says so no more once it succeeds.',
    ],
  },
  Violated: {
    look: [describe, serveLog],
    fix: [
      'The message has promised and measured. If `ScalingLimited` is True, raise `spec.scaling.maxReplicas`.',
      'If replicas are not at their limit, the model itself is slow: more CPU per replica (`spec.runtime.resources.limits.cpu`).',
    ],
  },
  NoTraffic: {
    look: [describe],
    fix: ['Nothing is wrong: send requests. The message says how many came; too few judge nothing.'],
  },
  MetricsUnknown: {
    look: [pods, 'kubectl -n NAMESPACE get networkpolicies'],
    fix: [
      'The operator reads port 8081 (`ops`) of each pod: let it through every NetworkPolicy. Until figures come, replicas are never lowered.',
    ],
  },
  NoRoom: {
    look: ["kubectl -n NAMESPACE get md NAME -o jsonpath='{.status.pending}'", pods],
    fix: [
      'Wait where a node autoscaler runs: it brings nodes for the pods that wait, and the count grows on when they run.',
      'Without one: add nodes, or raise the quota that `status.failures` names.',
    ],
  },
  AtMaximum: {
    look: [describe],
    fix: ['Raise `spec.scaling.maxReplicas`, or promise less. The message has the arithmetic.'],
  },
  ReplicasContested: {
    look: [
      'kubectl -n NAMESPACE get hpa',
      'kubectl -n NAMESPACE get deployments -l ballast.dev/model-deployment=NAME --show-managed-fields -o yaml',
    ],
    fix: [
      'Keep one owner: the message names who else writes, from the field managers that the API server keeps. To let the autoscaler decide: set `spec.scaling.mode: External` and point it at the ModelDeployment (`kind: ModelDeployment`), never at the Deployments behind it.',
      'Mode `External`: the message names both that write. Let one of them decide; two HorizontalPodAutoscalers write under the same name.',
      'To let Ballast or the manifest decide: delete the HorizontalPodAutoscaler or ScaledObject, then write `spec.scaling.replicas` once (mode `Fixed`) or change anything of the spec.',
    ],
  },
  SLAInfeasible: {
    look: [describe],
    fix: [
      'No number of replicas makes one prediction faster than it is: give each replica more CPU, make the model smaller (quantise it), or promise a longer latency.',
    ],
  },
  BurstUnservable: {
    look: [describe],
    fix: [
      'Keep replicas ready for them: raise `spec.scaling.minReplicas`, open a window in `spec.scaling.schedule`, or ask for `spec.scaling.headroom`.',
      'Or let requests wait: a longer promise, `spec.traffic.shedAt: Timeout`, or batching where the model gains by it.',
    ],
  },
  NoGain: {
    look: [describe, pods],
    fix: [
      'Where requests take longer with more replicas, they share a machine that is full: ask for the CPU that a replica uses (`spec.runtime.resources.requests`), or spread them (`spec.runtime.pod.topologySpread`).',
      'Where they take as long as before, look at what all of them need: the gateway, the network, the callers.',
    ],
  },
};
