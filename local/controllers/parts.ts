/** What every controller is handed. */
import type { Clock } from '../../kube/clock.ts';
import type { ClusterCache } from './cache.ts';
import type { EventLog } from './events.ts';

export interface ControllerParts {
  readonly cache: ClusterCache;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}
