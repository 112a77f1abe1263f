/** The scaling decision: pure, its clock is data, its memory is returned. */
import { emptyRing } from './ring.ts';
import type { Decision, Observation, ScalingInput, ScalingState } from './types.ts';

/** Memory of a deployment that was never seen before. */
export const initialState: ScalingState = {
  replicas: undefined,
  instances: new Map(),
  ring: emptyRing,
  burstiness: 1,
  burstinessAtMs: 0,
  service: 'unknown',
  recommendations: [],
  lastDownAtMs: undefined,
  rejectedReadings: 0,
};

/** How many replicas run, why, and what to remember. Under 1 ms at 200 replicas. */
export function decide(
  state: ScalingState,
  observation: Observation,
  input: ScalingInput,
  _nowMs: number,
): Decision {
  const why = { inputs: {}, freshness: 'none', needed: 'unknown', limited: undefined } as const;
  const done = (
    replicas: number,
    reason: 'Fixed' | 'External' | 'Suspended' | 'HoldUnknown',
    sentence: string,
  ) => ({
    replicas,
    why: { ...why, reason, sentence },
    next: { ...state, replicas },
  });
  if (input.suspended) return done(0, 'Suspended', 'spec.suspend is true: no replica runs');
  if (input.mode !== 'SLA')
    return done(input.fixedReplicas, input.mode, `spec.scaling.replicas is ${input.fixedReplicas}`);
  const seen = state.replicas ?? (observation.replicas === 'unknown' ? 0 : observation.replicas);
  const replicas = Math.min(Math.max(seen, input.minReplicas), input.maxReplicas);
  return done(replicas, 'HoldUnknown', `no figures yet: ${replicas} held`);
}
