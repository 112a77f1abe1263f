/** A replay against real pods: what clients saw, and the pods that there were. */
import { request } from 'undici';
import { runLoad } from '../../cli/load/run-load.ts';
import type { LoadReport } from '../../crds/wire.ts';
import type { Pod } from '../../kube/objects.ts';
import type { Outcome } from '../../simulator/replay.ts';
import { isReady } from './embedded-bed.ts';
import { tellsUse, Use } from './machine-use.ts';
import { originOf } from './pod-ports.ts';
import { type Situations, situationsOf } from './situations.ts';

/** The part of an outcome that live runs and simulations share. */
export type LiveOutcome = Pick<
  Outcome,
  'policy' | 'requests' | 'violations' | 'replicaSeconds' | 'peakReplicas' | 'p50Ms' | 'p99Ms'
> & {
  /** Mean seconds of the pods' own service times in this run. */
  readonly serviceSeconds: number;
  /** Seconds of service of all pods together, and when the run began and ended by the clock. */
  readonly busySeconds: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Ready pods at the end of each second. */
  readonly ready: readonly number[];
  readonly situations: Situations;
  /** Cores in use on average, of the whole machine; undefined where the kernel does not tell. */
  readonly coresInUse: number | undefined;
  readonly errors: Readonly<Record<string, number>>;
};

export interface LiveRun {
  readonly policy: string;
  /** The infer URL. */
  readonly url: string;
  readonly body: string;
  readonly arrivalsMs: readonly number[];
  readonly seconds: number;
  readonly sloMs: number;
  readonly timeoutMs: number;
  /** Where it is no address of loopback, as a cluster's Service. */
  readonly allowRemote?: boolean;
  readonly pods: () => Promise<readonly Pod[]>;
}

/** Sums of service times over the lives of all pods that were read, by their process. */
export class ServiceSums {
  readonly #counters = new Map<string, LoadReport['counters']>();

  /** Reads the pods' load; one that does not answer is left out. */
  async read(pods: readonly Pod[]): Promise<void> {
    await Promise.all(
      pods.map(async (pod) => {
        const origin = originOf(pod, 'ops');
        if (origin === undefined) return;
        try {
          const answer = await request(`${origin}/load`, {
            signal: AbortSignal.timeout(1_000),
          });
          const { instance, counters } = (await answer.body.json()) as LoadReport;
          this.#counters.set(instance, counters);
        } catch {
          // It starts or ends.
        }
      }),
    );
  }

  /** Requests and seconds so far. */
  get total(): { count: number; seconds: number } {
    let [count, seconds] = [0, 0];
    for (const { serviceCount, serviceSumSeconds } of this.#counters.values()) {
      count += serviceCount;
      seconds += serviceSumSeconds;
    }
    return { count, seconds };
  }
}

/** Sends the arrivals and looks at the pods each second. Replica-seconds count pods with a node until they are gone. */
export async function runLive(run: LiveRun): Promise<LiveOutcome> {
  const { policy, url, body, seconds, sloMs, timeoutMs, pods } = run;
  const latencies: number[] = [];
  let violations = 0;
  const sums = new ServiceSums();
  await sums.read(await pods());
  const before = sums.total;
  const fromMs = Date.now();
  const ready: number[] = [];
  const starting: number[] = [];
  const bad: number[] = [];
  const total: number[] = [];
  const use = tellsUse() ? new Use() : undefined;
  let replicaSeconds = 0;
  let peakReplicas = 0;
  let looked = performance.now();
  let looking = Promise.resolve();
  const look = async () => {
    const there = (await pods()).filter(({ spec }) => spec.nodeName !== undefined);
    const now = performance.now();
    replicaSeconds += (there.length * (now - looked)) / 1_000;
    looked = now;
    peakReplicas = Math.max(peakReplicas, there.length);
    ready.push(there.filter(isReady).length);
    // By the clock, not by looks: a look that came late or failed stands for the seconds before it too.
    const second = Math.floor((Date.now() - fromMs) / 1_000);
    const start = there.filter((pod) => pod.metadata.deletionTimestamp === undefined && !isReady(pod)).length;
    while (starting.length < second) starting.push(start);
    if (ready.length % 3 === 0) await sums.read(there);
  };
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => undefined);
  }, 1_000);
  try {
    const result = await runLoad({
      url,
      body,
      rps: 1,
      seconds,
      timeoutMs,
      arrivalsMs: run.arrivalsMs,
      allowRemote: run.allowRemote === true,
      onAnswer: (dueMs, latencyMs) => {
        if (latencyMs !== undefined) latencies.push(latencyMs);
        const second = Math.max(0, Math.floor(dueMs / 1_000));
        while (total.length <= second) {
          total.push(0);
          bad.push(0);
        }
        total[second] = (total[second] ?? 0) + 1;
        if (latencyMs !== undefined && latencyMs <= sloMs) return;
        violations += 1;
        bad[second] = (bad[second] ?? 0) + 1;
      },
    });
    clearInterval(timer);
    const coresInUse = use === undefined ? undefined : use.coreSeconds / use.seconds;
    await looking;
    await look();
    await sums.read(await pods());
    const { count, seconds: sum } = sums.total;
    latencies.sort((one, other) => one - other);
    const at = (share: number) => latencies[Math.floor(share * latencies.length)] ?? Number.NaN;
    return {
      policy,
      requests: result.sent,
      violations: result.sent === 0 ? 0 : violations / result.sent,
      replicaSeconds,
      peakReplicas,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      serviceSeconds: count > before.count ? (sum - before.seconds) / (count - before.count) : Number.NaN,
      busySeconds: sum - before.seconds,
      fromMs,
      toMs: Date.now(),
      ready,
      situations: situationsOf(bad, total, starting),
      coresInUse,
      errors: result.errors,
    };
  } finally {
    clearInterval(timer);
  }
}
