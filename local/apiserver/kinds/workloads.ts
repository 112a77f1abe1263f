/** Strategy of apps/v1: a new object starts with an empty status. */
import type { Strategy } from '../kind.ts';
import type { Json } from '../object.ts';

/** Counts that the schema requires: a real server writes their zeros. */
const emptyStatus: Record<string, Json> = {
  ReplicaSet: { replicas: 0 },
  StatefulSet: { replicas: 0, availableReplicas: 0 },
  DaemonSet: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
};

export const workloadStrategy: Strategy = {
  statusKeeps: 'labels',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    draft.status = { ...emptyStatus[draft.kind ?? ''] };
  },
};

/** Of all workloads only a Deployment's generation rises with its annotations too. */
export const deploymentStrategy: Strategy = { ...workloadStrategy, generation: 'spec and annotations' };
