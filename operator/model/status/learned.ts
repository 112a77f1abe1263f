/** `status.scaling.learned`: what an operator that begins anew could not know at once. `scaling/restore.ts` reads it. */
import type { LearnedStatus } from '../../../crds/status.ts';
import { provenErrors } from '../scaling/forecast.ts';
import type { FullStep } from '../scaling/types.ts';
import type { ScalingMemory } from '../snapshot.ts';
import { timestamp } from './rounding.ts';

/** Three significant digits: what is learned is no better known than that. */
const figure = (value: number): string => String(Number(value.toPrecision(3)));

/** What is worth keeping; undefined while nothing is known. `before`: what status has of it. */
export function learnedStatus(
  before: LearnedStatus | undefined,
  memory: ScalingMemory | undefined,
): LearnedStatus | undefined {
  if (memory === undefined) return before;
  const { state, at, atMs } = memory;
  const { revision, service, learned, forecast, keptMargin } = state;
  if (revision === undefined) return undefined;
  const own = before?.revision === revision ? before : undefined;
  const isOwn = learned.revision === revision;
  const { waits } = learned;
  const full = (step: FullStep) => ({
    at: timestamp(at - (atMs - step.atMs)),
    replicas: step.replicas,
    perSecond: figure(step.perSecond),
    serviceSeconds: figure(step.serviceSeconds),
    busyShare: figure(step.busyShare),
    answers: Math.max(1, Math.round(step.answers)),
  });
  const isProven = forecast?.margin !== undefined && forecast.errors.length >= provenErrors;
  const margin = isProven
    ? { at: timestamp(at), margin: figure(forecast.margin) }
    : keptMargin === undefined
      ? undefined
      : own?.forecast;
  const kept: Omit<LearnedStatus, 'at' | 'revision'> = {
    ...(service === 'unknown' || state.serviceRevision !== revision
      ? {}
      : { service: { meanSeconds: figure(service.meanSeconds), scv: figure(service.scv) } }),
    ...(isOwn && waits.stretches > 0
      ? { waits: { factor: figure(waits.factor), stretches: waits.stretches } }
      : {}),
    ...(margin === undefined ? {} : { forecast: margin }),
    ...(isOwn && learned.capacity.steps.length > 0 ? { full: learned.capacity.steps.map(full) } : {}),
  };
  if (Object.keys(kept).length === 0) return undefined;
  // What was read back and not seen again since is as old as it was.
  const isRead = waits.isUnproven === true && own !== undefined;
  return { at: isRead ? own.at : timestamp(at), revision, ...kept };
}
