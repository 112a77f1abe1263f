/**
 * Keeps two operator installations off one namespace. Replicas of one installation share its claims and only the leader
 * renews them, so a rolling update loses none; they are never given back, and of one that is gone they run out.
 */
import { labels } from '../../crds/constants.ts';
import type { KubeApi } from '../../kube/api.ts';
import { type Clock, sleep } from '../../kube/clock.ts';
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from '../../kube/errors.ts';
import { type Log, messageOf } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type { Lease } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { managedBy } from '../model/labels.ts';
import { type ClaimView, claimRecord, claimTimes, decideClaim, seen } from './decide.ts';

/** Name of the Lease in each namespace. */
export const claimName = 'ballast-claim';

export interface ClaimProblem {
  /** `taken`: another installation has it; `refused`: a rule is missing; `failed`: it may pass by itself. */
  readonly kind: 'taken' | 'refused' | 'failed';
  readonly message: string;
}

export interface ClaimsOptions {
  /** A client whose writes pass only while this process leads. */
  readonly api: KubeApi;
  /** NAMESPACE/RELEASE. */
  readonly installation: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observer: Observer;
  /** The namespace is ours from now on. */
  readonly onHeld: (namespace: string) => void;
  /** The namespace is not ours, for this reason; told once for each reason. */
  readonly onProblem: (namespace: string, problem: ClaimProblem) => void;
}

interface Entry {
  view: ClaimView | undefined;
  /** From before the call of the last renewal; it holds from then on. */
  renewedAtMs: number;
  problem: ClaimProblem | undefined;
  readonly stop: AbortController;
}

/** Looks at once; a fleet of a thousand namespaces must not ask all in one moment. */
const maxLooks = 8;
const callTimeoutMs = 10_000;

export class Claims {
  readonly #options: ClaimsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: (() => void)[] = [];
  readonly #running = new Set<Promise<void>>();
  #looks = 0;
  #started = false;
  #stopped = false;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** Asks for a namespace; its claim is kept until it is not wanted any more. */
  want(namespace: string): void {
    if (this.#stopped || this.#entries.has(namespace)) return;
    const entry: Entry = {
      view: undefined,
      renewedAtMs: Number.NEGATIVE_INFINITY,
      problem: undefined,
      stop: new AbortController(),
    };
    this.#entries.set(namespace, entry);
    if (this.#started) this.#keep(namespace, entry);
  }

  /** Lets the claim on a namespace run out. */
  unwant(namespace: string): void {
    this.#entries.get(namespace)?.stop.abort();
    this.#entries.delete(namespace);
  }

  /** Starts to claim: only the leader does. */
  start(): void {
    this.#started = true;
    for (const [namespace, entry] of this.#entries) this.#keep(namespace, entry);
  }

  /** Ends the renewals and leaves the claims as they are. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { stop } of this.#entries.values()) stop.abort();
    for (const go of this.#waiting.splice(0)) go();
    await Promise.all(this.#running);
  }

  /** Whether this installation may write in the namespace: only while the last renewal is young enough. */
  holds(namespace: string): boolean {
    const entry = this.#entries.get(namespace);
    return entry !== undefined && this.#isHeld(entry);
  }

  /** Why a wanted namespace is not ours; undefined when it is, or when nothing is known yet. */
  problemOf(namespace: string): ClaimProblem | undefined {
    return this.#entries.get(namespace)?.problem;
  }

  /** Every wanted namespace, in order. */
  states(): {
    readonly namespace: string;
    readonly held: boolean;
    readonly problem: ClaimProblem | undefined;
  }[] {
    return [...this.#entries]
      .map(([namespace, entry]) => ({ namespace, held: this.#isHeld(entry), problem: entry.problem }))
      .sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }

  #isHeld({ renewedAtMs }: Entry): boolean {
    return this.#options.clock.monotonicMs() - renewedAtMs < claimTimes.holdsForMs;
  }

  #keep(namespace: string, entry: Entry): void {
    const kept = this.#loop(namespace, entry);
    this.#running.add(kept);
    void kept.finally(() => this.#running.delete(kept));
  }

  async #loop(namespace: string, entry: Entry): Promise<void> {
    const { signal } = entry.stop;
    while (!signal.aborted) {
      await this.#turn();
      let waitMs: number = claimTimes.retryMs;
      try {
        if (!signal.aborted) waitMs = await this.#look(namespace, entry, signal);
      } finally {
        this.#looks -= 1;
        this.#waiting.shift()?.();
      }
      await sleep(this.#options.clock, waitMs, signal);
    }
  }

  async #turn(): Promise<void> {
    while (this.#looks >= maxLooks && !this.#stopped)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#looks += 1;
  }

  /** One look at the Lease and, where it may be ours, the write; how long to wait until the next. */
  async #look(namespace: string, entry: Entry, signal: AbortSignal): Promise<number> {
    const { api, clock, installation } = this.#options;
    const call = { timeoutMs: callTimeoutMs, signal };
    try {
      // A holder knows what it wrote last: it reads only when that was changed behind its back.
      if (!this.#isHeld(entry) || entry.view === undefined) {
        const lease = await this.#read(namespace, call);
        entry.view = seen(entry.view, lease, clock.monotonicMs());
      }
      const move = decideClaim(installation, entry.view, clock.monotonicMs());
      if (move.do === 'wait') {
        this.#lose(entry);
        this.#say(namespace, entry, {
          kind: 'taken',
          message: `namespace ${namespace} belongs to the operator installation ${move.holder} (Lease ${namespace}/${claimName}): nothing is done there; uninstall one of the two, or give them different namespaces`,
        });
        return Math.min(this.#jitter(claimTimes.lookEveryMs), move.leftMs + 1);
      }
      const startedMs = clock.monotonicMs();
      const { lease } = entry.view;
      const spec = claimRecord(installation, lease?.spec, clock.now());
      const written =
        lease === undefined
          ? await api.create<Lease>(resources.leases, { metadata: newMeta(namespace), spec }, call)
          : await api.replace<Lease>(resources.leases, { ...lease, spec }, call);
      entry.view = seen(undefined, written, clock.monotonicMs());
      const wasHeld = this.#isHeld(entry);
      entry.renewedAtMs = startedMs;
      this.#say(namespace, entry, undefined);
      if (!wasHeld) this.#options.onHeld(namespace);
      return this.#jitter(claimTimes.renewEveryMs);
    } catch (error) {
      if (signal.aborted) return 0;
      return this.#failed(namespace, entry, error);
    }
  }

  async #read(namespace: string, call: object): Promise<Lease | undefined> {
    try {
      return await this.#options.api.get<Lease>(resources.leases, { namespace, name: claimName }, call);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #failed(namespace: string, entry: Entry, error: unknown): number {
    // Somebody else wrote or removed it meanwhile: read again soon, and what is there decides.
    const isGone = isNotFound(error) && entry.view?.lease !== undefined;
    if (isConflict(error) || isAlreadyExists(error) || isGone) {
      entry.view = undefined;
      return this.#jitter(1_000);
    }
    this.#options.observer.count('claim_errors_total', { namespace });
    const message = messageOf(error);
    if (isForbidden(error) && !/being terminated/.test(message))
      this.#say(namespace, entry, {
        kind: 'refused',
        message: `the operator may not keep its claim on namespace ${namespace}: add the verbs get, create and update on resource leases (apiGroup "coordination.k8s.io") to its Role there; until then nothing is done in it`,
      });
    else if (!this.#isHeld(entry))
      this.#say(namespace, entry, {
        kind: 'failed',
        message: isNotFound(error)
          ? `namespace ${namespace} does not exist`
          : `no claim on namespace ${namespace} yet: ${message}`,
      });
    return this.#jitter(isForbidden(error) ? claimTimes.lookEveryMs : claimTimes.retryMs);
  }

  #lose(entry: Entry): void {
    entry.renewedAtMs = Number.NEGATIVE_INFINITY;
  }

  #say(namespace: string, entry: Entry, problem: ClaimProblem | undefined): void {
    const { log, onProblem } = this.#options;
    if (problem?.message === entry.problem?.message) return;
    if (problem === undefined) log.info('the namespace is ours', { namespace, claim: claimName });
    else log.warn(problem.message, { namespace, claim: claimName });
    entry.problem = problem;
    if (problem !== undefined) onProblem(namespace, problem);
  }

  /** Up to a fifth sooner, so that not all namespaces are renewed in one moment. */
  #jitter(ms: number): number {
    return ms * (1 - 0.2 * this.#options.random());
  }
}

const newMeta = (namespace: string) => ({
  namespace,
  name: claimName,
  labels: { [labels.managedBy]: managedBy },
});
