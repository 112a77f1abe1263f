/** Everything that a decision about one ModelDeployment may look at, frozen at one moment. */
import type { ModelDeployment, RuntimeSpec } from '../../crds/types.ts';
import type { FetchConfig } from '../../crds/wire.ts';
import type {
  ConfigMap,
  ControllerRevision,
  Deployment,
  KubeObject,
  NetworkPolicy,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  Service,
  ServiceAccount,
} from '../../kube/objects.ts';
import type { NodesReading } from './cost.ts';
import type { GatewayReading } from './gateway/path.ts';
import type { WayMeasured } from './gateway/way-measured.ts';
import type { HeadroomReading } from './headroom/reading.ts';
import type { Measured } from './scaling/measured.ts';
import type { Known, ScalingState, Why } from './scaling/types.ts';

/** Operator-wide defaults, from its flags and its file of defaults. */
export interface OperatorDefaults extends FleetDefaults {
  /** Image of pods whose ModelDeployment names none. */
  readonly image: string;
  /** Directories of the default image under which `file://` models may lie. */
  readonly fileRoots: readonly string[];
  /** How long the Deployment of a replaced revision is kept at 0 replicas before it is deleted, milliseconds. */
  readonly bakeTimeMs: number;
  /** Pods of each namespace's gateway; absent: two. */
  readonly gatewayPods?: number | undefined;
}

/** What ModelDeployments leave out, as the platform's team wants it. */
export interface FleetDefaults {
  /** For pods of new revisions: what runs is never rendered again. */
  readonly resources?: RuntimeSpec['resources'];
  readonly pod?: Omit<NonNullable<RuntimeSpec['pod']>, 'serviceAccountName'> | undefined;
  /** For ModelDeployments without `access.networkPolicy`. */
  readonly networkPolicy?: 'Off' | 'Restricted' | undefined;
  /** How models are fetched over the network; it reaches the pods that start from now on, of old revisions too. */
  readonly fetch?: FetchDefaults | undefined;
  /** Requests and limits of the pods of each namespace's gateway. */
  readonly gateway?: { readonly resources?: RuntimeSpec['resources'] } | undefined;
}

export interface FetchDefaults extends FetchConfig {
  /** Certificate authorities beside the public ones, PEM. */
  readonly caBundle?: string | undefined;
}

/** Kinds of children, spelled as in kube/resource.ts. */
export type ChildKind =
  | 'serviceAccounts'
  | 'configMaps'
  | 'controllerRevisions'
  | 'services'
  | 'networkPolicies'
  | 'deployments'
  | 'podDisruptionBudgets';

/** Children as the caches hold them: whatever carries the ModelDeployment's label in its namespace. */
export interface Children {
  readonly serviceAccounts: readonly ServiceAccount[];
  readonly configMaps: readonly ConfigMap[];
  readonly controllerRevisions: readonly ControllerRevision[];
  readonly services: readonly Service[];
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly deployments: readonly Deployment[];
  readonly podDisruptionBudgets: readonly PodDisruptionBudget[];
}

/** The scaling decision in force; `unknown` until the fleet loop has made one since the operator started. */
export interface ScalingReading {
  readonly replicas: number;
  readonly why: Why;
  /** The last decision that changed the count; undefined when this process made none. */
  readonly lastChange: ScalingChange | undefined;
  /** The last ten such decisions of this process, the newest first; absent: the last one alone. */
  readonly recentChanges?: readonly ScalingChange[];
  /** How long a new pod takes until it is ready, seconds, as learned; absent: not known. */
  readonly startupSeconds?: number;
  /** What `traffic.path: Auto` turns on; absent where the way is not chosen. */
  readonly way?: WayMeasured;
  /** What the scaler remembers: an operator that begins anew reads the part that is slow to learn from status. */
  readonly memory?: ScalingMemory;
}

/** The scaler's memory at one moment, on both clocks. */
export interface ScalingMemory {
  readonly state: ScalingState;
  /** Wall clock. */
  readonly at: number;
  /** The same moment, monotonic. */
  readonly atMs: number;
}

/** A decision at the moment at which it changed the count. */
export interface ScalingChange {
  /** Wall clock. */
  readonly at: number;
  readonly replicas: number;
  readonly previousReplicas: number;
  readonly why: Why;
}

/** An object of a needed name that is not ours, found when it was about to be made. */
export interface Conflict {
  readonly child: ChildKey;
  /** Who has it, for people: `Service "wine", which belongs to Deployment "shop",`. */
  readonly holder: string;
  /** When it was found, wall clock: it is looked at again now and then. */
  readonly atMs: number;
}

/** A request of the operator that the API server refused and that no retry heals. */
export interface Refusal {
  readonly kind: 'Forbidden' | 'QuotaExceeded' | 'Invalid';
  readonly verb: string;
  /** Plural and group, as RBAC spells them: `deployments.apps`. */
  readonly resource: string;
  readonly child: ChildKey;
  /** What the server said. */
  readonly message: string;
  /** Of `Forbidden`: the missing rule and how to add it; undefined when no rule is missing and an admission refused. */
  readonly permission?: string | undefined;
}

/** A request about a child that the API server has failed to answer well for some time, though a later try may pass. */
export interface Fault {
  readonly verb: string;
  readonly resource: string;
  readonly child: ChildKey;
  /** What the server said last. */
  readonly message: string;
  /** When it failed for the first time in a row, wall clock. */
  readonly sinceMs: number;
}

/** `deployments/wine-abc`: one child among the children of one ModelDeployment. */
export type ChildKey = `${ChildKind}/${string}`;
export const childKey = (kind: ChildKind, object: KubeObject): ChildKey =>
  `${kind}/${object.metadata.name ?? ''}`;

/** What the operator remembers of one ModelDeployment between reconciles; lost on a restart without harm. */
export interface Memory {
  readonly conflicts: readonly Conflict[];
  readonly refusal: Refusal | undefined;
  readonly fault: Fault | undefined;
  /** Children whose edits were put back again and again: nothing more is applied until their desired form changes. */
  readonly contested: ReadonlyMap<ChildKey, Contest>;
  /** When status was last written, wall clock; undefined: not since the operator started. */
  readonly statusWrittenAtMs: number | undefined;
  /** Whether an event has told of the wait for a node that lasts; undefined: not known since the operator started. */
  readonly waitTold: boolean | undefined;
}

/** One child that something else keeps changing. */
export interface Contest {
  /** Applied hash that was fought over. */
  readonly hash: string;
  /** Fields that were changed, as paths. */
  readonly fields: readonly string[];
  /** The server's answer itself was changed, as an admission webhook does it; an autoscaler comes later. */
  readonly mutatedAtOnce?: boolean;
  /** Field managers of who set the live object's replica count, where that is what is fought over. */
  readonly writers?: readonly string[];
}

export const emptyMemory: Memory = {
  conflicts: [],
  refusal: undefined,
  fault: undefined,
  contested: new Map(),
  statusWrittenAtMs: undefined,
  waitTold: undefined,
};

export interface Snapshot {
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: number;
  readonly defaults: OperatorDefaults;
  /** How many ModelDeployments there are: figures are written less often in a large fleet. */
  readonly fleetSize: number;
  /** How many ModelDeployments wait for their turn; absent: none. */
  readonly backlog?: number;
  readonly deployment: ModelDeployment;
  readonly children: Children;
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  /** The nodes of those pods; undefined where nobody reads any. */
  readonly nodes?: NodesReading;
  /** The gateway of the namespace; undefined where the deployment wants none, or nobody makes gateways. */
  readonly gateway?: GatewayReading;
  /** The room that is kept ahead of need; undefined where none is wanted nor left, or nobody keeps any. */
  readonly headroom?: HeadroomReading;
  readonly scaling: Known<ScalingReading>;
  readonly measured: Known<Measured>;
  readonly memory: Memory;
}
