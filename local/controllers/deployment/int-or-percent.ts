/** `maxSurge`, `maxUnavailable` and their like: a count, or a share of the replicas. */

/** The count that a number or percentage means for a total; throws on anything else. */
export function countOf(value: number | string, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const match = /^([0-9]+)%$/.exec(value);
  if (match === null) throw new RangeError(`"${value}" is neither a whole number nor a percentage`);
  const exact = (Number(match[1]) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

export interface Fence {
  /** Pods that may run beyond the wanted count. */
  readonly surge: number;
  /** Pods of the wanted count that may be away. */
  readonly unavailable: number;
}

/** Both bounds of a rolling update. Surge rounds up, unavailable down; both 0 would never move, so one may be away. */
export function fenceOf(
  rollingUpdate: { maxSurge?: number | string; maxUnavailable?: number | string } | undefined,
  replicas: number,
): Fence {
  const surge = countOf(rollingUpdate?.maxSurge ?? '25%', replicas, 'up');
  const unavailable = countOf(rollingUpdate?.maxUnavailable ?? '25%', replicas, 'down');
  if (surge === 0 && unavailable === 0) return { surge, unavailable: 1 };
  return { surge, unavailable: Math.min(unavailable, replicas) };
}
