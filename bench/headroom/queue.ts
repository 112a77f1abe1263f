/** What callers would have seen: requests of one second, shared at random among pods that serve one at a time. */

export interface PodQueues {
  /** When each pod has worked off what it was given, seconds of the run. */
  readonly freeAt: Map<string, number>;
}

/** Pseudo-random numbers in [0, 1), the same for every run: the variants must differ by nothing but their nodes. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Share of the requests of the second from `atSeconds` on that are answered later than `targetSeconds`. */
export function lateShare(
  queues: PodQueues,
  pods: readonly string[],
  requests: number,
  atSeconds: number,
  { serviceSeconds, targetSeconds }: { readonly serviceSeconds: number; readonly targetSeconds: number },
  random: () => number,
): number {
  for (const pod of queues.freeAt.keys()) if (!pods.includes(pod)) queues.freeAt.delete(pod);
  const times = Array.from({ length: requests }, () => atSeconds + random()).sort((a, b) => a - b);
  let late = 0;
  for (const time of times) {
    const pod = pods[Math.floor(random() * pods.length)];
    if (pod === undefined) {
      late += 1;
      continue;
    }
    const start = Math.max(time, queues.freeAt.get(pod) ?? time);
    // Nobody waits longer than traffic.timeout, 1 s: such a request is answered 503 and takes no pod's time.
    if (start - time > 1) {
      late += 1;
      continue;
    }
    queues.freeAt.set(pod, start + serviceSeconds);
    if (start + serviceSeconds - time > targetSeconds) late += 1;
  }
  return requests === 0 ? 0 : late / requests;
}
