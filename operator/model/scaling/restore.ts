/**
 * What was learned before the operator began anew, read back from status. Whoever wrote it, it is taken for a hint: a figure
 * that is none, out of bounds, old or of the future drops its block, and none is a reason for fewer replicas by itself.
 */
import { decimalPattern } from '../../../crds/values.ts';
import { largestScv } from './by-revision.ts';
import { noCapacity } from './capacity.ts';
import { initialState } from './decide.ts';
import { mostReplicas } from './sizing.ts';
import type { CapacityLearned, FullStep, ScalingState, ServiceEstimate, WaitsLearned } from './types.ts';
import { leastFactor, mostFactor, noWaits } from './waits.ts';

/** A service time is the revision's own; what else was learned is the traffic's and the machines' too. */
const serviceAgeMs = 24 * 3_600_000;
const waitsAgeMs = 3_600_000;
const fullAgeMs = 3_600_000;
const marginAgeMs = 20 * 60_000;
/** Clocks of two machines differ by no more than this. */
const skewMs = 5_000;
const mostFull = 8;
const longestSeconds = 3_600;

const decimal = new RegExp(decimalPattern);
const timePattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$/;
const revisionPattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

type Block = Readonly<Record<string, unknown>>;

const isBlock = (value: unknown): value is Block =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A number, or a text of one, within these limits. */
function numberIn(value: unknown, least: number, most: number): number | undefined {
  const is = typeof value === 'string' && decimal.test(value) ? Number(value) : value;
  return typeof is === 'number' && is >= least && is <= most ? is : undefined;
}

const wholeIn = (value: unknown, least: number, most: number): number | undefined => {
  const is = numberIn(value, least, most);
  return is !== undefined && Number.isInteger(is) ? is : undefined;
};

/** How long ago a time of the wall clock was; undefined for none, for one of the future, and beyond `most`. */
function ageOf(time: unknown, wallMs: number, mostMs: number): number | undefined {
  const ageMs = typeof time === 'string' && timePattern.test(time) ? wallMs - Date.parse(time) : Number.NaN;
  return ageMs >= -skewMs && ageMs <= mostMs ? Math.max(0, ageMs) : undefined;
}

function serviceIn(block: unknown): ServiceEstimate | undefined {
  if (!isBlock(block)) return undefined;
  const meanSeconds = numberIn(block.meanSeconds, 1e-6, longestSeconds);
  const scv = numberIn(block.scv, 0, largestScv);
  return meanSeconds === undefined || scv === undefined ? undefined : { meanSeconds, scv };
}

function waitsIn(block: unknown): WaitsLearned | undefined {
  if (!isBlock(block)) return undefined;
  const factor = numberIn(block.factor, leastFactor, mostFactor);
  const stretches = wholeIn(block.stretches, 1, 1e9);
  if (factor === undefined || stretches === undefined) return undefined;
  return { factor, stretches, stretch: undefined, isUnproven: true };
}

function fullStepIn(block: unknown, wallMs: number, nowMs: number): FullStep | undefined {
  if (!isBlock(block)) return undefined;
  const ageMs = ageOf(block.at, wallMs, fullAgeMs);
  const replicas = wholeIn(block.replicas, 1, mostReplicas);
  const perSecond = numberIn(block.perSecond, 1e-3, 1e9);
  const serviceSeconds = numberIn(block.serviceSeconds, 1e-6, longestSeconds);
  const busyShare = numberIn(block.busyShare, 0, 1);
  const answers = wholeIn(block.answers, 1, 1e9);
  if (
    ageMs === undefined ||
    replicas === undefined ||
    perSecond === undefined ||
    serviceSeconds === undefined ||
    busyShare === undefined ||
    answers === undefined
  )
    return undefined;
  // No step of this process has its number.
  return { step: -1, atMs: nowMs - ageMs, replicas, perSecond, serviceSeconds, busyShare, answers };
}

function capacityIn(list: unknown, wallMs: number, nowMs: number): CapacityLearned {
  if (!Array.isArray(list) || list.length > mostFull) return noCapacity;
  const steps = list.map((block) => fullStepIn(block, wallMs, nowMs));
  const sound = steps.filter((step) => step !== undefined);
  const counts = new Set(sound.map(({ replicas }) => replicas));
  if (sound.length < steps.length || counts.size < sound.length) return noCapacity;
  return { full: undefined, steps: sound.toSorted((one, other) => one.atMs - other.atMs) };
}

/**
 * The scaler's first memory of a deployment: `learned` is `status.scaling.learned` as it was found, `wallMs` and `nowMs` are
 * the same moment on the wall clock and on the monotonic one. Whether the revision still serves shows with the first pods.
 */
export function restoredState(learned: unknown, wallMs: number, nowMs: number): ScalingState {
  if (!isBlock(learned)) return initialState;
  const { revision } = learned;
  if (typeof revision !== 'string' || !revisionPattern.test(revision)) return initialState;
  const within = (mostMs: number) => ageOf(learned.at, wallMs, mostMs) !== undefined;
  const service = within(serviceAgeMs) ? serviceIn(learned.service) : undefined;
  const waits = within(waitsAgeMs) ? waitsIn(learned.waits) : undefined;
  const capacity = capacityIn(learned.full, wallMs, nowMs);
  const forecast = isBlock(learned.forecast) ? learned.forecast : {};
  const margin = numberIn(forecast.margin, 0, 1e3);
  const marginMs = ageOf(forecast.at, wallMs, marginAgeMs);
  const isLearned = waits !== undefined || capacity.steps.length > 0;
  if (service === undefined && !isLearned && (margin === undefined || marginMs === undefined))
    return initialState;
  return {
    ...initialState,
    revision,
    ...(service === undefined ? {} : { service, serviceRevision: revision }),
    ...(isLearned ? { learned: { revision, waits: waits ?? noWaits, capacity } } : {}),
    ...(margin === undefined || marginMs === undefined
      ? {}
      : { keptMargin: { margin, untilMs: nowMs + marginAgeMs - marginMs } }),
  };
}
