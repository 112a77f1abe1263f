/** Bursts that are over before a pod that is asked for can serve: no count of replicas that starts then helps, and that is said. */
import { seconds } from './explain.ts';
import type { BurstSeen } from './types.ts';

const rememberedMs = 1_200_000;
/** A lull that is shorter than this belongs to the burst. */
const lullMs = 10_000;
/** With fewer bursts than this there is no pattern. */
const fewestBursts = 3;
/** Of the bursts that have ended. */
const shortShare = 2 / 3;

const isOver = ({ untilMs }: BurstSeen, nowMs: number) => nowMs - untilMs > lullMs;

/** The bursts after this second; `begins` is the capacity of the ready pods when one was seen to begin now. */
export function followBursts(
  before: readonly BurstSeen[],
  rate2: number,
  begins: number | undefined,
  nowMs: number,
): readonly BurstSeen[] {
  const kept = before.filter(({ untilMs }) => nowMs - untilMs < rememberedMs);
  const last = kept.at(-1);
  if (last !== undefined && !isOver(last, nowMs))
    return rate2 > last.capacity ? [...kept.slice(0, -1), { ...last, untilMs: nowMs }] : kept;
  return begins === undefined ? kept : [...kept, { fromMs: nowMs, untilMs: nowMs, capacity: begins }];
}

/** What there is to say when most bursts are shorter than a start of a pod (seconds, the median); undefined otherwise. */
export function unservableSentence(
  bursts: readonly BurstSeen[],
  startupSeconds: number,
  nowMs: number,
): string | undefined {
  const ended = bursts.filter((burst) => isOver(burst, nowMs));
  if (ended.length < fewestBursts) return undefined;
  // From the beginning of the first second that was too much to the end of the last.
  const lengths = ended.map(({ fromMs, untilMs }) => (untilMs - fromMs) / 1_000 + 1);
  const short = lengths.filter((length) => length < startupSeconds);
  if (short.length < shortShare * ended.length) return undefined;
  const mean = short.reduce((sum, length) => sum + length, 0) / short.length;
  return `${short.length} of ${ended.length} bursts of the last 20min were over after ${seconds(mean)} on average, before a new pod can serve (${seconds(startupSeconds)}): only replicas that stand by (minReplicas, schedule, headroom), batching or a longer promise keep it through them`;
}
