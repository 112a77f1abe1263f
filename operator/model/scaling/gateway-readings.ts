/** From the gateways' reports to the deployment's memory: the offered load before admission, and what waits. */
import type { GatewayModelLoad } from '../../../crds/gateway-load.ts';
import { isFresh } from './readings.ts';
import type { PlacedSecond } from './ring.ts';
import { arrivalsIn, merge } from './ring.ts';
import type { GatewayMark, GatewayObservation, Observation, ScalingState } from './types.ts';

/** A process is remembered for longer than a report reaches back (120 s), so that no second is ever merged twice. */
const forgetAfterMs = 150_000;
const startSlackMs = 500;

/** What the gateways say together now; undefined where none has a fresh answer. */
export interface GatewayView {
  /** Offered arrivals per second of the last 2, 10 and 60 seconds. */
  readonly perSecond: readonly [last2: number, last10: number, last60: number];
  readonly lastSecond: number;
  /** Stands for gateways that were not heard. */
  readonly factor: number;
  /** Every gateway was heard. */
  readonly complete: boolean;
  readonly queueLength: number;
  readonly oldestWaitMs: number;
}

const modelOf = ({ report }: GatewayObservation): GatewayModelLoad | undefined => report.models[0];

/** A counter that went backwards within one process comes from a fault: the last good answer stays. */
const wentBack = (uptimeMs: number, arrivals: number, before: GatewayMark) =>
  uptimeMs < before.uptimeMs || arrivals < before.arrivals;

const isCount = (value: number) => Number.isFinite(value) && value >= 0;

const isSound = ({ queueLength, counters, seconds }: GatewayModelLoad) =>
  isCount(queueLength) &&
  isCount(counters.arrivals) &&
  seconds.every(
    (second) => isCount(second.arrivals) && isCount(second.serviceCount) && isCount(second.serviceSumSeconds),
  );

/** The state after these answers, and those of them that can be used now. */
export function absorbGateways(
  state: ScalingState,
  gateways: readonly GatewayObservation[],
  nowMs: number,
): { state: ScalingState; usable: readonly GatewayObservation[] } {
  if (gateways.length === 0 && state.gatewayMarks.size === 0) return { state, usable: [] };
  const marks = new Map(state.gatewayMarks);
  for (const [instance, { readAtMs }] of state.gatewayMarks)
    if (nowMs - readAtMs > forgetAfterMs) marks.delete(instance);
  const usable: GatewayObservation[] = [];
  const placed: PlacedSecond[] = [];
  let rejected = 0;
  let refused = 0;
  for (const gateway of gateways) {
    const { report, readAtMs } = gateway;
    const model = modelOf(gateway);
    if (model === undefined) continue;
    const before = marks.get(report.instance);
    if (before === undefined || readAtMs > before.readAtMs) {
      if (!isSound(model) || (before && wentBack(report.uptimeMs, model.counters.arrivals, before))) {
        rejected += 1;
        continue;
      }
      const seenStartMs = readAtMs - report.uptimeMs;
      const moved = before === undefined || Math.abs(before.startMs - seenStartMs) >= startSlackMs;
      const startMs = moved ? seenStartMs : before.startMs;
      const mergedEndMs = before?.mergedEndMs ?? 0;
      for (const second of model.seconds)
        if (second.endMs > mergedEndMs)
          placed.push({
            atMs: startMs + second.endMs,
            arrivals: second.arrivals,
            serviceCount: second.serviceCount,
            serviceSumSeconds: second.serviceSumSeconds,
            serviceSumSquares: second.serviceSumSquares,
          });
      const refusedNow = model.counters.rejected + model.counters.failed;
      if (before !== undefined) refused += Math.max(0, refusedNow - before.refused);
      const newestMs = Math.max(mergedEndMs, model.seconds.at(-1)?.endMs ?? 0);
      marks.set(report.instance, {
        readAtMs,
        uptimeMs: report.uptimeMs,
        arrivals: model.counters.arrivals,
        refused: refusedNow,
        startMs,
        mergedEndMs: newestMs,
        toldEndMs: Math.max(newestMs, Math.floor(report.uptimeMs / 1_000) * 1_000),
      });
      // Idle seconds are left out of a report: the oldest that it would tell of is known all the same.
      const firstMs = startMs + Math.max(0, report.uptimeMs - 120_000);
      if (before === undefined)
        placed.push({
          atMs: firstMs + 1_000,
          arrivals: 0,
          serviceCount: 0,
          serviceSumSeconds: 0,
          serviceSumSquares: 0,
        });
    }
    if (isFresh(gateway, nowMs)) usable.push(gateway);
  }
  return {
    state: {
      ...state,
      gatewayMarks: marks,
      gatewayRing: merge(state.gatewayRing, placed),
      refusedByGateways: state.refusedByGateways + refused,
      rejectedReadings: state.rejectedReadings + rejected,
    },
    usable,
  };
}

/** What the fresh gateways say together. */
export function viewOf(
  state: ScalingState,
  usable: readonly GatewayObservation[],
  observation: Observation,
): GatewayView | undefined {
  if (usable.length === 0) return undefined;
  let lastSecond = Number.POSITIVE_INFINITY;
  let queueLength = 0;
  let oldestWaitMs = 0;
  for (const gateway of usable) {
    const mark = state.gatewayMarks.get(gateway.report.instance);
    const model = modelOf(gateway);
    if (mark === undefined || model === undefined) continue;
    lastSecond = Math.min(lastSecond, Math.floor((mark.startMs + mark.toldEndMs) / 1_000));
    queueLength += model.queueLength;
    oldestWaitMs = Math.max(oldestWaitMs, model.oldestWaitMs);
  }
  if (!Number.isFinite(lastSecond)) return undefined;
  const expected = Math.max(
    observation.expectedGateways ?? 0,
    observation.gateways?.length ?? 0,
    usable.length,
  );
  const factor = expected / usable.length;
  const { gatewayRing: ring } = state;
  const covered = lastSecond - Math.floor(ring.firstMs / 1_000);
  const toldEnds = [...state.gatewayMarks.values()].map((mark) =>
    Math.floor((mark.startMs + mark.toldEndMs) / 1_000),
  );
  /** A gateway that fell silent is in the ring until then; from then on the others stand for it. */
  const arrivals = (seconds: number) => {
    if (factor === 1) return arrivalsIn(ring, lastSecond, seconds);
    let sum = 0;
    for (let second = lastSecond; second > lastSecond - seconds; second -= 1) {
      const told = Math.min(expected, toldEnds.filter((end) => end >= second).length);
      sum += (arrivalsIn(ring, second, 1) * expected) / Math.max(1, told);
    }
    return sum;
  };
  const rate = (seconds: number) => arrivals(seconds) / Math.max(1, Math.min(seconds, covered));
  return {
    perSecond: [rate(2), rate(10), rate(60)],
    lastSecond,
    factor,
    complete: factor === 1,
    queueLength: queueLength * factor,
    oldestWaitMs,
  };
}
