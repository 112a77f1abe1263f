/** The life of one pod on the node: address, volumes, init containers, containers, end, removal. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../kube/clock.ts';
import type { ConfigMap, Container, Pod, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { failureReason, failureText, keyOf, refOf, timestamp } from '../controllers/access.ts';
import { canonicalJson } from '../controllers/deployment/template-hash.ts';
import type { LocalPodSpec, Node, Secret } from '../controllers/kinds.ts';
import { portsAnnotation } from '../controllers/own-ports.ts';
import { ContainerRun, type PodScope } from './container-run.ts';
import type { KubeletContext } from './context.ts';
import type { Mount } from './paths.ts';
import { newRecord, podStatus } from './pod-status.ts';
import { serviceLinks } from './service-links.ts';
import { type FileSources, VolumeError } from './volume-files.ts';
import { overfullVolume } from './volume-usage.ts';
import { PodVolumes } from './volumes.ts';

const mountRetryMs = 500;
const usagePeriodMs = 1_000;

/** Runs one pod from its binding to its removal. */
export class PodRun implements PodScope {
  readonly context: KubeletContext;
  readonly folder: string;
  readonly #key: string;
  readonly #volumes: PodVolumes;
  readonly #runs: ContainerRun[];
  readonly #ending = new AbortController();
  readonly #killNow = new AbortController();
  /** Aborted when the object is deleted or gone: nothing of the pod is needed any more. */
  readonly #leaving = new AbortController();
  readonly #startTime: string;
  readonly #finished: Promise<void>;
  #pod: Pod;
  #podIP = '';
  #ownPorts: Record<string, number> | undefined;
  #volumesReady = false;
  #graceEndsAtMs = Number.POSITIVE_INFINITY;
  #written = '';
  #publishing = false;
  #failure: { reason: string; message: string } | undefined;
  #gone = false;

  constructor(context: KubeletContext, pod: Pod) {
    this.context = context;
    this.#pod = pod;
    this.#key = keyOf(pod);
    this.folder = join(context.podsFolder, pod.metadata.uid ?? '');
    this.#startTime = timestamp(context.clock.now());
    this.#volumes = new PodVolumes(join(this.folder, 'volumes'), (name) =>
      context.claimFolder(pod.metadata.namespace ?? 'default', name),
    );
    this.#runs = [
      ...(pod.spec.initContainers ?? []).map((c) => new ContainerRun(this, c, newRecord(c, true))),
      ...pod.spec.containers.map((c) => new ContainerRun(this, c, newRecord(c, false))),
    ];
    if (pod.metadata.deletionTimestamp !== undefined) this.#noteDeletion(pod);
    this.#finished = this.#live().catch((error) => {
      context.log(`kubelet: pod ${this.#key}: ${failureText(error)}`);
    });
  }

  get podIP(): string {
    return this.#podIP;
  }
  get ownPorts(): Readonly<Record<string, number>> | undefined {
    return this.#ownPorts;
  }
  get ending(): AbortSignal {
    return this.#ending.signal;
  }
  get killNow(): AbortSignal {
    return this.#killNow.signal;
  }
  get uid(): string {
    return this.#pod.metadata.uid ?? '';
  }
  pod(): Pod {
    return this.#pod;
  }
  graceEndsAtMs(): number {
    return this.#graceEndsAtMs;
  }

  /** The container of that name. */
  container(name: string): ContainerRun | undefined {
    return this.#runs.find((run) => run.record.name === name);
  }

  /** Takes the pod as the API has it now. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#noteDeletion(pod);
    // Labels and annotations may stand in a downward volume; conditions of others may be readiness gates.
    if (pod.spec.volumes?.some((volume) => (volume.downwardAPI ?? volume.projected) !== undefined) === true)
      this.refresh();
    this.publish();
  }

  /** Ends the pod: its object is gone, or the cluster closes. Resolves when nothing of it is left. */
  async stop(graceMs = 0): Promise<void> {
    this.#gone = true;
    this.#leaving.abort();
    this.#endWithin(graceMs);
    // By the machine's clock too: a test's held clock must not hold the end of the cluster.
    const timer = setTimeout(() => this.#killNow.abort(), graceMs);
    await this.#finished;
    clearTimeout(timer);
  }

  /** Writes volumes anew whose ConfigMap, Secret or fields changed. */
  refresh(): void {
    if (!this.#volumesReady || this.#ending.signal.aborted) return;
    try {
      this.#volumes.refresh(this.#pod, this.sources());
    } catch (error) {
      this.context.log(`kubelet: volumes of ${this.#key}: ${failureText(error)}`);
    }
  }

  /** True when a volume or variable of the pod comes from that object. */
  uses(kind: 'configMap' | 'secret', namespace: string | undefined, name: string): boolean {
    if (namespace !== this.#pod.metadata.namespace) return false;
    return (this.#pod.spec.volumes ?? []).some((volume) =>
      volume.projected !== undefined
        ? volume.projected.sources.some(
            (source) => (source[kind] as { name?: string } | undefined)?.name === name,
          )
        : kind === 'configMap'
          ? volume.configMap?.name === name
          : volume.secret?.secretName === name,
    );
  }

  sources(): FileSources {
    const { cache, nodeName, hostIP, token } = this.context;
    const { namespace } = this.#pod.metadata;
    return {
      pod: this.#pod,
      podIP: this.#podIP,
      hostIP,
      token,
      allocatable: cache.get<Node>(resources.nodes, nodeName)?.status?.allocatable ?? {},
      configMap: (name) => cache.get<ConfigMap>(resources.configMaps, `${namespace}/${name}`),
      secret: (name) => cache.get<Secret>(resources.secrets, `${namespace}/${name}`),
    };
  }

  serviceLinks(): ReadonlyMap<string, string> {
    if (this.#pod.spec.enableServiceLinks === false) return new Map();
    return serviceLinks(this.context.cache.list<Service>(resources.services, this.#pod.metadata.namespace));
  }

  mountsOf(container: Container): Mount[] {
    return this.#volumes.mountsOf(this.#pod, container);
  }

  say(type: 'Normal' | 'Warning', reason: string, message: string, container?: Container): void {
    const init = this.#pod.spec.initContainers?.some(({ name }) => name === container?.name) === true;
    const field =
      container === undefined
        ? undefined
        : `spec.${init ? 'initContainers' : 'containers'}{${container.name}}`;
    this.context.events.say(
      this.#pod,
      type,
      reason,
      message,
      { component: 'kubelet', host: this.context.nodeName },
      field,
    );
  }

  /** Writes the status soon; many changes of one turn are one write. */
  publish(): void {
    if (this.#publishing) return;
    this.#publishing = true;
    queueMicrotask(() => {
      this.#publishing = false;
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    if (this.#gone) return;
    const records = this.#runs.map((run) => run.record);
    const status = podStatus(
      this.#pod,
      records,
      {
        podIP: this.#podIP,
        hostIP: this.context.hostIP,
        startTime: this.#startTime,
        volumesReady: this.#volumesReady,
        failure: this.#failure,
      },
      this.context.clock.now(),
    );
    const text = canonicalJson(status);
    if (text === this.#written) return;
    this.#written = text;
    try {
      // The uid guards a pod of the same name that came later.
      await this.context.cache.patch(
        resources.pods,
        refOf(this.#pod),
        { metadata: { uid: this.uid }, status },
        { subresource: 'status', fieldManager: 'kubelet' },
      );
    } catch (error) {
      if (failureReason(error) !== 'NotFound' && failureReason(error) !== 'Conflict')
        this.context.log(`kubelet: status of ${this.#key}: ${failureText(error)}`);
    }
  }

  #noteDeletion(pod: Pod): void {
    this.#leaving.abort();
    this.#endWithin((pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000);
  }

  #endWithin(graceMs: number): void {
    this.#graceEndsAtMs = Math.min(this.#graceEndsAtMs, this.context.clock.monotonicMs() + graceMs);
    if (graceMs <= 0) this.#killNow.abort();
    this.#ending.abort();
  }

  async #live(): Promise<void> {
    try {
      if (!this.#ending.signal.aborted && (await this.#prepare())) await this.#runContainers();
    } finally {
      await aborted(this.#ending.signal);
      await this.#write();
      // A pod that the kubelet ended stays to be looked at until somebody deletes it.
      await aborted(this.#leaving.signal);
      await this.#remove();
    }
  }

  async #prepare(): Promise<boolean> {
    const { addresses, cache, clock } = this.context;
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const ports = this.#pod.spec.containers.flatMap((container) => container.ports ?? []);
    const { ip, ownPorts } = await addresses.allocate(ports);
    this.#podIP = ip;
    this.#ownPorts = ownPorts;
    if (ownPorts !== undefined)
      this.#pod = await cache.patch<Pod>(
        resources.pods,
        refOf(this.#pod),
        { metadata: { annotations: { [portsAnnotation]: JSON.stringify(ownPorts) } } },
        { fieldManager: 'kubelet' },
      );
    this.publish();
    while (!this.#ending.signal.aborted) {
      try {
        this.#volumes.prepare(this.#pod, this.sources());
        this.#volumesReady = true;
        return true;
      } catch (error) {
        if (!(error instanceof VolumeError)) throw error;
        this.say('Warning', 'FailedMount', error.message);
        await sleep(clock, mountRetryMs, this.#ending.signal);
      }
    }
    return false;
  }

  async #runContainers(): Promise<void> {
    const stopLooking = this.#lookAfter();
    try {
      const init = this.#runs.filter((run) => run.record.init);
      const main = this.#runs.filter((run) => !run.record.init);
      // Main containers wait for the init containers, and say so.
      if (init.length > 0)
        for (const { record } of main) record.state = { waiting: { reason: 'PodInitializing' } };
      for (const run of init) {
        await run.run();
        if (run.record.state.terminated?.exitCode !== 0) return;
      }
      await Promise.all(main.map((run) => run.run()));
    } finally {
      stopLooking();
    }
  }

  /** Watches what ends a pod as a whole: its deadline, and volumes that outgrow their limit. */
  #lookAfter(): () => void {
    const { clock } = this.context;
    const seconds = (this.#pod.spec as LocalPodSpec).activeDeadlineSeconds;
    const cancelDeadline =
      seconds === undefined
        ? undefined
        : clock.setTimer(seconds * 1000, () =>
            this.#fail('DeadlineExceeded', 'Pod was active on the node longer than the specified deadline'),
          );
    let usage: NodeJS.Timeout | undefined;
    if (this.#pod.spec.volumes?.some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) === true) {
      const look = async () => {
        const over = await overfullVolume(this.#pod, (name) => join(this.folder, 'volumes', name));
        if (over !== undefined && !this.#ending.signal.aborted) this.#fail('Evicted', over);
      };
      usage = setInterval(() => void look(), usagePeriodMs);
      usage.unref();
    }
    return () => {
      cancelDeadline?.();
      clearInterval(usage);
    };
  }

  #fail(reason: string, message: string): void {
    this.#failure = { reason, message };
    this.say('Warning', reason, message);
    this.#endWithin((this.#pod.spec.terminationGracePeriodSeconds ?? 30) * 1000);
  }

  /** Address, folder, then the object itself: a graceful deletion ends with the kubelet's word. */
  async #remove(): Promise<void> {
    const { cache, addresses, log } = this.context;
    if (this.#podIP !== '') addresses.release(this.#podIP, this.#ownPorts);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    if (this.#gone) return;
    try {
      await cache.delete(resources.pods, refOf(this.#pod), { uid: this.uid, gracePeriodSeconds: 0 });
    } catch (error) {
      if (failureReason(error) !== 'NotFound' && failureReason(error) !== 'Conflict')
        log(`kubelet: removal of ${this.#key}: ${failureText(error)}`);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
