/** The life of one container: pull, start, probe, end, back off, start again. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../kube/clock.ts';
import type { Container, Pod } from '../../kube/objects.ts';
import { failureText, timestamp } from '../controllers/access.ts';
import { amountOf } from '../controllers/quantity.ts';
import { Backoff, goSeconds } from './backoff.ts';
import { ContainerLog } from './container-log.ts';
import { type ContainerSetup, StartError, setUpContainer } from './container-setup.ts';
import type { KubeletContext } from './context.ts';
import { ContainerConfigError, type EnvSources } from './env.ts';
import { endProcess, type Hook, type HttpGet, runCommand, runHook } from './hooks.ts';
import { findImage, type LocalImage } from './image-map.ts';
import type { Mount } from './paths.ts';
import type { ContainerRecord } from './pod-status.ts';
import { checkProbe } from './probe-check.ts';
import { runProbes } from './probe-loop.ts';
import { type Exit, type RunningProcess, startProcess } from './process.ts';
import { prepareMessageFile, terminationMessage } from './termination-message.ts';

/** What a container needs of its pod. */
export interface PodScope {
  readonly context: KubeletContext;
  /** The pod as it is now. */
  pod(): Pod;
  readonly podIP: string;
  readonly ownPorts: Readonly<Record<string, number>> | undefined;
  readonly folder: string;
  sources(): EnvSources;
  serviceLinks(): ReadonlyMap<string, string>;
  mountsOf(container: Container): Mount[];
  /** Aborted when the pod shall end. */
  readonly ending: AbortSignal;
  /** Monotonic time at which the grace period is over; it may come nearer. */
  graceEndsAtMs(): number;
  /** Aborted when nothing may be waited for any more. */
  readonly killNow: AbortSignal;
  publish(): void;
  say(type: 'Normal' | 'Warning', reason: string, message: string, container?: Container): void;
}

interface Ended {
  readonly exit: Exit;
  readonly oom: boolean;
  readonly startedAt: string;
}

const configRetryMs = 1_000;

/** Runs one container until its pod ends or it has ended for good. */
export class ContainerRun {
  readonly record: ContainerRecord;
  readonly #scope: PodScope;
  readonly #container: Container;
  readonly #restarts: Backoff;
  #log: ContainerLog | undefined;
  #previousLog: ContainerLog | undefined;
  #runs = 0;

  constructor(scope: PodScope, container: Container, record: ContainerRecord) {
    this.#scope = scope;
    this.#container = container;
    this.record = record;
    this.#restarts = new Backoff(scope.context.backoff);
  }

  /** Log of the present (or last) run, or of the one before. */
  log(previous: boolean): ContainerLog | undefined {
    return previous ? this.#previousLog : this.#log;
  }

  /** Resolves when the container will not run again. */
  async run(): Promise<void> {
    const { ending, context } = this.#scope;
    while (!ending.aborted) {
      const image = await this.#pull();
      if (image === undefined) return;
      const ended = await this.#once(image);
      if (ended === undefined) return;
      const endedAtMs = context.clock.monotonicMs();
      this.#noteEnd(ended);
      if (ending.aborted || !this.#restartsAfter(ended.exit.code)) {
        this.record.finished = !ending.aborted || this.record.state.terminated !== undefined;
        this.#scope.publish();
        return;
      }
      await this.#backOff(endedAtMs);
      this.#restarts.next(endedAtMs, context.clock.monotonicMs());
      if (!ending.aborted) this.record.restartCount++;
    }
  }

  #restartsAfter(code: number): boolean {
    const policy = this.#scope.pod().spec.restartPolicy ?? 'Always';
    if (this.record.init) return code !== 0 && policy !== 'Never';
    return policy === 'Always' || (policy === 'OnFailure' && code !== 0);
  }

  #waiting(reason: string, message: string): void {
    const { state } = this.record;
    if (state.terminated !== undefined) this.record.lastState = { terminated: state.terminated };
    this.record.state = { waiting: { reason, message } };
    this.#scope.publish();
  }

  async #backOff(endedAtMs: number): Promise<void> {
    const { clock } = this.#scope.context;
    const waitMs = this.#restarts.waitMs(endedAtMs, clock.monotonicMs());
    if (waitMs <= 0) return;
    const { name, namespace, uid } = this.#scope.pod().metadata;
    const what = `back-off ${goSeconds(this.#restarts.delayMs)} restarting failed container=${this.#container.name} pod=${name}_${namespace}(${uid})`;
    this.#waiting('CrashLoopBackOff', what);
    this.#scope.say(
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${this.#container.name} in pod ${name}_${namespace}(${uid})`,
      this.#container,
    );
    await sleep(clock, waitMs, this.#scope.ending);
  }

  /** The local command of the image; waits and asks again as a kubelet does while there is none. */
  async #pull(): Promise<LocalImage | undefined> {
    const { context, ending } = this.#scope;
    const name = this.#container.image;
    const pulls = new Backoff(context.backoff);
    while (!ending.aborted) {
      const image = findImage(context.images, name);
      if (image !== undefined) {
        if (this.#runs === 0)
          this.#scope.say(
            'Normal',
            'Pulled',
            `Container image "${name}" already present on machine`,
            this.#container,
          );
        return image;
      }
      const known = Object.keys(context.images).join(', ');
      const never = this.#container.imagePullPolicy === 'Never';
      const why = `failed to pull image "${name}": the embedded cluster runs local commands and has none for it; it knows: ${known === '' ? 'no image' : known}`;
      if (!never) this.#scope.say('Normal', 'Pulling', `Pulling image "${name}"`, this.#container);
      this.#scope.say('Warning', 'Failed', `Failed to pull image "${name}": ${why}`, this.#container);
      this.#scope.say(
        'Warning',
        'Failed',
        `Error: ${never ? 'ErrImageNeverPull' : 'ErrImagePull'}`,
        this.#container,
      );
      this.#waiting(never ? 'ErrImageNeverPull' : 'ErrImagePull', why);
      const now = context.clock.monotonicMs();
      pulls.next(now, now);
      // The first reason stays to be seen for a moment, as it does with a kubelet that syncs each second.
      await sleep(context.clock, Math.min(1_000, pulls.delayMs / 2), ending);
      if (ending.aborted) break;
      if (!never) {
        this.#waiting('ImagePullBackOff', `Back-off pulling image "${name}": ErrImagePull: ${why}`);
        this.#scope.say('Normal', 'BackOff', `Back-off pulling image "${name}"`, this.#container);
        this.#scope.say('Warning', 'Failed', 'Error: ImagePullBackOff', this.#container);
      }
      await sleep(context.clock, pulls.waitMs(now, context.clock.monotonicMs()), ending);
    }
    return undefined;
  }

  /** One run of the container; undefined when the pod ended before it could start. */
  async #once(image: LocalImage): Promise<Ended | undefined> {
    const { context, ending } = this.#scope;
    const root = join(this.#scope.folder, 'containers', this.#container.name);
    const folders = { root, terminationLog: join(root, 'termination-log') };
    mkdirSync(join(this.#scope.folder, 'logs'), { recursive: true });
    while (!ending.aborted) {
      try {
        const setup = setUpContainer({
          pod: this.#scope.pod(),
          container: this.#container,
          image,
          sources: this.#scope.sources(),
          mounts: this.#scope.mountsOf(this.#container),
          folders,
          ownPorts: this.#scope.ownPorts,
          serviceLinks: this.#scope.serviceLinks(),
        });
        prepareMessageFile(folders.terminationLog);
        this.#newLog();
        return await this.#start(setup, folders.terminationLog);
      } catch (error) {
        if (error instanceof ContainerConfigError) {
          this.#waiting('CreateContainerConfigError', error.message);
          this.#scope.say('Warning', 'Failed', `Error: ${error.message}`, this.#container);
          await sleep(context.clock, configRetryMs, ending);
          continue;
        }
        // StartError, or a machine that cannot fork now: a run that ended before it began.
        const text = failureText(error);
        if (!(error instanceof StartError)) context.log(`kubelet: ${this.#container.name}: ${text}`);
        this.#scope.say('Warning', 'Failed', `Error: ${text}`, this.#container);
        this.#newLog();
        this.#log?.end();
        const now = timestamp(context.clock.now());
        this.record.state = {
          terminated: { exitCode: 128, reason: 'StartError', message: text, startedAt: now, finishedAt: now },
        };
        return { exit: { code: 128, signal: undefined }, oom: false, startedAt: now };
      }
    }
    return undefined;
  }

  #newLog(): void {
    this.#previousLog = this.#log;
    const path = join(this.#scope.folder, 'logs', `${this.#container.name}-${this.#runs}.log`);
    this.#log = new ContainerLog(path, () => this.#scope.context.clock.now());
  }

  async #start(setup: ContainerSetup, messageFile: string): Promise<Ended> {
    const { context, ending } = this.#scope;
    const log = this.#log;
    const process = await startProcess(
      { ...setup, onOutput: (stream, chunk) => log?.write(stream, chunk) },
      context.reaper,
    );
    this.#runs++;
    const { state } = this.record;
    if (state.terminated !== undefined) this.record.lastState = { terminated: state.terminated };
    const startedAt = timestamp(context.clock.now());
    this.record.containerID = `process://${process.pid}`;
    this.record.imageID = this.#container.image;
    this.record.started = false;
    this.record.ready = false;
    this.record.state = { running: { startedAt } };
    this.#scope.say('Normal', 'Created', `Container created: ${this.#container.name}`, this.#container);
    this.#scope.say('Normal', 'Started', `Container started: ${this.#container.name}`, this.#container);

    let oom = false;
    const limit = amountOf(this.#container.resources?.limits?.memory);
    if (limit !== undefined)
      context.memory.add(process.pid, limit, () => {
        oom = true;
        process.kill();
      });
    const exit = await this.#watch(process, setup, ending);
    context.memory.remove(process.pid);
    log?.end();
    this.record.ready = false;
    this.record.started = false;
    const code = oom ? 137 : exit.code;
    const message = log === undefined ? '' : terminationMessage(this.#container, messageFile, code, log);
    this.record.state = {
      terminated: {
        exitCode: code,
        reason: oom ? 'OOMKilled' : code === 0 ? 'Completed' : 'Error',
        ...(message === '' ? {} : { message }),
        startedAt,
        finishedAt: timestamp(context.clock.now()),
      },
    };
    return { exit: { ...exit, code }, oom, startedAt };
  }

  /** Follows a running process until it ended, by itself, by a probe or with its pod. */
  async #watch(process: RunningProcess, setup: ContainerSetup, ending: AbortSignal): Promise<Exit> {
    const { context } = this.#scope;
    const over = new AbortController();
    const killed = new AbortController();
    let killedBy: { why: string; graceSeconds: number | undefined } | undefined;
    const run = (command: readonly string[], timeoutMs: number) =>
      runCommand(command, setup, context.reaper, timeoutMs, over.signal);
    const get = async (httpGet: HttpGet) => {
      const { ok, output } = await checkProbe({ httpGet }, this.#scope.pod(), this.#scope.podIP, run);
      // A hook has done its work whatever the answer was.
      return ok || output.startsWith('HTTP probe failed') ? undefined : output;
    };
    const kill = (why: string, graceSeconds: number | undefined) => {
      killedBy = { why, graceSeconds };
      killed.abort();
    };
    const beginProbes = () =>
      runProbes(
        this.#container,
        {
          clock: context.clock,
          check: (probe) => checkProbe(probe, this.#scope.pod(), this.#scope.podIP, run),
          onStarted: () => this.#set({ started: true }),
          onReady: (ready) => this.#set({ ready }),
          onFailure: (kind, output) =>
            this.#scope.say(
              'Warning',
              'Unhealthy',
              `${kind[0]?.toUpperCase()}${kind.slice(1)} probe failed: ${output}`,
              this.#container,
            ),
          onKill: (kind, probe) => kill(`${kind} probe`, probe.terminationGracePeriodSeconds),
        },
        over.signal,
        ending,
      );
    const postStart = (this.#container.lifecycle as { postStart?: Hook } | undefined)?.postStart;
    if (this.record.init) {
      this.record.started = true;
      this.record.ready = true;
    } else if (postStart === undefined) beginProbes();
    else
      void runHook(postStart, Number.POSITIVE_INFINITY, over.signal, { clock: context.clock, run, get }).then(
        (failure) => {
          if (over.signal.aborted) return;
          if (failure === undefined) return beginProbes();
          this.#scope.say(
            'Warning',
            'FailedPostStartHook',
            `PostStartHook failed: ${failure}`,
            this.#container,
          );
          kill('PostStartHook', undefined);
        },
      );
    this.#scope.publish();
    const wish = AbortSignal.any([ending, killed.signal]);
    await Promise.race([process.exited, aborted(wish, over.signal)]);
    if (wish.aborted) {
      const own = ending.aborted ? undefined : killedBy;
      const grace = own?.graceSeconds ?? this.#scope.pod().spec.terminationGracePeriodSeconds ?? 30;
      const endsAtMs = context.clock.monotonicMs() + grace * 1000;
      this.#scope.say(
        'Normal',
        'Killing',
        own !== undefined
          ? `Container ${this.#container.name} failed ${own.why}, will be restarted`
          : `Stopping container ${this.#container.name}`,
        this.#container,
      );
      await endProcess(process, this.#container, {
        clock: context.clock,
        endsAtMs:
          own !== undefined
            ? () => Math.min(endsAtMs, ending.aborted ? this.#scope.graceEndsAtMs() : endsAtMs)
            : () => this.#scope.graceEndsAtMs(),
        killNow: this.#scope.killNow,
        run,
        get,
        onHookFailure: (message) => this.#scope.say('Warning', 'FailedPreStopHook', message, this.#container),
      });
    }
    const exit = await process.exited;
    over.abort();
    return exit;
  }

  #set(change: Partial<Pick<ContainerRecord, 'ready' | 'started'>>): void {
    Object.assign(this.record, change);
    this.#scope.publish();
  }

  #noteEnd(ended: Ended): void {
    if (ended.oom)
      this.#scope.say(
        'Warning',
        'OOMKilling',
        `Container ${this.#container.name} passed its memory limit of ${this.#container.resources?.limits?.memory} and was killed`,
        this.#container,
      );
    this.#scope.publish();
  }
}

/** Resolves when the signal is aborted, or when it no longer matters. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      signal.removeEventListener('abort', done);
      over.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    over.addEventListener('abort', done);
  });
}
