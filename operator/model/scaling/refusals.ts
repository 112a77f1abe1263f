/**
 * Requests that were refused and come again. What is offered while requests are refused may hold the same request several
 * times; what is offered beyond the last refusals is surely different ones.
 */
import type { Refusals } from './types.ts';

/**
 * Refusals of this time are taken to come back, at once or after a second or two: what is offered now beyond their mean was
 * not refused before. At the beginning few have been, and a real rise counts nearly in full.
 */
const windowMs = 4_000;
/** An episode ends this long after its last refusal that mattered. */
const endMs = 10_000;
const fewestShare = 0.05;
const fewest = 3;
/** A real rise that goes on while requests are refused looks the same: so much more than is sure is taken for demand all the same. */
const mostGrowth = 4;
/** Beyond this much more than is sure nothing is hedged. */
const hedgedGrowth = 3;

export const noRefusals: Refusals = { total: 0, recent: [], episode: undefined };

const sum = (recent: Refusals['recent']) => recent.reduce((all, { count }) => all + count, 0);

/** Requests refused per second lately. */
export const refusedRate = ({ recent }: Refusals): number => sum(recent) / (windowMs / 1_000);

/** The memory after this second; `total`: all refusals that sources have told of so far, `rate2`: offered per second in the last two. */
export function followRefusals(before: Refusals, total: number, rate2: number, nowMs: number): Refusals {
  const count = Math.max(0, total - before.total);
  if (count === 0 && before.recent.length === 0 && before.episode === undefined)
    return before.total === total ? before : { ...before, total };
  const recent = before.recent.filter(({ atMs }) => nowMs - atMs < windowMs);
  if (count > 0) recent.push({ atMs: nowMs, count });
  const refused = sum(recent) / (windowMs / 1_000);
  const matters = sum(recent) >= fewest && refused >= fewestShare * rate2;
  const { episode } = before;
  const lastMs = matters ? nowMs : episode?.lastMs;
  if (lastMs === undefined || nowMs - lastMs >= endMs) return { total, recent, episode: undefined };
  return { total, recent, episode: { lastMs, trusted: Math.max(episode?.trusted ?? 0, rate2 - refused) } };
}

/** The most requests per second that are taken for demand, and that are hedged; undefined while none is refused. */
export const mostDemand = ({ episode }: Refusals): { rate: number; hedged: number } | undefined =>
  episode === undefined
    ? undefined
    : { rate: mostGrowth * episode.trusted, hedged: hedgedGrowth * episode.trusted };
