/** Status of a ModelDeployment: the answers to what people ask. Only the operator writes it. */
import { z } from 'zod';

const say = <T extends z.ZodType>(schema: T, description: string, extra: Record<string, unknown> = {}): T =>
  schema.meta({ description, ...extra }) as T;
const short = (maxLength = 253) => z.string().max(maxLength);
const count = () => z.int().min(0);

const conditionSchema = z.strictObject({
  type: say(short(64), 'Available, Ready, Reconciling, Stalled, SLAMet or ScalingLimited.'),
  status: say(z.enum(['True', 'False', 'Unknown']), 'True, False or Unknown.'),
  reason: say(short(64), 'One word of the closed list in docs/reference/conditions.md.'),
  message: say(short(1024), 'What is so, with numbers, and what to do next.'),
  observedGeneration: say(count().optional(), 'metadata.generation that this condition is about.'),
  lastTransitionTime: say(short(64).meta({ format: 'date-time' }), 'When status last changed.', {
    format: 'date-time',
  }),
});

const revisionSchema = z.strictObject({
  revision: say(short(63), 'Hash of the revision; its Deployment is NAME-HASH.'),
  version: say(short(63).optional(), 'Version of the model as callers see it.'),
  sha256: say(
    short(64).optional(),
    'Digest of the model file that it serves; absent until the first pod fetched it.',
  ),
  replicas: say(count(), 'Replicas asked for.'),
  readyReplicas: say(count(), 'Replicas that are ready.'),
  observedWeight: say(
    short(8).optional(),
    'Share of the last minute’s requests that it got, such as `100%`; absent when none came.',
  ),
});

const decisionSchema = z.strictObject({
  time: say(short(64), 'When it was decided.', { format: 'date-time' }),
  replicas: say(count(), 'Replicas decided.'),
  previousReplicas: say(count(), 'Replicas before.'),
  reason: say(
    short(64),
    'What decided: Latency, RequestRate, Utilisation, Backlog, Minimum, Schedule, Maximum, CostCap, HoldUnknown, HoldDown, HoldCrashing, HoldBlocked, HoldNoGain, Yielded, Fixed, External, Idle or Suspended.',
  ),
  message: say(short(1024), 'The decision in one sentence with its arithmetic.'),
  inputs: say(
    z.record(z.string(), z.string().max(64)),
    'Every number that went in; `unknown` where there was none.',
    { maxProperties: 32 },
  ),
});

const pastDecisionSchema = decisionSchema.omit({ inputs: true });

const presentScalingSchema = z.strictObject({
  reason: say(short(64), 'What decides at present; the words are those of lastDecision.reason.'),
  message: say(short(1024), 'The present decision in one sentence with its arithmetic.'),
  neededReplicas: say(
    count().optional(),
    'Replicas that the load would need if there were no limits; absent when unknown.',
  ),
  arrivalRate: say(
    short(16).optional(),
    'Requests per second that the count is sized for, such as `118/s`; absent when unknown.',
  ),
  forecastRate: say(
    short(16).optional(),
    'Requests per second expected by the time at which a pod asked for now is ready; absent when unknown.',
  ),
  utilisation: say(
    short(16).optional(),
    'How busy a replica is on average at that rate, such as `47%`; absent when unknown.',
  ),
  startupTime: say(
    short(16).optional(),
    'How long a new pod takes until it is ready, as learned from earlier ones (nine of ten are as quick), such as `9s`; absent until one was seen.',
  ),
  nodeTime: say(
    short(16).optional(),
    'The part of startupTime that pods waited for a node, such as `40s`; absent while the last ones found a place at once.',
  ),
  limitedBy: say(
    short(64).optional(),
    'What keeps more replicas from running although they are needed; absent when nothing does.',
  ),
});

const learnedSchema = z.strictObject({
  at: say(short(64), 'When service and waits were like this.', { format: 'date-time' }),
  revision: say(short(63), 'The revision that it was learned of; another one begins anew.'),
  service: say(
    z
      .strictObject({
        meanSeconds: say(short(16), 'Mean service time, such as `0.0123`.'),
        scv: say(short(16), 'Squared coefficient of variation of the service times, such as `0.31`.'),
      })
      .optional(),
    'How long a request takes a replica.',
  ),
  waits: say(
    z
      .strictObject({
        factor: say(short(16), 'Measured waits over predicted ones, such as `1.62`, from 0.5 to 3.'),
        stretches: say(count(), 'Stretches of calm traffic that it was learned from.'),
      })
      .optional(),
    'How much longer requests wait than the queueing model says.',
  ),
  forecast: say(
    z
      .strictObject({
        at: say(short(64), 'When it was learned; it counts for 20 minutes.', { format: 'date-time' }),
        margin: say(short(16), 'In units of the square root of the rate, such as `0.84`.'),
      })
      .optional(),
    'What 85 of 100 forecasts of the rate were not too low by.',
  ),
  full: say(
    z
      .array(
        z.strictObject({
          at: say(short(64), 'When it was seen; it counts for an hour.', { format: 'date-time' }),
          replicas: say(count(), 'Replicas that were full.'),
          perSecond: say(short(16), 'Requests that all of them served in a second, such as `412`.'),
          serviceSeconds: say(short(16), 'Mean service time then, such as `0.0123`.'),
          busyShare: say(short(16), 'Of their time, what these service times make up, 0 to 1.'),
          answers: say(count(), 'Answers that it was measured of.'),
        }),
      )
      .max(8)
      .optional(),
    'What replicas served while requests waited at all of them, the oldest first.',
    { 'x-kubernetes-list-type': 'atomic' },
  ),
});

const trafficChoiceSchema = z.strictObject({
  path: say(z.enum(['Gateway', 'Direct']), 'The way that was chosen.'),
  revision: say(short(63), 'Revision whose service time was measured.'),
  basis: say(short(128), 'Promise and limit it was chosen for; another one is a reason to choose anew.'),
  serviceTime: say(short(16), 'How long a request takes a replica on average, as it was measured then.'),
  time: say(short(64), 'When it was chosen.', { format: 'date-time' }),
  message: say(short(384), 'Why, with the arithmetic.'),
});

const headroomSchema = z.strictObject({
  replicas: say(count(), 'Replicas that room is kept for.'),
  form: say(
    z.enum(['CapacityBuffer', 'Placeholders']).optional(),
    'CapacityBuffer: the node autoscaler keeps it. Placeholders: pods that do nothing hold it and give way. Absent until it is made.',
  ),
  inPlace: say(count().optional(), 'Of them, those whose room is on a node already; absent when unknown.'),
  perHour: say(
    short(16),
    'What this room costs, at the price of the replicas that run, such as `0.24`; `unknown` where that is.',
  ),
  message: say(short(512), 'Who keeps it, how far that is, and why it is not more.'),
});

const pendingCauseSchema = z.strictObject({
  reason: say(
    z.enum(['Unschedulable', 'Scheduling', 'Gated', 'Creating', 'Pulling', 'Fetching']),
    'Unschedulable: no node takes the pods. Scheduling: no scheduler has decided. Gated: a scheduling gate holds them. Creating: the node mounts volumes or sets up the network. Pulling: the image. Fetching: the model.',
  ),
  short: say(
    short().optional(),
    'Of Unschedulable: what no node has enough of, such as `cpu`, `memory`, `pods` (their number), `nvidia.com/gpu`, or what stands against the nodes: `taint`, `affinity`, `spread`, `volume`, `ports`, `device`, `cordon`, `node` (there is none), `other`.',
  ),
  pods: say(count(), 'Pods that wait for this.'),
  since: say(short(64), 'Since when the first of them has waited.', { format: 'date-time' }),
  pod: say(short(), 'The pod that has waited longest.'),
  message: say(short(1024), 'The scheduler’s own words, or what the pod is about.'),
});

const pendingSchema = z.strictObject({
  pods: say(count(), 'Pods that wait, all causes.'),
  since: say(short(64), 'Since when the first of them has waited.', { format: 'date-time' }),
  causes: say(z.array(pendingCauseSchema).max(8), 'What they wait for, the cause of most pods first.', {
    'x-kubernetes-list-type': 'atomic',
  }),
});

const failureSchema = z.strictObject({
  pod: say(short(), 'Pod, or the ReplicaSet whose pods were refused.'),
  container: say(short(63).optional(), 'Container of the pod.'),
  revision: say(short(63).optional(), 'Revision of the pod.'),
  reason: say(short(64), 'One word of the closed list in docs/reference/conditions.md.'),
  exitCode: say(z.int().optional(), 'Exit code of the container’s last end.'),
  restarts: say(count().optional(), 'How often it was restarted.'),
  message: say(short(1024), 'Last words of the container, or what the cluster said.'),
});

export const statusSchema = z.strictObject({
  observedGeneration: say(count().optional(), 'metadata.generation that this status is about.'),
  replicas: say(count().optional(), 'Pods that exist and are not ending, all revisions.'),
  readyReplicas: say(count().optional(), 'Pods that are ready, all revisions.'),
  selector: say(short(1024).optional(), 'Label selector of the pods, for the scale subresource.'),
  url: say(short(512).optional(), 'Where callers inside the cluster reach the model.'),
  summary: say(
    z
      .strictObject({
        ready: say(short(16).optional(), 'Ready and wanted replicas, such as `3/3`.'),
        phase: say(
          short(32).optional(),
          'One word for people: Pending, Ready, RollingOut, Scaling, Degraded, Failed, Suspended, Deleting.',
        ),
        p95: say(
          short(16).optional(),
          'Measured 95th percentile of latency over the SLO window, such as `41ms`.',
        ),
        sla: say(short(16).optional(), 'Met, Violated, Unknown or `-` when nothing is promised.'),
        requestRate: say(
          short(16).optional(),
          'Requests per second of the last ten seconds, such as `120/s`.',
        ),
        message: say(short(256).optional(), 'What to know in one line.'),
      })
      .optional(),
    'Plain words for the columns of `kubectl get`.',
  ),
  conditions: say(
    z.array(conditionSchema).max(16).optional(),
    'Available: something serves. Ready: the spec as written serves, whole.',
    {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
  ),
  stable: say(revisionSchema.optional(), 'The revision that serves.'),
  candidate: say(revisionSchema.optional(), 'The revision that is being rolled out, or that failed to.'),
  rollout: say(
    z
      .strictObject({
        number: say(count(), 'Running number of the last rollout; only ever rises.'),
        startedAt: say(short(64).optional(), 'When it began.', { format: 'date-time' }),
        finishedAt: say(short(64).optional(), 'When it ended; absent while it runs.', {
          format: 'date-time',
        }),
        failedRevision: say(short(63).optional(), 'Revision that missed its progress deadline.'),
        makesRoomSince: say(
          short(64).optional(),
          'Since when one pod of the revision that serves gives way, because no node has room for one more.',
          { format: 'date-time' },
        ),
      })
      .optional(),
    'The last rollout.',
  ),
  traffic: say(
    z
      .strictObject({
        path: say(z.enum(['Gateway', 'Direct']), 'The way that the Service leads now.'),
        since: say(short(64), 'Since when.', { format: 'date-time' }),
        reason: say(
          z.enum(['Asked', 'Auto', 'GatewayUnready']),
          'Asked: spec.traffic.path says so. Auto: Ballast decided. GatewayUnready: the gateway was asked for and is not ready, so requests go straight to the pods.',
        ),
        message: say(short(512), 'The same in a sentence.'),
        choice: say(
          trafficChoiceSchema.optional(),
          'What traffic.path `Auto` chose, once for a revision and what is promised of it; absent until its service time has been measured, and where there is nothing to choose.',
        ),
      })
      .optional(),
    'Which way requests take to the pods.',
  ),
  scaling: say(
    z
      .strictObject({
        desiredReplicas: say(count().optional(), 'Replicas wanted now.'),
        minReplicas: say(count().optional(), 'Lower limit in effect.'),
        maxReplicas: say(count().optional(), 'Upper limit in effect.'),
        owner: say(
          short(128).optional(),
          'Who decides the count: `Ballast`, `spec` (mode Fixed), or in mode External the field manager that wrote spec.scaling.replicas last, `nobody` while nobody has.',
        ),
        headroom: say(headroomSchema.optional(), 'Room on nodes that is kept ahead of need.'),
        current: say(presentScalingSchema.optional(), 'What is decided at present, and from what.'),
        lastDecision: say(
          decisionSchema.optional(),
          'The last decision that changed the count, with its inputs.',
        ),
        recentDecisions: say(
          z.array(pastDecisionSchema).max(10).optional(),
          'The last ten decisions that changed the count, the newest first.',
          { 'x-kubernetes-list-type': 'atomic' },
        ),
        learned: say(
          learnedSchema.optional(),
          'What the autoscaler learned and could not know at once after a restart of the operator. Written along with other figures; read once, as a hint, when an operator begins.',
        ),
      })
      .optional(),
    'Why this many replicas.',
  ),
  sla: say(
    z
      .strictObject({
        window: say(short(16), 'SLO window that the figures are about.'),
        requests: say(count().optional(), 'Requests counted in the window.'),
        p50: say(short(16).optional(), 'Measured, such as `12ms`; absent when unknown.'),
        p90: say(short(16).optional(), 'Measured, such as `20ms`; absent when unknown.'),
        p95: say(short(16).optional(), 'Measured, such as `25ms`; absent when unknown.'),
        p99: say(short(16).optional(), 'Measured, such as `60ms`; absent when unknown.'),
        errorRate: say(short(16).optional(), 'Measured, such as `0.02%`; absent when unknown.'),
        budgetLeft: say(
          short(16).optional(),
          'Share of the error budget of the window that is left, such as `80%`.',
        ),
      })
      .optional(),
    'Promise and measurement.',
  ),
  cost: say(
    z
      .strictObject({
        perHour: say(
          short(16),
          'Of all pods that have a node, in the currency of the price, such as `0.42`; `unknown` where a price is missing, never 0 for it.',
        ),
        perReplicaHour: say(short(16), 'Of one pod on average, or `unknown`.'),
        source: say(
          z.enum(['Spec', 'NodePrice', 'Unknown']),
          'Spec: spec.cost.perReplicaHour. NodePrice: the share of each node that a pod asks for, the larger of CPU and memory, times the price in a label of the node.',
        ),
        message: say(short(512), 'How it was reckoned, or why it is unknown and what to do.'),
      })
      .optional(),
    'What it costs.',
  ),
  pending: say(
    pendingSchema.optional(),
    'Pods that wait: at once for those that no node takes, after 30 s for those that are slow to begin. Absent when none waits.',
  ),
  failures: say(
    z.array(failureSchema).max(10).optional(),
    'What failed, over all pods, the newest revision first; then how containers that are ready again ended within the last five minutes.',
    { 'x-kubernetes-list-type': 'atomic' },
  ),
});

export type ModelDeploymentStatus = z.infer<typeof statusSchema>;
export type StatusCondition = z.infer<typeof conditionSchema>;
export type RevisionStatus = z.infer<typeof revisionSchema>;
export type ScalingDecisionStatus = z.infer<typeof decisionSchema>;
export type PastDecisionStatus = z.infer<typeof pastDecisionSchema>;
export type ScalingStatus = NonNullable<ModelDeploymentStatus['scaling']>;
export type LearnedStatus = z.infer<typeof learnedSchema>;
export type TrafficChoice = z.infer<typeof trafficChoiceSchema>;
export type PendingCauseStatus = z.infer<typeof pendingCauseSchema>;
export type PendingStatus = z.infer<typeof pendingSchema>;
export type FailureStatus = z.infer<typeof failureSchema>;
