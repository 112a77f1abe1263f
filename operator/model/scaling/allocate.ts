/**
 * Who gets the replicas of a cluster that is too small for all: each deployment its guaranteed minimum, the rest where one
 * more keeps the most promises for its price (reference/autoscaling.md §3.8). Pure; its clock is data, its memory is returned.
 */
import type { QueueModel } from './queueing.ts';
import type { Known, LatencyTarget } from './types.ts';
import { advanceRate, ratesAhead, type SlowRate, utility } from './utility.ts';

/** One deployment that asks for replicas. */
export interface AllocationDemand {
  /** `namespace/name`. */
  readonly key: string;
  /** Deployments of one pool compete for the same nodes; no replica moves between pools. */
  readonly pool: string;
  /** What its own decision asks for. */
  readonly wanted: number;
  /** Replicas that its Deployments ask for now. */
  readonly current: number;
  /** Of those, pods that the cluster has no room for, and pods that are not ready yet. */
  readonly blocked: number;
  readonly starting: number;
  /** Guaranteed: nobody takes these. */
  readonly least: number;
  /** `spec.scaling.priority`: what one kept promise of this deployment is worth beside the others'. */
  readonly weight: number;
  /** What one replica takes of its pool, in any unit that all of the pool share. */
  readonly cost: number;
  /** What one pod asks a node for, by resource: a smaller pod's room does not hold a larger one. */
  readonly asks: Readonly<Record<string, number>>;
  /** Mean arrivals of the last ten seconds, requests per second. */
  readonly ratePerSecond: Known<number>;
  /** From the taking of a replica here to its serving there. */
  readonly aheadMs: number;
  /** Unknown until a request was completed: then nothing is taken from it, and it takes nothing. */
  readonly model: Known<QueueModel>;
  readonly latency: readonly LatencyTarget[];
  /** `spec.traffic.shedAt`; absent: Timeout. */
  readonly shedAt?: 'Timeout' | 'SLA' | undefined;
}

/** Why a deployment does not get what it asks for. */
export interface AllocationWhy {
  /** `Yields`: a replica went to another; `Waits`: what is free is worth more to others. */
  readonly reason: 'Yields' | 'Waits';
  readonly sentence: string;
}

interface Yield {
  /** What stays. */
  readonly count: number;
  /** Until when the rest is not asked for again. */
  readonly untilMs: number;
  /** To whom each replica went, and how many of its pods had a place then. */
  readonly to: readonly { readonly key: string; readonly placed: number }[];
}

export interface AllocationMemory {
  readonly rates: ReadonlyMap<string, SlowRate>;
  /** Counts in force where capacity is known. */
  readonly granted: ReadonlyMap<string, number>;
  /** Since when a pool has had pods that do not fit. */
  readonly fullSinceMs: ReadonlyMap<string, number>;
  /** By who gave: what was given up. */
  readonly yielded: ReadonlyMap<string, Yield>;
  readonly swappedAtMs: ReadonlyMap<string, number>;
  /** To whom replicas went in vain: its pods did not take the places. Until when it gets no more. */
  readonly vainUntilMs: ReadonlyMap<string, number>;
}

export interface Allocation {
  /** Only of those that get another count than they asked for. */
  readonly replicas: ReadonlyMap<string, number>;
  readonly why: ReadonlyMap<string, AllocationWhy>;
  readonly memory: AllocationMemory;
}

/** Memory before the first call. */
export const noAllocation: AllocationMemory = {
  rates: new Map(),
  granted: new Map(),
  fullSinceMs: new Map(),
  yielded: new Map(),
  swappedAtMs: new Map(),
  vainUntilMs: new Map(),
};

/** A replica that moves is lost for a release and a start-up: what is gained must be this many times what is lost. */
const worthMoving = 3;
/** And at least this much of one deployment's requests. */
const leastGain = 0.005;
const swapEveryMs = 10_000;
const mostSwaps = 2;
/** Pods that do not fit for this long: the cluster is full, and no scheduler's moment. */
export const fullAfterMs = 30_000;
/** How long what was given is not asked for again: until the other's pod has its place. */
export const yieldMs = 60_000;
/** Pods that took none of the places that were made for them wait for something else (a volume, a zone): so long nothing is made free again. */
const vainMs = 30 * 60_000;

/** One deployment within its pool, while counts are being worked out. */
interface Side {
  readonly demand: AllocationDemand;
  readonly wanted: number;
  held: number;
  /** Weighted worth of a count; 0 throughout for what is not known. */
  readonly worth: (replicas: number) => number;
}

/** What one more replica is worth, for its price. */
const gainOf = ({ worth, held, demand }: Side) => (worth(held + 1) - worth(held)) / demand.cost;
/** What is lost with one replica, for what it frees. */
const lossOf = ({ worth, held, demand }: Side) => (worth(held) - worth(held - 1)) / demand.cost;

function best(sides: Iterable<Side>, worthOf: (side: Side) => number): Side | undefined {
  let found: Side | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const side of sides) {
    const value = worthOf(side);
    if (value > most) {
      most = value;
      found = side;
    }
  }
  return found;
}

function sideOf(demand: AllocationDemand, rate: SlowRate | undefined, held: number): Side {
  const { model, latency, weight, shedAt } = demand;
  const known = new Map<number, number>();
  const rates = rate === undefined || model === 'unknown' ? [] : ratesAhead(rate, model.burstiness);
  const worth = (replicas: number) => {
    let value = known.get(replicas);
    if (value === undefined) {
      value = model === 'unknown' ? 0 : weight * utility(model, rates, replicas, latency, shedAt);
      known.set(replicas, value);
    }
    return value;
  };
  return { demand, wanted: Math.max(demand.least, demand.wanted), held, worth };
}

/** Whether the place of one's pod holds a pod of the other. */
const holds = (one: AllocationDemand, other: AllocationDemand) =>
  Object.entries(other.asks).every(([resource, amount]) => (one.asks[resource] ?? 0) >= amount);

interface Swap {
  readonly from: Side;
  readonly to: Side;
}

/** Moves replicas from who loses least to who gains most, while that is worth a start-up; `held` of both changes. */
function swap(sides: readonly Side[], takes: (side: Side) => boolean): Swap[] {
  const swaps: Swap[] = [];
  while (swaps.length < mostSwaps) {
    const to = best(
      sides.filter((side) => side.demand.model !== 'unknown' && takes(side)),
      gainOf,
    );
    if (to === undefined) break;
    const from = best(
      sides.filter(
        ({ demand, held }) =>
          demand !== to.demand &&
          demand.model !== 'unknown' &&
          held > demand.least &&
          demand.starting === 0 &&
          holds(demand, to.demand),
      ),
      (side) => -lossOf(side),
    );
    if (from === undefined) break;
    const gain = gainOf(to);
    if (gain <= lossOf(from) * worthMoving + leastGain / to.demand.cost) break;
    from.held -= 1;
    to.held += 1;
    swaps.push({ from, to });
  }
  return swaps;
}

/** Counts of a pool whose capacity is known: what is free is given at once, what is held moves rarely. */
function allotKnown(sides: readonly Side[], capacity: number, maySwap: boolean): Swap[] {
  let free = capacity;
  for (const side of sides) {
    side.held = Math.min(side.held, side.wanted);
    free -= side.held * side.demand.cost;
  }
  for (const side of sides) {
    const guaranteed = Math.max(0, Math.min(side.demand.least, side.wanted) - side.held);
    side.held += guaranteed;
    free -= guaranteed * side.demand.cost;
  }
  while (free < 0) {
    const loser = best(
      sides.filter(({ held, demand }) => held > demand.least),
      (side) => -lossOf(side),
    );
    if (loser === undefined) break;
    loser.held -= 1;
    free += loser.demand.cost;
  }
  const waiting = new Set(sides.filter(({ held, wanted }) => held < wanted));
  for (;;) {
    const room = free;
    const next = best(
      [...waiting].filter(({ demand }) => demand.cost <= room),
      gainOf,
    );
    if (next === undefined) break;
    next.held += 1;
    free -= next.demand.cost;
    if (next.held >= next.wanted) waiting.delete(next);
  }
  return maySwap && waiting.size > 0 ? swap(sides, ({ held, wanted }) => held < wanted) : [];
}

/** What was given to whom and why, and what its owner can do. */
function yieldSentence(
  { key, wanted, weight }: AllocationDemand,
  count: number,
  { to }: Yield,
  members: readonly AllocationDemand[],
): string {
  const gone = to.length === 1 ? '1 replica keeps' : `${to.length} replicas keep`;
  const takers = [...new Set(to.map((one) => one.key))].map((taker) => {
    const priority = members.find((demand) => demand.key === taker)?.weight ?? weight;
    const beside = priority === weight ? '' : ` (scaling.priority ${priority}, here ${weight})`;
    return `${withoutNamespace(taker, key)}${beside}`;
  });
  return `${wanted} are needed, but the cluster is full, and ${gone} more promises in ${takers.join(' and ')}: ${count} ${count === 1 ? 'stays' : 'stay'}. The rest is asked for again within a minute; what scaling.minReplicas guarantees is never taken`;
}

/** The name alone where both are in one namespace. */
const withoutNamespace = (other: string, own: string): string =>
  other.slice(0, other.indexOf('/')) === own.slice(0, own.indexOf('/'))
    ? other.slice(other.indexOf('/') + 1)
    : other;

const placedOf = ({ current, blocked }: AllocationDemand) => Math.max(0, current - blocked);

/** Until when nothing is given to whom, with what the yields that end now have brought. */
function vainAfter(
  demands: readonly AllocationDemand[],
  { yielded, vainUntilMs }: AllocationMemory,
  nowMs: number,
): Map<string, number> {
  const vain = new Map([...vainUntilMs].filter(([, untilMs]) => untilMs > nowMs));
  const ended = [...yielded.values()].filter(({ untilMs }) => untilMs <= nowMs).flatMap(({ to }) => to);
  if (ended.length === 0) return vain;
  const byKey = new Map(demands.map((demand) => [demand.key, demand]));
  for (const { key, placed } of ended) {
    const demand = byKey.get(key);
    if (demand !== undefined && demand.blocked > 0 && placedOf(demand) <= placed)
      vain.set(key, nowMs + vainMs);
  }
  return vain;
}

/**
 * Counts for all deployments. `capacity` per pool where it is known (a simulator, a quota); elsewhere a pool is full while
 * pods of it have not fitted for 30 s. Then a deployment whose pods wait takes the place of a less valuable one's replica.
 */
export function allocate(
  demands: readonly AllocationDemand[],
  capacity: ReadonlyMap<string, number>,
  memory: AllocationMemory,
  nowMs: number,
): Allocation {
  const rates = new Map<string, SlowRate>();
  const pools = new Map<string, AllocationDemand[]>();
  for (const demand of demands) {
    const rate = advanceRate(memory.rates.get(demand.key), demand.ratePerSecond, demand.aheadMs, nowMs);
    if (rate !== undefined) rates.set(demand.key, rate);
    const pool = pools.get(demand.pool);
    if (pool === undefined) pools.set(demand.pool, [demand]);
    else pool.push(demand);
  }
  const replicas = new Map<string, number>();
  const why = new Map<string, AllocationWhy>();
  const granted = new Map<string, number>();
  const fullSinceMs = new Map<string, number>();
  const swappedAtMs = new Map<string, number>();
  const vainUntilMs = vainAfter(demands, memory, nowMs);
  const yielded = new Map([...memory.yielded].filter(([, { untilMs }]) => untilMs > nowMs));
  for (const [pool, members] of pools) {
    const lastSwapMs = memory.swappedAtMs.get(pool) ?? Number.NEGATIVE_INFINITY;
    if (lastSwapMs > nowMs - swapEveryMs) swappedAtMs.set(pool, lastSwapMs);
    const isDue = !swappedAtMs.has(pool);
    const room = capacity.get(pool);
    if (room !== undefined) {
      const sides = members.map((demand) =>
        sideOf(demand, rates.get(demand.key), memory.granted.get(demand.key) ?? demand.current),
      );
      if (allotKnown(sides, room, isDue).length > 0) swappedAtMs.set(pool, nowMs);
      for (const { demand, held, wanted } of sides) {
        granted.set(demand.key, held);
        if (held === demand.wanted) continue;
        replicas.set(demand.key, held);
        if (held < wanted)
          why.set(demand.key, {
            reason: 'Waits',
            sentence: `${wanted} are needed, but the cluster is full: ${held} of its replicas are worth more here than elsewhere`,
          });
      }
      continue;
    }
    if (members.some(({ blocked }) => blocked > 0)) {
      const since = memory.fullSinceMs.get(pool) ?? nowMs;
      fullSinceMs.set(pool, since);
      if (isDue && nowMs - since >= fullAfterMs) {
        const coming = new Map<string, number>();
        for (const { to } of yielded.values())
          for (const { key } of to) coming.set(key, (coming.get(key) ?? 0) + 1);
        const sides = members.map((demand) => {
          const placed = placedOf(demand);
          const stays = yielded.get(demand.key)?.count ?? placed;
          return sideOf(demand, rates.get(demand.key), Math.min(placed, stays));
        });
        const swaps = swap(
          sides,
          ({ demand, held }) =>
            // Who has just given does not take it back; what was given to it already is on its way.
            demand.blocked > 0 &&
            !yielded.has(demand.key) &&
            !vainUntilMs.has(demand.key) &&
            held + (coming.get(demand.key) ?? 0) < demand.current,
        );
        for (const { from, to } of swaps) {
          const before = yielded.get(from.demand.key)?.to ?? [];
          yielded.set(from.demand.key, {
            count: from.held,
            untilMs: nowMs + yieldMs,
            to: [...before, { key: to.demand.key, placed: placedOf(to.demand) }],
          });
        }
        if (swaps.length > 0) swappedAtMs.set(pool, nowMs);
      }
    }
    for (const demand of members) {
      const { key, wanted, least } = demand;
      const given = yielded.get(key);
      if (given === undefined || wanted <= given.count) continue;
      const count = Math.max(least, given.count);
      replicas.set(key, count);
      why.set(key, { reason: 'Yields', sentence: yieldSentence(demand, count, given, members) });
    }
  }
  return { replicas, why, memory: { rates, granted, fullSinceMs, yielded, swappedAtMs, vainUntilMs } };
}
