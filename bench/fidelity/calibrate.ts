/** What the simulator is told of the very pods and the machine that a run uses, measured just before it. */
import { availableParallelism } from 'node:os';
import { Agent, request } from 'undici';
import type { Pod } from '../../kube/objects.ts';
import type { MachineConfig } from '../../simulator/machine.ts';
import { isReady, until } from './embedded-bed.ts';
import { ServiceSums } from './live-run.ts';
import { coresOverTime, tellsUse, Use } from './machine-use.ts';
import { cpuSeconds, inferUrlOf } from './pod-ports.ts';

export interface Calibration {
  /** Seconds that a client waits for an answer while nothing else is asked, the way to the pod included. */
  readonly service: readonly number[];
  /** Mean of the pods' own service times meanwhile. */
  readonly podServiceSeconds: number;
  /** Cores that a pod's process used of the time that clients waited, by its own count: what an autoscaler on CPU sees. */
  readonly coresPerBusySlot: number;
  /** Seconds from the API server's having a pod to Ready. */
  readonly startup: readonly number[];
  /** Seconds from asking for a replica to the API server's having its pod. The simulator's pods are there at once, so their starts are this much longer. */
  readonly reaction: readonly number[];
  /** How many times as long as later ones a new pod's first, second, … request took, on average of those that started. */
  readonly firstRequests: readonly number[];
  /** Seconds from asking for fewer replicas to the pods' being gone. */
  readonly drainSeconds: number;
  /** Undefined where the kernel does not tell how busy its cores are. */
  readonly machine: MachineConfig | undefined;
}

export interface Calibrated {
  readonly url: string;
  /** The model's name, as a pod that is asked itself knows it. */
  readonly model: string;
  readonly body: string;
  readonly pods: () => Promise<readonly Pod[]>;
  /** Sets the replicas of a Fixed deployment. */
  readonly scale: (replicas: number) => Promise<void>;
  readonly requests?: number;
  readonly starts?: number;
  /** Of the time in which nothing is asked and only the machine is looked at; 15. */
  readonly idleSeconds?: number;
}

/** Requests that a new pod is asked for, and those of them that count as a warm pod's. */
const firstAsked = 40;
const warmFrom = 20;
const stepSeconds = 0.05;
/** A pod that is ready keeps cluster and operator busy for a moment more: that is of its start too. */
const settleSeconds = 1;

const meanOf = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
const middle = (values: readonly number[]) =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Seconds from asking for a replica to Ready. */
export const wholeStarts = ({ startup, reaction }: Pick<Calibration, 'startup' | 'reaction'>): number[] =>
  startup.map((seconds, index) => seconds + (reaction[index] ?? 0));

/** Asks one request and returns how long it took, seconds. Each has a connection of its own, as the load's have. */
async function ask(url: string, body: string, dispatcher: Agent): Promise<number> {
  const sentMs = performance.now();
  const answer = await request(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
    dispatcher,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text}`);
  return (performance.now() - sentMs) / 1_000;
}

/** By position of the request, on average of all pods: how many times as long as the middle of the later ones. */
export function slownessOf(pods: readonly (readonly number[])[]): number[] {
  const relative = pods.map((times) => {
    const warm = middle(times.slice(warmFrom));
    return times.map((one) => one / warm);
  });
  return Array.from({ length: warmFrom }, (_, index) =>
    Math.max(1, meanOf(relative.map((times) => times[index] ?? 1))),
  );
}

/** How fast a pod serves while as many as there are cores serve all the time, over one alone. */
async function speedTogether(
  urls: readonly string[],
  alone: number,
  body: string,
  agent: Agent,
): Promise<number> {
  const each = await Promise.all(
    urls.map(async (url) => {
      const times: number[] = [];
      while (times.length < firstAsked) times.push(await ask(url, body, agent));
      return middle(times);
    }),
  );
  return alone / meanOf(each);
}

/** Cores in use while nothing is asked; meanwhile pods are looked at each second, as in the run. */
async function coresAtRest(
  pods: Calibrated['pods'],
  seconds: number,
): Promise<readonly number[] | undefined> {
  if (!tellsUse()) return undefined;
  const timer = setInterval(() => void pods().catch(() => undefined), 1_000);
  try {
    return await coresOverTime(stepSeconds, Math.round(seconds / stepSeconds));
  } finally {
    clearInterval(timer);
  }
}

/** Asks one request at a time, then lets a few pods start one after the other, and goes back to one. */
export async function calibrate(setup: Calibrated): Promise<Calibration> {
  const { url, model, body, pods, scale, requests = 300, starts = 5, idleSeconds = 15 } = setup;
  const agent = new Agent({ pipelining: 1, maxRequestsPerClient: 1 });
  const sums = new ServiceSums();
  try {
    for (let index = 0; index < 30; index += 1) await ask(url, body, agent);
    const rest = await coresAtRest(pods, idleSeconds);
    const restCores = rest === undefined ? 0 : meanOf(rest);
    const beyondRest = (use: Use | undefined) => use?.beyond(restCores) ?? 0;
    const counting = () => (rest === undefined ? undefined : new Use());

    await sums.read(await pods());
    const before = { ...sums.total, cpu: await cpuSeconds(await pods()) };
    const serving = counting();
    const service: number[] = [];
    while (service.length < requests) service.push(await ask(url, body, agent));
    const served = service.reduce((sum, one) => sum + one, 0);
    const beyondServing = beyondRest(serving);
    const cpu = (await cpuSeconds(await pods())) - before.cpu;
    // Where others leave nothing free, more use by one is less by them: no less than the pod itself counts.
    const coresServing = Math.max(beyondServing, cpu) / served;
    await sums.read(await pods());
    const { count, seconds } = sums.total;

    const startup: number[] = [];
    const reaction: number[] = [];
    const startCores: number[] = [];
    const firsts: number[][] = [];
    let speedWhenFull = 1;
    const known = new Set((await pods()).map(({ metadata }) => metadata.name));
    for (let replicas = 2; replicas <= starts + 1; replicas += 1) {
      const starting = counting();
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
      await new Promise((resolve) => setTimeout(resolve, 1_000 * settleSeconds));
      const beyondStart = beyondRest(starting);
      const fresh = (await pods()).find(({ metadata }) => !known.has(metadata.name));
      known.add(fresh?.metadata.name);
      const ownStart = fresh === undefined ? 0 : await cpuSeconds([fresh]).catch(() => 0);
      startCores.push(Math.max(beyondStart, ownStart) / ((readyMs - askedMs) / 1_000));
      const direct = fresh === undefined ? undefined : inferUrlOf(fresh, model);
      if (direct === undefined) continue;
      try {
        const times: number[] = [];
        while (times.length < firstAsked) times.push(await ask(direct, body, agent));
        firsts.push(times);
        const all = (await pods()).flatMap((pod) => inferUrlOf(pod, model) ?? []);
        if (replicas === availableParallelism())
          speedWhenFull = await speedTogether(all, middle(times.slice(warmFrom)), body, agent);
      } catch (error) {
        // Where pods cannot be reached past their Service the run goes on without it.
        console.error(`how slow first requests are is not known: ${(error as Error).message}`);
      }
    }
    const fewerMs = performance.now();
    await scale(1);
    await until('one pod alone', async () => (await pods()).length === 1);
    return {
      service,
      podServiceSeconds: (seconds - before.seconds) / Math.max(1, count - before.count),
      coresPerBusySlot: cpu / served,
      startup,
      reaction,
      firstRequests: firsts.length === 0 ? [] : slownessOf(firsts),
      drainSeconds: (performance.now() - fewerMs) / 1_000,
      machine:
        rest === undefined
          ? undefined
          : {
              cores: availableParallelism(),
              // What more was asked for than there are cores is no fault of the cores.
              speedWhenFull: Math.min(
                1,
                speedWhenFull * Math.max(1, coresServing + restCores / availableParallelism()),
              ),
              coresPerBusySlot: coresServing,
              coresPerStart: meanOf(startCores),
              rest: { stepSeconds, cores: rest },
            },
    };
  } finally {
    await agent.close();
  }
}

/** What was measured of the machine, as one sentence. */
export function machineSentence({ machine, firstRequests }: Calibration): string {
  const slow = firstRequests
    .slice(0, 3)
    .map((one) => one.toFixed(1))
    .join(', ');
  const firsts = `a new pod's first requests take ${slow || 'no'} times as long as later ones`;
  if (machine === undefined) return `how busy the cores are is not told here; ${firsts}`;
  const { cores, speedWhenFull = 1, coresPerBusySlot, coresPerStart, rest } = machine;
  return `${cores} cores for everything, each ${speedWhenFull.toFixed(2)} times as fast when all are busy: ${coresPerBusySlot.toFixed(2)} asked for by a request that is served, with hop and client, ${coresPerStart.toFixed(2)} by a pod that starts, ${meanOf(rest.cores).toFixed(2)} by all else (in steps of ${1_000 * rest.stepSeconds} ms up to ${Math.max(...rest.cores).toFixed(1)}); ${firsts}`;
}
