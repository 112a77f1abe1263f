/** How many replicas are needed: one owner of the count, always. */
import type { ModelDeploymentSpec } from '../../crds/types.ts';
import { concerns, type Problem } from './check.ts';
import { scalingInputOf } from './scaling/spec.ts';
import type { Snapshot } from './snapshot.ts';

export interface Needed {
  readonly replicas: number;
  readonly limits: { readonly minReplicas: number; readonly maxReplicas: number };
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/**
 * | suspended | scaling or sla invalid | mode            | decision | replicas                                    |
 * | yes       | any                    | any             | any      | 0                                           |
 * | no        | yes                    | any             | any      | what runs                                   |
 * | no        | no                     | Fixed, External | any      | spec.scaling.replicas                       |
 * | no        | no                     | SLA             | known    | the decision, within the limits of the spec |
 * | no        | no                     | SLA, scaleToZero | 0       | 0                                           |
 * | no        | no                     | SLA             | unknown  | what runs, within the limits of the spec    |
 */
export function neededReplicas(snapshot: Snapshot, problems: readonly Problem[]): Needed {
  const { deployment, scaling } = snapshot;
  const { spec, status } = deployment;
  const running = runningReplicas(snapshot);
  if (concerns(problems, 'scaling', 'sla')) {
    const limits = {
      minReplicas: status?.scaling?.minReplicas ?? running,
      maxReplicas: status?.scaling?.maxReplicas ?? running,
    };
    return { replicas: spec.suspend === true ? 0 : running, limits };
  }
  const limits = limitsOf(spec);
  if (spec.suspend === true) return { replicas: 0, limits };
  if (spec.scaling.mode !== 'SLA') return { replicas: spec.scaling.replicas, limits };
  const wanted = scaling === 'unknown' ? running : scaling.replicas;
  if (wanted === 0 && spec.scaling.scaleToZero !== undefined) return { replicas: 0, limits };
  return { replicas: clamp(wanted, limits.minReplicas, limits.maxReplicas), limits };
}

function limitsOf(spec: ModelDeploymentSpec): Needed['limits'] {
  const { mode, fixedReplicas, minReplicas, maxReplicas } = scalingInputOf(spec);
  return mode === 'SLA'
    ? { minReplicas, maxReplicas }
    : { minReplicas: fixedReplicas, maxReplicas: fixedReplicas };
}

/** What the last reconcile asked for, else what the Deployments ask for; at least 1 while anything is to run. */
function runningReplicas({ deployment, children }: Snapshot): number {
  const desired = deployment.status?.scaling?.desiredReplicas;
  if (desired !== undefined && desired > 0) return desired;
  return Math.max(1, ...children.deployments.map((child) => child.spec.replicas ?? 1));
}
