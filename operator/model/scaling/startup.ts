/** How long a new pod takes until it serves, learned from the last ones: what the forecast must reach beyond. */

export interface StartupTime {
  readonly d50Seconds: number;
  readonly d90Seconds: number;
  /** How many starts it was learned from; 0 with the prior. */
  readonly samples: number;
}

const priorSeconds = 20;
const fewestSamples = 3;
/** A start that took longer than this waited for something else than itself, or a clock was wrong. */
const longestSeconds = 3_600;

/** Median and 90th percentile of the samples (seconds from creation to readiness); 20 s until three pods were seen to start. */
export function startupOf(samples: readonly number[] | undefined): StartupTime {
  const sound = (samples ?? []).filter((value) => value >= 0 && value <= longestSeconds);
  if (sound.length < fewestSamples) return { d50Seconds: priorSeconds, d90Seconds: priorSeconds, samples: 0 };
  sound.sort((one, other) => one - other);
  const at = (share: number) => sound[Math.ceil(share * sound.length) - 1] ?? priorSeconds;
  return { d50Seconds: at(0.5), d90Seconds: at(0.9), samples: sound.length };
}
