/** What every pod of the kubelet shares. */
import type { Clock } from '../../kube/clock.ts';
import type { ClusterCache } from '../controllers/cache.ts';
import type { EventLog } from '../controllers/events.ts';
import type { Reaper } from '../reaper.ts';
import type { PodAddresses } from './addresses.ts';
import type { BackoffLimits } from './backoff.ts';
import type { ImageMap } from './image-map.ts';
import type { MemoryWatch } from './memory.ts';

export interface KubeletContext {
  readonly cache: ClusterCache;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly nodeName: string;
  readonly hostIP: string;
  readonly images: ImageMap;
  readonly reaper: Reaper;
  readonly memory: MemoryWatch;
  readonly addresses: PodAddresses;
  readonly backoff: BackoffLimits;
  /** One folder per pod, by uid. */
  readonly podsFolder: string;
  claimFolder(namespace: string, name: string): string;
  /** What a serviceAccountToken file holds. */
  readonly token: string;
}
