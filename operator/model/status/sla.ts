/** Promise and measurement: the figures of `status.sla`, the condition SLAMet and what is left of the error budget. */
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import type { ModelDeploymentSpec } from '../../../crds/types.ts';
import { percentFraction } from '../../../crds/values.ts';
import type { Measured } from '../scaling/measured.ts';
import { latencyTargetsOf } from '../scaling/spec.ts';
import type { Known, Percentile } from '../scaling/types.ts';
import { type ConditionValue, no, unknown, yes } from './conditions.ts';
import { formatLatency, formatPercent, formatShare } from './rounding.ts';

/** Share of requests that a percentile lets be late. */
const allowedLate: Readonly<Record<Percentile, number>> = { p50: 0.5, p90: 0.1, p95: 0.05, p99: 0.01 };

/** One promise beside what was measured. */
interface Verdict {
  /** `p95 50ms` */
  readonly promised: string;
  /** `41ms` */
  readonly measured: string;
  /** Requests that were late or failed. */
  readonly wrong: number;
  /** Share of the budget that was used: above 1 the promise is broken. */
  readonly used: number;
}

/** Budget used: nothing allowed and nothing wrong is 0, nothing allowed and something wrong is all of it and more. */
const usedShare = (wrong: number, allowed: number) =>
  allowed > 0 ? wrong / allowed : wrong > 0 ? Number.POSITIVE_INFINITY : 0;

function verdicts(spec: ModelDeploymentSpec, measured: Measured): Verdict[] {
  const found: Verdict[] = [];
  for (const { percentile, targetMs } of latencyTargetsOf(spec)) {
    const late = measured.lateShare[percentile] ?? 'unknown';
    const latencyMs = measured.latencyMs[percentile];
    if (late === 'unknown' || latencyMs === 'unknown') continue;
    found.push({
      promised: `${percentile} ${formatLatency(targetMs)}`,
      measured: formatLatency(latencyMs),
      wrong: Math.round(late * measured.requests),
      used: usedShare(late, allowedLate[percentile]),
    });
  }
  const promised = spec.sla?.errorRate;
  if (promised !== undefined && measured.errorRate !== 'unknown')
    found.push({
      promised: `error rate ${promised}`,
      measured: formatPercent(measured.errorRate),
      wrong: Math.round(measured.errorRate * measured.requests),
      used: usedShare(measured.errorRate, percentFraction(promised)),
    });
  return found;
}

/** Whether broken promises were broken by more than one request. */
const isJudged = (broken: readonly Verdict[]) => broken.some((verdict) => verdict.wrong > 1);

const isPromised = (spec: ModelDeploymentSpec) =>
  latencyTargetsOf(spec).length > 0 || spec.sla?.errorRate !== undefined;

/** Whether figures exist that may be judged: all pods silent is not the same as no request. */
const isMeasured = (measured: Known<Measured>): measured is Measured =>
  measured !== 'unknown' && (measured.readyPods === 0 || measured.freshPods > 0);

/**
 * | promised | pods answer | requests | every budget used ≤ 1    | SLAMet                  |
 * | no       | any         | any      | –                        | Unknown, NotPromised    |
 * | yes      | no          | –        | –                        | Unknown, MetricsUnknown |
 * | yes      | yes         | 0        | –                        | Unknown, NoTraffic      |
 * | yes      | yes         | > 0      | yes                      | True, Met               |
 * | yes      | yes         | > 0      | no, by a single request  | Unknown, NoTraffic      |
 * | yes      | yes         | > 0      | no, by two or more       | False, Violated         |
 *
 * One late request among a few, such as the very first one, breaks every percentile and proves nothing.
 */
export function slaMet(spec: ModelDeploymentSpec, measured: Known<Measured>): ConditionValue {
  if (!isPromised(spec))
    return unknown('NotPromised', 'spec.sla promises neither a latency nor an error rate');
  const window = spec.sla?.window ?? '5m';
  if (!isMeasured(measured)) return unknown('MetricsUnknown', 'no pod answered with fresh figures');
  if (measured.requests === 0) return unknown('NoTraffic', `no request in the last ${window}`);
  const all = verdicts(spec, measured);
  if (all.length === 0) return unknown('MetricsUnknown', 'the pods’ figures do not cover what is promised');
  const broken = all.filter((verdict) => verdict.used > 1);
  if (broken.length > 0 && !isJudged(broken))
    return unknown('NoTraffic', `too few requests to judge: ${measured.requests} in the last ${window}`);
  const told = (broken.length > 0 ? broken : all)
    .map(({ promised, measured: got }) => `promised ${promised}, measured ${got}`)
    .join('; ');
  return broken.length > 0
    ? no('Violated', `${told} over the last ${window}`)
    : yes('Met', `${told} over the last ${window}`);
}

/** What is left of the error budget of the promise that is nearest to its end, 0 to 1; undefined where none is judged. */
export function budgetLeftOf(spec: ModelDeploymentSpec, measured: Measured): number | undefined {
  const all = verdicts(spec, measured);
  const broken = all.filter((verdict) => verdict.used > 1);
  if (measured.requests === 0 || all.length === 0 || (broken.length > 0 && !isJudged(broken)))
    return undefined;
  return Math.max(0, 1 - Math.max(...all.map((verdict) => verdict.used)));
}

/** `status.sla`; undefined where nothing is promised and nothing measured. */
export function slaStatus(
  spec: ModelDeploymentSpec,
  measured: Known<Measured>,
): ModelDeploymentStatus['sla'] | undefined {
  const window = spec.sla?.window ?? '5m';
  if (!isMeasured(measured)) return isPromised(spec) ? { window } : undefined;
  const figures: NonNullable<ModelDeploymentStatus['sla']> = { window, requests: measured.requests };
  for (const [percentile, ms] of Object.entries(measured.latencyMs)) {
    if (ms !== 'unknown') figures[percentile as Percentile] = formatLatency(ms);
  }
  if (measured.errorRate !== 'unknown') figures.errorRate = formatPercent(measured.errorRate);
  const left = budgetLeftOf(spec, measured);
  if (left !== undefined) figures.budgetLeft = formatShare(left);
  return figures;
}

/** Column of `kubectl get`. */
export const slaColumn = (condition: ConditionValue): string =>
  condition.reason === 'NotPromised'
    ? '-'
    : { True: 'Met', False: 'Violated', Unknown: 'Unknown' }[condition.status];
