/**
 * How many requests a pod may have in hand. A pod runs one batch at a time; with a batch of b requests it is kept busy by
 * 2b: b that run and b that are there when the run ends, else it would begin the next run with the first that arrives.
 * Without batching it is one: a second one would only wait in the pod instead of here, where any pod that is free first
 * takes it. Pods with runs so short that the way to them counts get one more.
 */
import { z } from 'zod';

/** Fields of the pods' `GET /load` that matter here: `batchRequests` is absent in pods that do not tell their batch. */
const podLoad = z.object({
  parallelism: z.int().min(1).max(100_000),
  batchRequests: z.int().min(1).max(100_000).optional(),
  counters: z.object({ serviceCount: z.number().min(0), serviceSumSeconds: z.number().min(0) }).optional(),
});

/** Runs shorter than this are over before the next request would have come on a way of half a millisecond. */
const shortRunSeconds = 0.003;
const mostSlots = 512;

/** Slots by what a pod's `/load` says; undefined when it says nothing that can be read. */
export const slotsOf = (body: string): number | undefined => {
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
  const isShort = runs > 0 && (counters?.serviceSumSeconds ?? 0) / runs < shortRunSeconds;
  const perRun = batchRequests > 1 ? 2 * batchRequests : isShort ? 2 : 1;
  return Math.min(mostSlots, parallelism * perRun);
};
