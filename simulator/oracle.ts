/**
 * What a scaler that knew every arrival and service time, and resized at once and free of charge, would have used:
 * for each 10 s the smallest count with which at most 1 % of its requests are late and less than a quarter of the promise
 * is left to wait at its end. Greedy from one epoch to the next: indicative, not a proof of a lower bound.
 */
import { chance } from './chance.ts';
import type { Seconds } from './distributions.ts';
import type { Trace } from './traffic/arrivals.ts';
import { Arrivals, durationOf } from './traffic/arrivals.ts';

const epochSeconds = 10;

export interface Oracle {
  readonly replicaSeconds: number;
  /** Replicas in each epoch of 10 s. */
  readonly replicas: readonly number[];
  readonly violations: number;
  readonly requests: number;
}

/** Adds a time to a heap of times (smallest first) in place of its smallest. */
function replaceFirst(heap: Float64Array, size: number, time: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child += 1;
    if ((heap[child] as number) >= time) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = time;
}

/** One epoch with a number of servers: how many are late, and when each server is free afterwards, ascending. */
function serve(
  free: Float64Array,
  servers: number,
  start: number,
  arrivals: readonly number[],
  services: readonly number[],
  slo: number,
): { late: number; free: Float64Array } {
  const heap = new Float64Array(servers).fill(start);
  // Servers that are taken away finish what they do: the busiest go.
  for (let index = 0; index < Math.min(servers, free.length); index += 1)
    heap[index] = Math.max(start, free[index] as number);
  heap.sort();
  let late = 0;
  for (let index = 0; index < arrivals.length; index += 1) {
    const arrival = arrivals[index] as number;
    const end = Math.max(arrival, heap[0] as number) + (services[index] as number);
    replaceFirst(heap, servers, end);
    if (end - arrival > slo) late += 1;
  }
  return { late, free: heap.sort() };
}

/** The oracle's replicas for a trace, with the same arrivals and service times as the policies of that seed meet. */
export function oracleOf(
  trace: Trace,
  service: Seconds,
  slots: number,
  sloMs: number,
  seed: number,
  allowed = 0.01,
): Oracle {
  const arrivals = new Arrivals(trace, chance(seed, 1));
  const services = chance(seed, 2);
  const slo = sloMs / 1_000;
  const replicas: number[] = [];
  let free: Float64Array = new Float64Array(0);
  let next = arrivals.next();
  let violations = 0;
  let requests = 0;
  let before = 1;
  for (let start = 0; start < durationOf(trace); start += epochSeconds) {
    const end = start + epochSeconds;
    const times: number[] = [];
    const takes: number[] = [];
    for (; next < end; next = arrivals.next()) {
      times.push(next);
      takes.push(service.sample(services));
    }
    const run = (count: number) => serve(free, count * slots, start, times, takes, slo);
    const holds = (one: { late: number; free: Float64Array }) =>
      one.late <= allowed * times.length && (one.free[0] as number) - end < slo / 4;
    let count = before;
    let result = run(count);
    if (holds(result))
      while (count > 1) {
        const fewer = run(count - 1);
        if (!holds(fewer)) break;
        count -= 1;
        result = fewer;
      }
    else
      while (!holds(result) && count < 2_000) {
        // What is late whatever is done (the service alone takes longer) is not bought back by more.
        count += 1;
        const more = run(count);
        if (more.late === result.late && (more.free[0] as number) <= end) break;
        result = more;
      }
    replicas.push(count);
    violations += result.late;
    requests += times.length;
    free = result.free;
    before = count;
  }
  return {
    replicaSeconds: replicas.reduce((sum, count) => sum + count, 0) * epochSeconds,
    replicas,
    violations,
    requests,
  };
}
