/** What a simulated ModelDeployment is made of, and what it tells of each second. */
import type { BatchCosts } from '../crds/wire.ts';
import type { Seconds } from './distributions.ts';
import type { MachineConfig } from './machine.ts';
import type { Trace } from './traffic/arrivals.ts';

export type Balancing = 'gateway' | 'random' | 'round-robin' | 'p2c';

export interface DeploymentConfig {
  readonly trace: Trace;
  readonly service: Seconds;
  readonly startup: Seconds;
  readonly sloMs: number;
  /** Requests that a pod serves at once. */
  readonly slots: number;
  /** Cores that a busy slot really uses, as an autoscaler on CPU sees it: less where it waits, more where serving costs beside; 1. */
  readonly coresPerBusySlot?: number | undefined;
  /** Largest batch of a slot, and what one of b requests takes: (1 - share) + share·b times the request's own time. */
  readonly batch?: { readonly maxSize: number; readonly share: number } | undefined;
  readonly balancing: Balancing;
  readonly shedAt: 'Timeout' | 'SLA';
  /** `traffic.timeout`; default: the larger of 1 s and 10 times the promise. */
  readonly timeoutMs?: number | undefined;
  readonly maxQueue?: number | undefined;
  /** From deletion to the pod's room being free again, beyond the requests that it still serves. */
  readonly drainSeconds: number;
  /** Pods that the cluster has room for, those that end included. */
  readonly clusterPods: number;
  readonly initialReplicas: number;
  /** Requests that the gateway gives to a pod beyond its slots are the pod's own queue: as routers without late binding do. */
  readonly outstandingPerPod?: number | undefined;
  /** One machine that all pods share with whatever else runs there; undefined: each pod has cores of its own. */
  readonly machine?: MachineConfig | undefined;
  /** How many times as long a new pod's first, second, … request takes; those that are there at the beginning are warm. */
  readonly firstRequests?: readonly number[] | undefined;
  /** Scale to zero: the gateway itself asks for a first pod when a request finds none asked for. */
  readonly wakes?: boolean | undefined;
  readonly seed: number;
}

/** What a pod of this deployment says that its batches cost; undefined without any. */
export function batchCostsOf({ batch, service }: DeploymentConfig): BatchCosts | undefined {
  if (batch === undefined || batch.maxSize < 2) return undefined;
  const oneMs = 1_000 * service.mean;
  const fullMs = oneMs * (1 - batch.share + batch.share * batch.maxSize);
  return { requests: batch.maxSize, oneMs, fullMs };
}

/** What one second held, for all policies: all are means or sums of that second. */
export interface SecondOfAll {
  readonly arrivals: number;
  readonly completions: number;
  readonly rejected: number;
  /** Mean number of requests that waited or were served. */
  readonly concurrency: number;
  readonly busySeconds: number;
  readonly serviceSum: number;
  readonly serviceSquares: number;
  readonly mostWaiting: number;
  readonly ready: number;
  readonly replicas: number;
}
