/**
 * How many requests a pod may have in hand. A pod runs one batch at a time. With a batch of b requests it is kept busy by
 * 2b: b that run and b that are there when the run ends, else it would begin the next run with the first that arrives.
 * Without batching it is one: a second would only wait in the pod instead of here, where any pod that is free first takes
 * it. Where runs are short the way counts: while an answer travels to the gateway and the next request back, a pod can do
 * a millisecond's worth of runs.
 */
import { z } from 'zod';

/** Fields of the pods' `GET /load` that matter here; `batchRequests` is absent in pods that do not tell their batch. */
const podLoad = z.object({
  parallelism: z.int().min(1).max(100_000),
  batchRequests: z.int().min(1).max(100_000).optional(),
  counters: z.object({ serviceCount: z.number().min(0), serviceSumSeconds: z.number().min(0) }).optional(),
});

/** From a pod to the gateway, through its event loop, and back, seconds. Half of it where nothing else is to do, more under load. */
const waySeconds = 0.001;
const mostSlots = 512;
/** So many runs make a mean. */
const enoughRuns = 50;

export interface Slots {
  readonly slots: number;
  /** Enough has run to say it: before that it is worth asking again soon. */
  readonly isFounded: boolean;
}

/** Slots by what a pod's `/load` says; undefined when it says nothing that can be read. */
export const slotsOf = (body: string): Slots | undefined => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = podLoad.safeParse(json);
  if (!parsed.success) return undefined;
  const { parallelism, batchRequests = 1, counters } = parsed.data;
  const runs = counters?.serviceCount ?? 0;
  const meanSeconds = (counters?.serviceSumSeconds ?? 0) / Math.max(1, runs);
  const onTheWay = meanSeconds > 0 ? Math.round(waySeconds / meanSeconds) : 0;
  const busy = batchRequests > 1 ? 2 * batchRequests : 1;
  return {
    slots: Math.min(mostSlots, parallelism * Math.max(busy, 1 + onTheWay)),
    isFounded: runs >= enoughRuns,
  };
};
