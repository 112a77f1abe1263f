/** How long a new pod takes until it serves, learned from the last ones: what the forecast must reach beyond. */
import type { Startup } from './types.ts';

export interface StartupTime {
  /** From being asked for to serving: median and 90th percentile, the wait for a node included while pods wait for one. */
  readonly d50Seconds: number;
  readonly d90Seconds: number;
  /** How long nine of ten pods that found no place waited for one; undefined while the last ones found one at once. */
  readonly nodeSeconds: number | undefined;
  /** How many starts it was learned from; 0 with the prior. */
  readonly samples: number;
}

const priorSeconds = 20;
const fewestSamples = 3;
/** A start that took longer than this waited for something else than itself, or a clock was wrong. */
const longestSeconds = 3_600;
/** A scheduler that has a place decides within a second, and timestamps hold whole seconds: longer is a wait for a node. */
const leastWaitSeconds = 3;
/** Whether pods wait for nodes is told by the last starts: with headroom kept, or with a cluster that has room again, they do not. */
const lastStarts = 5;

const partsOf = (sample: Startup) =>
  typeof sample === 'number' ? { podSeconds: sample, nodeSeconds: 0 } : sample;

const isSound = (seconds: number) => seconds >= 0 && seconds <= longestSeconds;

/** The value that `share` of the samples do not pass; undefined of none. */
function quantile(samples: readonly number[], share: number): number | undefined {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.ceil(share * sorted.length) - 1];
}

/**
 * Start-up time of the next pod; 20 s until three pods were seen to start. `isShort`: pods find no place at present.
 *
 * | a pod of the last five waited for a node, or one waits now | horizon                                        |
 * | no                                                         | what pods take once they have a place          |
 * | yes                                                        | that, and what those that waited waited        |
 */
export function startupOf(samples: readonly Startup[] | undefined, isShort = false): StartupTime {
  const sound = (samples ?? [])
    .map(partsOf)
    .filter(({ podSeconds, nodeSeconds }) => isSound(podSeconds) && isSound(nodeSeconds));
  if (sound.length < fewestSamples)
    return { d50Seconds: priorSeconds, d90Seconds: priorSeconds, nodeSeconds: undefined, samples: 0 };
  const hasWaited = ({ nodeSeconds }: { nodeSeconds: number }) => nodeSeconds >= leastWaitSeconds;
  const waits =
    isShort || sound.slice(-lastStarts).some(hasWaited)
      ? sound.filter(hasWaited).map(({ nodeSeconds }) => nodeSeconds)
      : [];
  const pods = sound.map(({ podSeconds, nodeSeconds }) =>
    hasWaited({ nodeSeconds }) ? podSeconds : podSeconds + nodeSeconds,
  );
  const at = (share: number) => (quantile(pods, share) ?? priorSeconds) + (quantile(waits, share) ?? 0);
  return {
    d50Seconds: at(0.5),
    d90Seconds: at(0.9),
    nodeSeconds: quantile(waits, 0.9),
    samples: sound.length,
  };
}
