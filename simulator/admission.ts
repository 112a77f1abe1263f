/** The gateway's rules of waiting (DESIGN §4), on simulated time. */
import type { DeploymentConfig } from './deployment-config.ts';

/** Part of the promise, and of the time that is left, that a predicted wait is held to. */
const promiseShare = 0.8;
const deadlineShare = 0.9;
const defaultMaxQueue = 10_000;

/** `traffic.timeout` in seconds: as written, else the larger of 1 s and 10 times the promise. */
export const timeoutSeconds = ({ timeoutMs, sloMs }: DeploymentConfig): number =>
  (timeoutMs ?? Math.max(1_000, 10 * sloMs)) / 1_000;

/** What a request takes of a slot, seconds: with batches, its share of a full batch. */
function serviceSeconds({ batch, service }: DeploymentConfig): number {
  if (batch === undefined) return service.mean;
  return (service.mean * (1 - batch.share + batch.share * batch.maxSize)) / batch.maxSize;
}

/** Whether a request that finds no free slot may wait behind `waiting` others for one of `slots`. */
export function admits(waiting: number, slots: number, config: DeploymentConfig): boolean {
  if (waiting >= (config.maxQueue ?? defaultMaxQueue)) return false;
  if (waiting === 0 || slots === 0) return true;
  const service = serviceSeconds(config);
  const wait = ((waiting + 1) * service) / slots;
  const slo = config.sloMs / 1_000;
  if (config.shedAt === 'SLA' && wait > Math.max(promiseShare * slo - service, service)) return false;
  return wait + service <= deadlineShare * timeoutSeconds(config);
}
