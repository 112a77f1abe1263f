/** Answers to requests that wait as long as a queueing model says, or so many times as long. */
import { geometricBounds } from '../../../../stats/histogram.ts';
import { lateShare, type QueueModel } from '../queueing.ts';

export const boundsMs = geometricBounds(0.5, 60_000, 10 ** 0.1);
export const model: QueueModel = {
  service: { meanSeconds: 0.012, scv: 0.1 },
  slots: 1,
  // What an even stream is taken for.
  burstiness: 0.7,
  balancing: 'least-outstanding',
};

/** Answers of `total` requests in each bucket, as the model with `waitFactor` would have them. */
export function answersAt(
  waitFactor: number,
  total: number,
  rate: number,
  replicas: number,
  { balancing }: Pick<QueueModel, 'balancing'> = model,
): number[] {
  const beyond = boundsMs.map((bound) =>
    lateShare({ ...model, balancing, waitFactor }, rate, replicas, bound / 1_000),
  );
  return [...boundsMs, Number.POSITIVE_INFINITY].map(
    (_, at) => total * ((at === 0 ? 1 : (beyond[at - 1] ?? 0)) - (beyond[at] ?? 0)),
  );
}
