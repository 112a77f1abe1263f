/**
 * Leader election over a Lease, after client-go: whether another's lease has run out is judged by the local monotonic
 * time since its record last changed, never by the time inside, so clocks may differ by any amount.
 * No fencing exists in Kubernetes: writes must be safe twice. Give the elector a client of its own.
 */
import type { KubeApi } from './api.ts';
import { type Clock, realClock, sleep } from './clock.ts';
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts';
import { type Log, messageOf, noLog } from './log.ts';
import { noObserver, type Observer } from './metrics.ts';
import type { Lease } from './objects.ts';
import { resources } from './resource.ts';

export interface LeaderOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Unique per process, not only per pod name: a restarted process must not take itself for its predecessor. */
  readonly identity: string;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: Log;
  readonly observer?: Observer;
  /** A lease whose record stood still this long may be taken. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** A leader that could not renew for this long is no leader any more. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Between tries. Default 2 s. */
  readonly retryPeriodMs?: number;
}

/** Part of the deadline that one try may take: a server that needs 5 s per call is still renewed in time, and one hung call leaves time for another. */
const tryShare = 0.6;
/** Candidates wait up to a fifth less than the period, so that they do not ask in step and see a last renewal within it. */
const retryJitter = 0.2;
const releaseTimeoutMs = 2000;

export class LeaderElector {
  readonly #options: LeaderOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #observer: Observer;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #stop = new AbortController();
  readonly #lost = new AbortController();
  readonly #acquired = Promise.withResolvers<void>();
  #lease: Lease | undefined;
  #observedRecord = '';
  #seenRenewal = false;
  #observedAtMs = 0;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #holding = false;
  #running: Promise<void> | undefined;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? Math.random;
    this.#log = options.log ?? noLog;
    this.#observer = options.observer ?? noObserver;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2000;
    this.#acquired.promise.catch(() => {});
  }

  /** Starts to compete for the lease. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when this process leads; rejects when it is stopped before. */
  whenLeading(): Promise<void> {
    return this.#acquired.promise;
  }

  /** True only while the last renewal is younger than the deadline: right even when timers are late because the process slept. */
  get leading(): boolean {
    return this.#holding && this.#clock.monotonicMs() - this.#renewedAtMs < this.#renewDeadlineMs;
  }

  /** Aborted when leadership is lost: give up calls in flight and exit 1. It is never won back by the same elector. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether somebody else leads and lives: was seen to renew, so it is no Lease that an uninstalled operator left. */
  get standsBy(): boolean {
    return !this.leading && this.#heldByAnother() && this.#seenRenewal;
  }

  /** Who holds the lease as last read. */
  get holder(): string | undefined {
    return this.#lease?.spec?.holderIdentity;
  }

  /** Ends the competition and, when leading, releases the lease: call it only after all workers have stopped. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (!this.leading || this.#lease === undefined) return;
    this.#holding = false;
    try {
      try {
        await this.#release(this.#lease);
      } catch (error) {
        if (!isConflict(error)) throw error;
        // A renewal that was cut off by the stop did arrive: the lease is still ours, under a newer version.
        const { api, namespace, name, identity } = this.#options;
        const call = { timeoutMs: releaseTimeoutMs };
        const lease = await api.get<Lease>(resources.leases, { namespace, name }, call);
        if (lease.spec?.holderIdentity === identity) await this.#release(lease);
      }
    } catch (error) {
      this.#log.warn('lease not released; the next leader waits for it to run out', {
        error: messageOf(error),
      });
    }
  }

  async #release(lease: Lease): Promise<void> {
    const spec = {
      ...lease.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: this.#microTime(),
    };
    await this.#options.api.replace<Lease>(
      resources.leases,
      { ...lease, spec },
      { timeoutMs: releaseTimeoutMs },
    );
  }

  async #run(): Promise<void> {
    const stop = this.#stop.signal;
    while (!stop.aborted && !(await this.#tryOnce(this.#renewDeadlineMs * tryShare)))
      await sleep(this.#clock, this.#untilNextTryMs(), stop);
    if (!this.#holding) {
      this.#acquired.reject(new Error('stopped before leading'));
      return;
    }
    this.#log.info('leading', { lease: this.#options.name, identity: this.#options.identity });
    this.#observer.gauge('leader', 1);
    this.#acquired.resolve();
    await this.#renew(stop);
  }

  async #renew(stop: AbortSignal): Promise<void> {
    let cancelDeadline = this.#armDeadline();
    let tookMs = 0;
    while (!stop.aborted && !this.#lost.signal.aborted) {
      await sleep(this.#clock, Math.max(0, this.#retryPeriodMs - tookMs), stop);
      if (stop.aborted || this.#lost.signal.aborted) break;
      const leftMs = this.#renewedAtMs + this.#renewDeadlineMs - this.#clock.monotonicMs();
      const triedAtMs = this.#clock.monotonicMs();
      const renewed = await this.#tryOnce(Math.min(leftMs, this.#renewDeadlineMs * tryShare));
      tookMs = this.#clock.monotonicMs() - triedAtMs;
      if (renewed) {
        cancelDeadline();
        cancelDeadline = this.#armDeadline();
      } else if (this.#heldByAnother()) this.#lose('another process holds the lease');
    }
    cancelDeadline();
  }

  #armDeadline(): () => void {
    const leftMs = this.#renewedAtMs + this.#renewDeadlineMs - this.#clock.monotonicMs();
    return this.#clock.setTimer(leftMs, () => this.#lose('the lease could not be renewed in time'));
  }

  #lose(why: string): void {
    if (this.#lost.signal.aborted) return;
    this.#holding = false;
    this.#observer.gauge('leader', 0);
    this.#log.error('leadership lost', { lease: this.#options.name, why });
    this.#lost.abort(new Error(why));
  }

  /** One try to take or renew the lease. Failures are logged and mean "not now". */
  async #tryOnce(timeoutMs: number): Promise<boolean> {
    if (timeoutMs <= 0) return false;
    // The lease is ours from before the call on, since the server may have written it at any time after.
    const startedMs = this.#clock.monotonicMs();
    const ended = new AbortController();
    const abort = () => ended.abort();
    const cancel = this.#clock.setTimer(timeoutMs, abort);
    this.#stop.signal.addEventListener('abort', abort, { once: true });
    try {
      const written = await this.#takeOrRenew(timeoutMs, ended.signal);
      if (written === undefined || this.#lost.signal.aborted) return false;
      this.#observe(written);
      this.#renewedAtMs = startedMs;
      this.#holding = true;
      return true;
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error))
        this.#log.warn('lease not renewed', { lease: this.#options.name, error: messageOf(error) });
      // A stale copy conflicts for ever: read anew next time.
      if (isConflict(error)) this.#lease = undefined;
      return false;
    } finally {
      cancel();
      this.#stop.signal.removeEventListener('abort', abort);
    }
  }

  async #takeOrRenew(timeoutMs: number, signal: AbortSignal): Promise<Lease | undefined> {
    const { api, namespace, name, identity } = this.#options;
    const call = { timeoutMs, signal };
    if (!this.#holding || this.#lease === undefined) {
      try {
        this.#observe(await api.get<Lease>(resources.leases, { namespace, name }, call));
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return api.create<Lease>(
          resources.leases,
          { metadata: { namespace, name }, spec: this.#record(undefined) },
          call,
        );
      }
    }
    const lease = this.#lease;
    if (lease === undefined) return undefined;
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder !== '' && holder !== identity && this.#untilExpiryMs() > 0) return undefined;
    return api.replace<Lease>(resources.leases, { ...lease, spec: this.#record(lease) }, call);
  }

  #record(before: Lease | undefined): NonNullable<Lease['spec']> {
    const now = this.#microTime();
    const mine = before?.spec?.holderIdentity === this.#options.identity;
    const transitions = before?.spec?.leaseTransitions ?? 0;
    return {
      ...before?.spec,
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.max(1, Math.round(this.#leaseDurationMs / 1000)),
      acquireTime: mine ? (before?.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: before === undefined ? 0 : mine ? transitions : transitions + 1,
    };
  }

  #observe(lease: Lease): void {
    this.#lease = lease;
    const record = `${lease.metadata.uid} ${lease.metadata.resourceVersion} ${JSON.stringify(lease.spec)}`;
    if (record === this.#observedRecord) return;
    if (this.#observedRecord !== '') this.#seenRenewal = true;
    this.#observedRecord = record;
    this.#observedAtMs = this.#clock.monotonicMs();
  }

  #heldByAnother(): boolean {
    const holder = this.#lease?.spec?.holderIdentity;
    return holder !== undefined && holder !== '' && holder !== this.#options.identity;
  }

  #untilExpiryMs(): number {
    const durationMs = (this.#lease?.spec?.leaseDurationSeconds ?? this.#leaseDurationMs / 1000) * 1000;
    return this.#observedAtMs + durationMs - this.#clock.monotonicMs();
  }

  /** A candidate asks again when the lease runs out, if that is sooner than the period. */
  #untilNextTryMs(): number {
    const waitMs = this.#retryPeriodMs * (1 - retryJitter * this.#random());
    const expiryMs = this.#lease === undefined ? Number.POSITIVE_INFINITY : this.#untilExpiryMs();
    return expiryMs > 0 ? Math.min(waitMs, expiryMs + 1) : waitMs;
  }

  #microTime(): string {
    return new Date(this.#clock.now()).toISOString().replace('Z', '000Z');
  }
}
