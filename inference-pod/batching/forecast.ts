/** Predicts from what waits and what runs when a new request would be answered. Pure. */
import type { Forecast } from '../admission/wait.ts';
import type { Costed } from './cost-book.ts';

/** Requests of one kind that wait. */
export interface WaitingGroup extends Costed {
  readonly items: number;
}

/** What is known of the costs of each kind. */
export interface KnownCosts {
  usualRows(like: Costed): number;
  costMs(like: Costed, rows: number): number;
}

/** The batch that runs. */
export interface RunningBatch {
  readonly elapsedMs: number;
  readonly expectedMs: number;
}

/** A run that is over its time may take as much longer again as it is over. */
const remainingMs = ({ elapsedMs, expectedMs }: RunningBatch): number => Math.abs(expectedMs - elapsedMs);

/** Until the batch of a new request begins, and what that batch takes. */
export const forecast = (
  like: Costed,
  groups: Iterable<WaitingGroup>,
  costs: KnownCosts,
  running: RunningBatch | undefined,
): Forecast => {
  let waitMs = running === undefined ? 0 : remainingMs(running);
  let batchRows = like.rows;
  for (const group of groups) {
    const usual = costs.usualRows(group);
    const perItem = group.rows / group.items;
    if (usual === 1 || perItem >= usual) {
      waitMs += group.items * costs.costMs(group, perItem);
      continue;
    }
    const full = Math.floor(group.rows / usual);
    const rest = group.rows - full * usual;
    waitMs += full * costs.costMs(group, usual);
    if (group.groupKey === like.groupKey && rest + like.rows <= usual) batchRows += rest;
    else if (rest > 0) waitMs += costs.costMs(group, rest);
  }
  return { waitMs, serviceMs: costs.costMs(like, batchRows) };
};
