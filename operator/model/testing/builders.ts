/** Builders of what a Snapshot holds: a test says only what it is about. */
import { annotations, labels } from '../../../crds/constants.ts';
import type { ModelDeployment, ModelDeploymentSpec } from '../../../crds/types.ts';
import type { ContainerStatus, Pod, ReplicaSet } from '../../../kube/objects.ts';
import { revisionLabels, servingRole } from '../labels.ts';
import type { Measured } from '../scaling/measured.ts';
import { type Children, emptyMemory, type OperatorDefaults, type Snapshot } from '../snapshot.ts';

export const startMs = Date.UTC(2026, 0, 1, 12);
export const sha = (digit: string) => digit.repeat(64);

export const testDefaults: OperatorDefaults = {
  image: 'ballast/inference-pod:1.2.3',
  fileRoots: ['/samples'],
  bakeTimeMs: 60_000,
};

export const noChildren: Children = {
  serviceAccounts: [],
  configMaps: [],
  controllerRevisions: [],
  services: [],
  networkPolicies: [],
  deployments: [],
  podDisruptionBudgets: [],
};

export type SpecPart = Omit<Partial<ModelDeploymentSpec>, 'scaling'> & {
  scaling?: Partial<ModelDeploymentSpec['scaling']>;
};

/** A ModelDeployment `wine` as the API server returns it, defaults filled in. */
export function makeDeployment(spec: SpecPart = {}, part: Partial<ModelDeployment> = {}): ModelDeployment {
  return {
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    ...part,
    metadata: {
      name: 'wine',
      namespace: 'shop',
      uid: 'uid-wine',
      resourceVersion: '1',
      generation: 1,
      ...part.metadata,
    },
    spec: {
      model: { uri: 'file:///samples/wine/model.onnx' },
      ...spec,
      scaling: { mode: 'SLA', replicas: 1, ...spec.scaling },
    },
  };
}

/** A Snapshot of a ModelDeployment of which nothing exists yet. */
export const makeSnapshot = (part: Partial<Snapshot> = {}): Snapshot => ({
  nowMs: startMs,
  defaults: testDefaults,
  fleetSize: 1,
  deployment: makeDeployment(),
  children: noChildren,
  replicaSets: [],
  pods: [],
  scaling: 'unknown',
  measured: 'unknown',
  memory: emptyMemory,
  ...part,
});

export interface PodPart {
  name?: string;
  ready?: boolean;
  readyAtMs?: number;
  /** Digest that its fetch container reported. */
  sha256?: string;
  containers?: Partial<ContainerStatus>[];
  initContainers?: Partial<ContainerStatus>[];
  conditions?: NonNullable<Pod['status']>['conditions'];
  phase?: NonNullable<Pod['status']>['phase'];
  annotations?: Record<string, string>;
  deleting?: boolean;
  createdAtMs?: number;
}

const rfc3339 = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** A pod of a revision of `wine`; starting unless told otherwise. */
export function makePod(revision: string, part: PodPart = {}): Pod {
  const { ready = false, readyAtMs = startMs } = part;
  const status = (given: Partial<ContainerStatus>): ContainerStatus => ({
    name: 'serve',
    ready: false,
    restartCount: 0,
    ...given,
  });
  const fetched: Partial<ContainerStatus>[] =
    part.sha256 === undefined
      ? []
      : [
          {
            name: 'fetch',
            state: {
              terminated: {
                exitCode: 0,
                message: JSON.stringify({ sha256: part.sha256, bytes: 10, uri: 'file:///x' }),
              },
            },
          },
        ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: part.name ?? `wine-${revision}-x`,
      namespace: 'shop',
      uid: `uid-${part.name ?? revision}`,
      creationTimestamp: rfc3339(part.createdAtMs ?? startMs),
      labels: { ...revisionLabels('wine', revision), [labels.role]: servingRole },
      ...(part.annotations === undefined ? {} : { annotations: part.annotations }),
      ...(part.deleting === true ? { deletionTimestamp: rfc3339(startMs) } : {}),
    },
    spec: { containers: [] },
    status: {
      phase: part.phase ?? 'Running',
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: rfc3339(readyAtMs) },
        ...(part.conditions ?? []),
      ],
      initContainerStatuses: [...fetched, ...(part.initContainers ?? [])].map(status),
      containerStatuses: (part.containers ?? [{ ready }]).map(status),
    },
  };
}

/** A ReplicaSet whose pods the cluster refuses to make. */
export const makeRefusedReplicaSet = (revision: string, message: string): ReplicaSet => ({
  metadata: { name: `wine-${revision}-rs`, namespace: 'shop', labels: revisionLabels('wine', revision) },
  spec: { replicas: 1, selector: {} },
  status: {
    conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }],
  },
});

/** Measured figures of a model that answers 100 requests well. */
export const makeMeasured = (part: Partial<Measured> = {}): Measured => ({
  windowMs: 300_000,
  coveredMs: 300_000,
  requests: 100,
  errorRate: 0,
  latencyMs: { p50: 5, p90: 12, p95: 20, p99: 41 },
  lateShare: {},
  requestRate: 10,
  revisionShares: {},
  readyPods: 1,
  freshPods: 1,
  ...part,
});

/** Hash annotation key, for tests that edit objects. */
export const appliedHash = annotations.appliedHash;
