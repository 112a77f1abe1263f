/** How long new pods took until they were ready, per ModelDeployment: what the forecast must reach beyond. */
import { labels } from '../../crds/constants.ts';

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

const readyOf = (pod: StartedPod | undefined) =>
  pod?.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True');

/** Seconds from creation to the first readiness, whole as the API server keeps them; undefined where this is not that moment. */
export function startupSecondsOf(before: StartedPod | undefined, after: StartedPod): number | undefined {
  const ready = readyOf(after);
  if (ready?.lastTransitionTime === undefined || readyOf(before) !== undefined) return undefined;
  const { creationTimestamp } = after.metadata;
  if (creationTimestamp === undefined) return undefined;
  // A container that began anew was ready before, as a rule.
  if (after.status?.containerStatuses?.some(({ restartCount }) => restartCount > 0)) return undefined;
  const seconds = (Date.parse(ready.lastTransitionTime) - Date.parse(creationTimestamp)) / 1_000;
  if (!(seconds >= 0)) return undefined;
  return before === undefined && seconds > longestAtFirstSightSeconds ? undefined : seconds;
}

/** Learns from the changes of pods; holds the last 50 starts of each ModelDeployment, and each pod's once. */
export class Startups {
  readonly #samples = new Map<
    string,
    { readonly uids: readonly (string | undefined)[]; readonly seconds: readonly number[] }
  >();

  /** A pod was seen; `before` is its state before that. */
  see(before: StartedPod | undefined, after: StartedPod): void {
    const seconds = startupSecondsOf(before, after);
    const name = after.metadata.labels?.[labels.deployment];
    if (seconds === undefined || name === undefined) return;
    const { namespace = '', uid } = after.metadata;
    const owner = `${namespace}/${name}`;
    const known = this.#samples.get(owner) ?? { uids: [], seconds: [] };
    // A pod that lost its readiness under load and has it again did not start twice.
    if (known.uids.includes(uid)) return;
    this.#samples.set(owner, {
      uids: [...known.uids, uid].slice(-kept),
      seconds: [...known.seconds, seconds].slice(-kept),
    });
  }

  /** Seconds, newest last. `owner` is `namespace/name`. */
  of(owner: string): readonly number[] {
    return this.#samples.get(owner)?.seconds ?? [];
  }

  /** The ModelDeployment is gone. */
  forget(owner: string): void {
    this.#samples.delete(owner);
  }
}
