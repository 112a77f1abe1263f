/** What the rollout planner knows of one revision. */

/** One revision that has, or is to have, a Deployment. */
export interface RevisionState {
  readonly revision: string;
  /** Replicas that its Deployment asks for; undefined: there is no Deployment. */
  readonly asked: number | undefined;
  /** Pods that exist, ending ones included. */
  readonly pods: number;
  readonly ready: number;
  /** Pods whose containers end again and again, or that cannot start. */
  readonly failing: number;
  /** A failure that trying again does not heal: the model cannot be had, or is another file. */
  readonly hopeless: boolean;
  /** When the pod that is ready longest became ready; undefined when none is. */
  readonly readySinceMs: number | undefined;
  /** Pods that no node takes. */
  readonly unplaced: number;
  /** Since when the first of them has waited, wall clock. */
  readonly unplacedSinceMs: number | undefined;
  /** Living pods that are not ready, those without a node left out. */
  readonly starting: number;
  /** When the last pod that had waited for a node got one; undefined when none had to wait. */
  readonly placedAtMs: number | undefined;
}
