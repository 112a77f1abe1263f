/** Service and start-up times of the very pods that a run uses, measured just before it, on the machine as it is then. */
import { request } from 'undici';
import type { Pod } from '../../kube/objects.ts';
import { isReady, until } from './embedded-bed.ts';
import { ServiceSums } from './live-run.ts';

export interface Calibration {
  /** Seconds that a client waits for an answer while nothing else is asked, the way to the pod included. */
  readonly service: readonly number[];
  /** Mean of the pods' own service times meanwhile. */
  readonly podServiceSeconds: number;
  /** Seconds from the API server's having a pod to Ready. */
  readonly startup: readonly number[];
  /** Seconds from asking for a replica to the API server's having its pod. The simulator's pods are there at once, so their starts are this much longer. */
  readonly reaction: readonly number[];
  /** Seconds from asking for fewer replicas to the pods' being gone. */
  readonly drainSeconds: number;
}

export interface Calibrated {
  readonly url: string;
  readonly body: string;
  readonly pods: () => Promise<readonly Pod[]>;
  /** Sets the replicas of a Fixed deployment. */
  readonly scale: (replicas: number) => Promise<void>;
  readonly requests?: number;
  readonly starts?: number;
}

/** Seconds from asking for a replica to Ready. */
export const wholeStarts = ({ startup, reaction }: Pick<Calibration, 'startup' | 'reaction'>): number[] =>
  startup.map((seconds, index) => seconds + (reaction[index] ?? 0));

/** Asks one request at a time, then lets a few pods start one after the other, and goes back to one. */
export async function calibrate(setup: Calibrated): Promise<Calibration> {
  const { url, body, pods, scale, requests = 300, starts = 5 } = setup;
  const sums = new ServiceSums();
  const service: number[] = [];
  for (let index = 0; index < requests + 30; index += 1) {
    if (index === 30) await sums.read(await pods());
    const sentMs = performance.now();
    const answer = await request(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text}`);
    if (index >= 30) service.push((performance.now() - sentMs) / 1_000);
  }
  const before = sums.total;
  await sums.read(await pods());
  const after = sums.total;
  const startup: number[] = [];
  const reaction: number[] = [];
  for (let replicas = 2; replicas <= starts + 1; replicas += 1) {
    const askedMs = performance.now();
    await scale(replicas);
    let seenMs: number | undefined;
    await until(`${replicas} ready pods`, async () => {
      const there = await pods();
      if (there.length >= replicas) seenMs ??= performance.now();
      return there.filter(isReady).length >= replicas;
    });
    const readyMs = performance.now();
    startup.push((readyMs - (seenMs ?? readyMs)) / 1_000);
    reaction.push(((seenMs ?? readyMs) - askedMs) / 1_000);
  }
  const fewerMs = performance.now();
  await scale(1);
  await until('one pod alone', async () => (await pods()).length === 1);
  return {
    service,
    podServiceSeconds: (after.seconds - before.seconds) / Math.max(1, after.count - before.count),
    startup,
    reaction,
    drainSeconds: (performance.now() - fewerMs) / 1_000,
  };
}
