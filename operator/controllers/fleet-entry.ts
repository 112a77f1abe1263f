/** What the fleet loop remembers of one ModelDeployment. */
import type { AllocationDemand } from '../model/scaling/allocate.ts';
import type { HeadroomPeak } from '../model/scaling/headroom.ts';
import type { SleepState } from '../model/scaling/sleep.ts';
import type { ScalingState } from '../model/scaling/types.ts';
import { emptyWindow, type SloWindow } from '../model/scaling/window.ts';
import type { FleetDecision } from './fleet-decision.ts';
import type { Seen } from './fleet-rest.ts';

/** What reconcile was last woken for. */
export interface Told {
  readonly news: string;
  readonly verdict: string;
  readonly figures: string;
}

export interface FleetEntry {
  state: ScalingState;
  sleep: SleepState | undefined;
  window: SloWindow;
  decision: FleetDecision | undefined;
  /** What it asks of a cluster that is too small for all. */
  demand: AllocationDemand | undefined;
  /** The room that was kept lately. */
  headroomPeak: HeadroomPeak | undefined;
  /** What was last decided upon. */
  seen: Seen | undefined;
  /** Since when ready pods have been there of which none has ever answered. */
  unheardSinceMs: number | undefined;
  told: Told;
  toldAtMs: number;
}

/** Of a deployment that this process sees for the first time; `state`: what is known of it from before. */
export const newEntry = (state: ScalingState): FleetEntry => ({
  state,
  sleep: undefined,
  window: emptyWindow,
  decision: undefined,
  demand: undefined,
  headroomPeak: undefined,
  seen: undefined,
  unheardSinceMs: undefined,
  told: { news: '', verdict: '', figures: '' },
  toldAtMs: Number.NEGATIVE_INFINITY,
});
