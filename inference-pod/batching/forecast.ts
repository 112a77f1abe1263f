/** Predicts from what waits and what runs when a new request would be answered. Pure. */
import type { Forecast } from '../admission/wait.ts';
import type { Costed } from './cost-book.ts';

/** Requests of one kind that wait. */
export interface WaitingGroup extends Costed {
  readonly items: number;
}

/** What is known of the costs of each kind. */
export interface KnownCosts {
  /** The batch that they come into when so many rows of their kind wait. */
  usualRows(like: Costed, waitingRows: number): number;
  costMs(like: Costed, rows: number): number;
}

/** A run that is over its time may take as much longer again as it is over. */
export const remainingMs = (elapsedMs: number, expectedMs: number): number =>
  Math.abs(expectedMs - elapsedMs);

/** A forecast that is written over by the next: one is asked for at every request. */
export interface Forecasted extends Forecast {
  waitMs: number;
  serviceMs: number;
}

/** Until the batch of a new request begins, and what that batch takes; `runningMs` is what the one that runs still takes. */
export const forecast = (
  like: Costed,
  groups: Iterable<WaitingGroup>,
  costs: KnownCosts,
  runningMs: number,
  into: Forecasted = { waitMs: 0, serviceMs: 0 },
): Forecast => {
  let waitMs = runningMs;
  let batchRows = like.rows;
  for (const group of groups) {
    if (group.items === 0) continue;
    const usual = costs.usualRows(group, group.rows);
    const perItem = group.rows / group.items;
    if (usual === 1 || perItem >= usual) {
      waitMs += group.items * costs.costMs(group, perItem);
      continue;
    }
    const full = Math.floor(group.rows / usual);
    const rest = group.rows - full * usual;
    waitMs += full * costs.costMs(group, usual);
    // Behind a full batch others will come in time to fill this one too.
    if (group.groupKey === like.groupKey && rest + like.rows <= usual)
      batchRows = full > 0 ? usual : batchRows + rest;
    else if (rest > 0) waitMs += costs.costMs(group, rest);
  }
  into.waitMs = waitMs;
  into.serviceMs = costs.costMs(like, batchRows);
  return into;
};
