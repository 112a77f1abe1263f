/** What the fleet loop decided of one ModelDeployment, for whoever writes, tells or measures it. */
import type { WayMeasured } from '../model/gateway/way-measured.ts';
import type { Measured } from '../model/scaling/measured.ts';
import type { Known, Why } from '../model/scaling/types.ts';
import type { ScalingMemory } from '../model/snapshot.ts';

export interface FleetDecision {
  readonly replicas: number;
  readonly why: Why;
  /** The last decision that changed the count, for `status.scaling.lastDecision`; undefined when this process made none. */
  readonly lastChange: FleetChange | undefined;
  /** The last ten such decisions of this process, the newest first. */
  readonly recentChanges: readonly FleetChange[];
  readonly measured: Measured;
  /** What `traffic.path: Auto` turns on; absent where the way is not chosen. */
  readonly way?: WayMeasured;
  /** Replicas to keep room for beside them; absent where none is wished. */
  readonly headroom?: Known<number>;
  /** What the scaler remembers after it. */
  readonly memory: ScalingMemory;
}

export interface FleetChange {
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  readonly replicas: number;
  readonly previousReplicas: number;
  readonly why: Why;
  /** Who wrote it, in mode External. */
  readonly by?: string | undefined;
}
