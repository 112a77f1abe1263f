/** How long new pods took until they were ready, per ModelDeployment: what the forecast must reach beyond. */
import { labels } from '../../crds/constants.ts';
import type { Startup } from '../model/scaling/types.ts';

/** The parts of a Pod that are read here. */
export interface StartedPod {
  readonly metadata: {
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

const kept = 50;
/** A pod that is ready when it is first seen may have been ready before: a start as long as this was hardly one. */
const longestAtFirstSightSeconds = 300;

const conditionOf = (pod: StartedPod | undefined, wanted: 'Ready' | 'PodScheduled') =>
  pod?.status?.conditions?.find(({ type, status }) => type === wanted && status === 'True');
const readyOf = (pod: StartedPod | undefined) => conditionOf(pod, 'Ready');

/**
 * From creation to the first readiness, in whole seconds as the API server keeps them, told apart at the moment at which
 * the pod got its node; undefined where this is not that first readiness.
 */
export function startupOfPod(before: StartedPod | undefined, after: StartedPod): Startup | undefined {
  const ready = readyOf(after);
  if (ready?.lastTransitionTime === undefined || readyOf(before) !== undefined) return undefined;
  const { creationTimestamp } = after.metadata;
  if (creationTimestamp === undefined) return undefined;
  // A container that began anew was ready before, as a rule.
  if (after.status?.containerStatuses?.some(({ restartCount }) => restartCount > 0)) return undefined;
  const seconds = (Date.parse(ready.lastTransitionTime) - Date.parse(creationTimestamp)) / 1_000;
  if (!(seconds >= 0)) return undefined;
  if (before === undefined && seconds > longestAtFirstSightSeconds) return undefined;
  const placed = conditionOf(after, 'PodScheduled')?.lastTransitionTime;
  const nodeSeconds =
    placed === undefined ? Number.NaN : (Date.parse(placed) - Date.parse(creationTimestamp)) / 1_000;
  // Clocks that disagree tell nothing apart.
  return nodeSeconds >= 0 && nodeSeconds <= seconds
    ? { podSeconds: seconds - nodeSeconds, nodeSeconds }
    : seconds;
}

/** Learns from the changes of pods; holds the last 50 starts of each ModelDeployment, and each pod's once. */
export class Startups {
  readonly #samples = new Map<
    string,
    { readonly uids: readonly (string | undefined)[]; readonly starts: readonly Startup[] }
  >();

  /** A pod was seen; `before` is its state before that. */
  see(before: StartedPod | undefined, after: StartedPod): void {
    const start = startupOfPod(before, after);
    const name = after.metadata.labels?.[labels.deployment];
    if (start === undefined || name === undefined) return;
    const { namespace = '', uid } = after.metadata;
    const owner = `${namespace}/${name}`;
    const known = this.#samples.get(owner) ?? { uids: [], starts: [] };
    // A pod that lost its readiness under load and has it again did not start twice.
    if (known.uids.includes(uid)) return;
    this.#samples.set(owner, {
      uids: [...known.uids, uid].slice(-kept),
      starts: [...known.starts, start].slice(-kept),
    });
  }

  /** Newest last. `owner` is `namespace/name`. */
  of(owner: string): readonly Startup[] {
    return this.#samples.get(owner)?.starts ?? [];
  }

  /** The ModelDeployment is gone. */
  forget(owner: string): void {
    this.#samples.delete(owner);
  }
}
