/**
 * What a real HorizontalPodAutoscaler saw, proposed and asked for at each of its looks: pods and metrics as the API server
 * tells them twice a second, the looks themselves from the controller manager's log.
 */
import { readFileSync } from 'node:fs';
import type { KubeObject, Pod } from '../../kube/objects.ts';
import type { ResourceType } from '../../kube/resource.ts';
import type { Look, Recording, SeenPod, Setting } from '../../simulator/policies/recorded/replayed.ts';
import { isReady } from './embedded-bed.ts';

/** `metrics.k8s.io`, which metrics-server answers. */
export const podMetrics: ResourceType = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  plural: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
};

export type PodMetrics = KubeObject & {
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly { readonly usage: { readonly cpu?: string } }[];
};

interface Snapshot {
  readonly atMs: number;
  readonly replicas: number;
  readonly pods: readonly Pod[];
  readonly metrics: readonly PodMetrics[];
}

export interface Sources {
  pods(): Promise<readonly Pod[]>;
  metrics(): Promise<readonly PodMetrics[]>;
  /** `spec.scaling.replicas`, which the autoscaler reads as the scale's. */
  replicas(): Promise<number>;
}

/** Milli-cores of a quantity as the controller reads it: rounded up. */
export function milliCores(quantity: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([num]?)$/.exec(quantity) ?? [];
  const perMilli = { n: 1e6, u: 1e3, m: 1, '': 1e-3 }[unit];
  if (number === undefined || perMilli === undefined) throw new Error(`no quantity of CPU: ${quantity}`);
  return Math.ceil(Number(number) / perMilli);
}

/** Seconds of a Go duration such as `15.2s` or `1m2.5s`. */
export function goSeconds(text: string): number {
  const [, minutes = '0', rest = '0'] = /^(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(text) ?? [];
  return 60 * Number(minutes) + Number(rest);
}

/** A look of the controller, by its log (`--vmodule=horizontal=4`, UTC or the machine's own time). */
export interface LoggedLook {
  readonly atMs: number;
  readonly proposed: number;
  readonly asked: number | undefined;
}

/** The looks at one target in a controller manager's log of this year. */
export function loggedLooks(log: string, target: string, year: number): LoggedLook[] {
  const looks: { atMs: number; proposed: number; asked: number | undefined }[] = [];
  const [kind, namespace, name] = target.split('/');
  for (const line of log.split('\n')) {
    const head = /^[IWE](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3})/.exec(line);
    if (head === null) continue;
    const [month = 0, day = 0, hour = 0, minute = 0, second = 0, milli = 0] = head.slice(1).map(Number);
    const atMs = new Date(year, month - 1, day, hour, minute, second, milli).getTime();
    const desired = Number(/desiredReplicas=(\d+)/.exec(line)?.[1]);
    const last = looks.at(-1);
    if (line.includes(`for ${target}:`) && line.includes('failed to compute desired number of replicas'))
      looks.push({ atMs, proposed: -1, asked: undefined });
    else if (line.includes('"Proposing desired replicas"') && line.includes(`scaleTarget="${target}"`))
      looks.push({ atMs, proposed: desired, asked: undefined });
    else if (
      line.includes('"Successfully rescaled"') &&
      line.includes(`HPA="${namespace}/${name}"`) &&
      last !== undefined
    )
      last.asked = desired;
  }
  if (kind === undefined || name === undefined) throw new Error(`${target} is no kind/namespace/name`);
  return looks;
}

const toTenths = (milliseconds: number) => Math.round(milliseconds / 100) / 10;

/** A pod as the controller found it at `atMs`. */
export function seenPod(pod: Pod, metrics: PodMetrics | undefined, atMs: number): SeenPod {
  const { metadata, status } = pod;
  const since = (time: string | undefined) =>
    toTenths(atMs - Date.parse(time ?? metadata.creationTimestamp ?? ''));
  const readiness = status?.conditions?.find(({ type }) => type === 'Ready');
  const state =
    metadata.deletionTimestamp !== undefined
      ? 'D'
      : status?.phase === 'Pending'
        ? 'P'
        : isReady(pod)
          ? 'S'
          : 'R';
  const common = [state, since(status?.startTime), since(readiness?.lastTransitionTime)] as const;
  if (metrics === undefined) return common;
  const milli = metrics.containers.reduce((sum, { usage }) => sum + milliCores(usage.cpu ?? '0'), 0);
  return [...common, milli, since(metrics.timestamp), goSeconds(metrics.window)];
}

/** Polls until it is stopped. */
export class Recorder {
  readonly #sources: Sources;
  readonly #snapshots: Snapshot[] = [];
  #stopped = false;
  readonly #polling: Promise<void>;

  constructor(sources: Sources, everyMs = 500) {
    this.#sources = sources;
    this.#polling = this.#poll(everyMs);
  }

  async #poll(everyMs: number): Promise<void> {
    while (!this.#stopped) {
      try {
        const [pods, metrics, replicas] = await Promise.all([
          this.#sources.pods(),
          this.#sources.metrics(),
          this.#sources.replicas(),
        ]);
        this.#snapshots.push({ atMs: Date.now(), replicas, pods, metrics });
      } catch {
        // metrics-server or the API server is busy: the next poll.
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  /** Mean milli-cores of all pods together between two times. */
  meanMilli(fromMs: number, toMs: number): number {
    const within = this.#snapshots.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
    const sums = within.map(({ metrics }) =>
      metrics
        .flatMap(({ containers }) => containers)
        .reduce((sum, { usage }) => sum + milliCores(usage.cpu ?? '0'), 0),
    );
    return sums.reduce((sum, one) => sum + one, 0) / Math.max(1, sums.length);
  }

  /** Ends the polling; each look of the log with what was there just before it. */
  async stop(setting: Setting, logPath: string, target: string): Promise<Recording> {
    this.#stopped = true;
    await this.#polling;
    const began = this.#snapshots[0]?.atMs ?? 0;
    const looks: Look[] = [];
    for (const look of loggedLooks(readFileSync(logPath, 'utf8'), target, new Date(began).getFullYear())) {
      const seen = this.#snapshots.findLast(({ atMs }) => atMs <= look.atMs);
      if (seen === undefined) continue;
      const byName = new Map(seen.metrics.map((one) => [one.metadata.name, one]));
      looks.push({
        at: toTenths(look.atMs - began),
        replicas: seen.replicas,
        proposed: look.proposed,
        asked: look.asked ?? seen.replicas,
        pods: seen.pods.map((pod) => seenPod(pod, byName.get(pod.metadata.name), look.atMs)),
      });
    }
    return { setting, looks };
  }
}

/** How the simulator's autoscaler compares on the recorded inputs, and how old the samples were that the real one saw. */
export function compared(recording: Recording, ours: readonly Pick<Look, 'proposed' | 'asked'>[]): string[] {
  const { looks } = recording;
  const equal = (key: 'proposed' | 'asked', most: number) =>
    looks.filter((look, index) => Math.abs(look[key] - (ours[index]?.[key] ?? Number.NaN)) <= most).length;
  const samples = looks.flatMap(({ pods }) => pods.filter((pod) => pod.length === 6));
  const middle = (values: readonly number[]) =>
    [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
  return [
    `${looks.length} looks of the real HorizontalPodAutoscaler, replayed through the simulator's: proposals equal in ${equal('proposed', 0)}, within one in ${equal('proposed', 1)}; replicas asked for equal in ${equal('asked', 0)}, within one in ${equal('asked', 1)}`,
    `a sample was ${middle(samples.map(([, , , , sampled]) => sampled ?? 0)).toFixed(1)} s old when it was looked at (middle of ${samples.length}), over ${middle(samples.map(([, , , , , window]) => window ?? 0)).toFixed(1)} s; the simulator's are 1 to 15 s old by their seed, over 15 s`,
  ];
}
