/** The check of a latency histogram on the wire, by hand: it is most of a report's numbers, and a fleet sends thousands a second. */
import { z } from 'zod';
import type { LatencyHistogram } from './wire.ts';

const mostBounds = 1_024;
/** Nothing that a process counts gets beyond this in a lifetime; it also keeps every sum exact. */
const most = 1e15;

const isAmount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= most;

function isHistogram(value: unknown): value is LatencyHistogram {
  if (typeof value !== 'object' || value === null) return false;
  const { boundsMs, counts } = value as Partial<Record<keyof LatencyHistogram, unknown>>;
  if (!Array.isArray(boundsMs) || !Array.isArray(counts)) return false;
  if (boundsMs.length > mostBounds || counts.length !== boundsMs.length + 1) return false;
  let before = -1;
  for (const bound of boundsMs) {
    if (!isAmount(bound) || bound <= before) return false;
    before = bound;
  }
  for (const count of counts) if (!isAmount(count) || !Number.isInteger(count)) return false;
  return true;
}

/** A histogram as it came: no copy is made. */
export const latencyHistogram = z.custom<LatencyHistogram>(
  isHistogram,
  `not at most ${mostBounds} ascending bounds and one more count`,
);
