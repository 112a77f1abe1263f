/** Recorded looks of a real HorizontalPodAutoscaler, and what the simulator's comes to on the same inputs. */
import { Behavior, type PodMetric, replicasByPods } from '../hpa.ts';

/**
 * A pod as a look found it: P(ending), R(unning, not ready), S(erving: ready) or D(eleted); seconds since its start and since its
 * readiness changed; with a sample also milli-cores, the sample's age and its window in seconds.
 */
export type SeenPod =
  | readonly [state: 'P' | 'R' | 'S' | 'D', age: number, changed: number]
  | readonly ['P' | 'R' | 'S' | 'D', number, number, milli: number, sampled: number, window: number];

export interface Look {
  /** Seconds after the recording began. */
  readonly at: number;
  /** Replicas that were asked for before it. */
  readonly replicas: number;
  /** What the metrics came to, -1 where they came to nothing; and what was asked for after limits and windows. */
  readonly proposed: number;
  readonly asked: number;
  readonly pods: readonly SeenPod[];
}

export interface Setting {
  readonly scenario: number | string;
  /** Target in percent of the request, milli-cores of the request. */
  readonly target: number;
  readonly request: number;
  readonly min: number;
  readonly max: number;
  /** Whether the autoscaler has a `behavior`. */
  readonly behavior: boolean;
}

export interface Recording {
  readonly setting: Setting;
  readonly looks: readonly Look[];
}

/** Reads lines of JSON: a setting, then its looks, then the next setting. */
export function readRecordings(text: string): Recording[] {
  const recordings: { setting: Setting; looks: Look[] }[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const one = JSON.parse(line) as Setting | Look;
    if ('scenario' in one) recordings.push({ setting: one, looks: [] });
    else recordings.at(-1)?.looks.push(one);
  }
  return recordings;
}

/** Kubernetes' delay of initial readiness: a pod whose readiness changed later than this after its start was ready once. */
const initialReadinessSeconds = 30;

function metricOf(
  [state, age, changed, milli, sampled = 0, window = 0]: SeenPod,
  request: number,
): PodMetric {
  return {
    pending: state === 'P',
    ready: state === 'S',
    wasReady: age - changed >= initialReadinessSeconds,
    age,
    value: milli === undefined ? undefined : milli / request,
    sampleBeforeReady: sampled > changed - window,
  };
}

/** What the simulator's HorizontalPodAutoscaler proposes and asks for at each look, with the replicas of the recording. */
export function replayed({ setting, looks }: Recording): Pick<Look, 'at' | 'proposed' | 'asked'>[] {
  const { target, request, min, max } = setting;
  const behavior = new Behavior(300, 0, !setting.behavior);
  return looks.map(({ at, replicas, pods }) => {
    behavior.finds(at, replicas);
    const metrics = pods.filter(([state]) => state !== 'D').map((pod) => metricOf(pod, request));
    const proposed = replicasByPods(metrics, target / 100, replicas, true, request);
    const asked =
      proposed === undefined
        ? replicas
        : behavior.shape(at, replicas, proposed, { minReplicas: min, maxReplicas: max });
    return { at, proposed: proposed ?? -1, asked };
  });
}
