/** The words of a decision: one sentence with its arithmetic, and its inputs as status shows them. */
import { formatDuration } from '../../../crds/values.ts';
import type { QueueModel } from './queueing.ts';
import { latencySeconds, servesPerSecond, utilisation } from './queueing.ts';
import { refusedRate } from './refusals.ts';
import type { Need } from './sizing.ts';
import { busiestAllowed, easedShare, shareOf } from './sizing.ts';
import type { Known, LatencyTarget, Refusals } from './types.ts';

/** Three significant digits, no exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'no end';
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(value.toFixed(Math.min(digits, 6))));
}

/** A duration for people: `850µs`, `41ms`, `1.2s`. */
export function seconds(value: number): string {
  if (!Number.isFinite(value)) return 'without end';
  if (value < 0.001) return `${figure(value * 1e6)}µs`;
  if (value < 1) return `${figure(value * 1e3)}ms`;
  return `${figure(value)}s`;
}

export const promise = (target: LatencyTarget) => `${target.percentile} ≤ ${formatDuration(target.targetMs)}`;

/** Less than a request in three minutes: what is left of a forecast after the last one. */
const nothing = 0.005;

/** `118 req/s × 12ms = 1.4 busy replicas`; where the plan is for another rate than the present one, both are told. */
function busySentence(ratePerSecond: number, model: Known<QueueModel>, presentRate: Known<number>): string {
  const same = presentRate === 'unknown' || Math.abs(presentRate - ratePerSecond) <= 0.02 * ratePerSecond;
  if (ratePerSecond < nothing && (presentRate === 'unknown' || presentRate < nothing)) return 'no requests';
  const planned = `${figure(ratePerSecond)} req/s`;
  const now =
    presentRate === 'unknown' || presentRate < nothing ? 'no requests' : `${figure(presentRate)} req/s`;
  const rate = same
    ? planned
    : `${now} now, ${ratePerSecond < nothing ? 'none expected: 0 req/s' : `planned for ${planned}`}`;
  if (model === 'unknown') return rate;
  const slots = model.slots > 1 ? ` / ${model.slots} at once` : '';
  const busy = ratePerSecond / servesPerSecond(model);
  const batches =
    model.batch === undefined
      ? ''
      : ` (batches of ${model.batch.requests} in ${seconds(model.batch.fullSeconds)})`;
  // Of learned figures only what is corrected by is told.
  const slower = model.slowdown === undefined ? '' : ` × ${figure(model.slowdown)} (as full replicas showed)`;
  return `${rate} × ${seconds(model.service.meanSeconds)}${batches}${slots}${slower} = ${figure(busy)} busy replicas`;
}

/** `waits 1.6 times the predicted ones, as measured`; empty where the model is not corrected. */
const waitsSentence = ({ waitFactor }: QueueModel): string =>
  waitFactor === undefined ? '' : `, with waits ${figure(waitFactor)} times the model’s, as measured`;

/** Why less is planned for than is offered. */
export const repeatedSentence = (refusals: Refusals, mostRate: number): string =>
  `${figure(refusedRate(refusals))} req/s are refused and may come again: no more than ${figure(mostRate)} req/s are taken for demand`;

/** Which promise the predicted latency is told for: the binding one, else the tightest that can be kept. */
function toldTarget(need: Need, latency: readonly LatencyTarget[]): LatencyTarget | undefined {
  return need.binding ?? latency.findLast((target) => !need.infeasible.includes(target));
}

function predicted(model: QueueModel, rate: number, replicas: number, target: LatencyTarget): string {
  return `${seconds(latencySeconds(model, rate, replicas, shareOf[target.percentile]))} at ${replicas}`;
}

/**
 * Where the service itself takes nearly all of a promise, the plan may lie a little beyond it (`leastForWaits` in sizing.ts):
 * said, so that nobody waits for replicas to mend it.
 */
function nearlyAloneSentence(
  model: QueueModel,
  rate: number,
  replicas: number,
  target: LatencyTarget,
): string {
  const share = shareOf[target.percentile];
  // What rounds to the promise is not beyond it.
  if (latencySeconds(model, rate, replicas, share) <= (1.005 * target.targetMs) / 1_000) return '';
  return `; the model alone takes ${seconds(latencySeconds(model, 0, 1, share))}, which more replicas do not shorten`;
}

/** Why this many are needed, before any limit: load, the rule that decides, what is predicted at that count and one below. */
export function needSentence(
  need: Need,
  ratePerSecond: number,
  model: Known<QueueModel>,
  latency: readonly LatencyTarget[],
  requestsPerSecondPerReplica: number | undefined,
  presentRate: Known<number> = 'unknown',
  /** What surely comes: the rate that a fixed rate per replica is held against. */
  surelyRate: number = ratePerSecond,
): string {
  const load = busySentence(ratePerSecond, model, presentRate);
  const count = need.replicas;
  if (need.reason === 'RequestRate' && requestsPerSecondPerReplica !== undefined)
    return `${load}; at most ${requestsPerSecondPerReplica} req/s per replica needs ${count}${Math.abs(surelyRate - ratePerSecond) <= 0.02 * ratePerSecond ? '' : ` for the ${figure(surelyRate)} req/s that surely come`}`;
  if (model === 'unknown')
    return `${load}; no request has been completed yet, so their service time is unknown`;
  const told = toldTarget(need, latency);
  if (need.reason === 'Latency' && told !== undefined) {
    const below = count > 1 ? `, ${predicted(model, ratePerSecond, count - 1, told)}` : '';
    const isEased = need.infeasible.some(({ percentile }) => percentile === told.percentile);
    const aim = isEased
      ? `${told.percentile} within ${easedShare[model.balancing]} times what the model alone takes`
      : promise(told);
    return `${load}; ${aim} needs ${count} (predicted ${told.percentile} ${predicted(model, ratePerSecond, count, told)}${below}${waitsSentence(model)}${isEased ? '' : nearlyAloneSentence(model, ratePerSecond, count, told)})`;
  }
  if (need.reason === 'Utilisation') {
    const allowed = figure(100 * busiestAllowed(model, count));
    return `${load}; at most ${allowed}% busy needs ${count}`;
  }
  const busy = figure(100 * utilisation(model, ratePerSecond, 1));
  const expectation =
    told === undefined
      ? `${busy}% busy`
      : `predicted ${told.percentile} ${predicted(model, ratePerSecond, 1, told)}${need.infeasible.includes(told) ? '' : nearlyAloneSentence(model, ratePerSecond, 1, told)}`;
  return `${load}; 1 is enough (${expectation})`;
}

/** Why a promise cannot be kept by any count. */
export function infeasibleSentence(target: LatencyTarget, model: QueueModel): string {
  const alone = latencySeconds(model, 0, 1, shareOf[target.percentile]);
  return `${promise(target)} cannot be kept by any number of replicas: the model alone takes ${seconds(alone)} at ${target.percentile}`;
}
