/** The gateway of one namespace: a port for each model with routes, and how it ends without losing a request. */
import { randomUUID } from 'node:crypto';
import type { GatewayLoadReport } from '../crds/gateway-load.ts';
import type { GatewayRoutes } from '../crds/routes.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Log } from '../kube/log.ts';
import type { ProbedPort } from '../kube/probed-port.ts';
import { Deadlines } from '../queue/deadlines.ts';
import { SlotLearner } from './balance/learn-slots.ts';
import type { Pod } from './balance/pod.ts';
import { alone, type Peers } from './balance/revision.ts';
import type { GatewayConfig } from './config.ts';
import { HopCost } from './load/hop-cost.ts';
import { networkTransports } from './model-port.ts';
import { modelMetrics, processMetrics } from './ops/metrics.ts';
import { startOpsServer } from './ops/server.ts';
import { ByteBudget } from './queue/bytes.ts';
import { peersOf } from './routes/endpoints.ts';
import { Follow } from './routes/follow.ts';
import { ServedModel } from './served-model.ts';

export interface GatewayDependencies {
  readonly config: GatewayConfig;
  readonly api: KubeApi;
  readonly namespace: string;
  readonly log: Log;
}

/** A model may keep half of what all may: one model's flood leaves the others room. */
const modelsShare = 0.5;
/** Answers that wait for their readers may keep half as much as requests that wait for a pod. */
const unreadShare = 0.5;
const drainLookMs = 20;

export class Gateway {
  readonly #dependencies: GatewayDependencies;
  readonly #instance = randomUUID();
  readonly #nowMs = () => performance.now();
  readonly #deadlines = new Deadlines(this.#nowMs);
  readonly #budget: ByteBudget;
  readonly #unread: ByteBudget;
  /** By the name of the ConfigMap that the routes come from. */
  readonly #models = new Map<string, ServedModel>();
  readonly #follow: Follow;
  readonly #slots: SlotLearner;
  readonly #metrics = processMetrics();
  readonly #cost = new HopCost(() => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  #ops: ProbedPort | undefined;
  #peers: Peers = alone;
  #isClosing = false;

  constructor(dependencies: GatewayDependencies) {
    this.#dependencies = dependencies;
    const { config, api, namespace, log } = dependencies;
    this.#budget = new ByteBudget(config.maxHeldBytes, config.maxHeldBytes * modelsShare);
    const unreadBytes = config.maxHeldBytes * unreadShare;
    this.#unread = new ByteBudget(unreadBytes, unreadBytes * modelsShare);
    this.#follow = new Follow({
      api,
      namespace,
      log,
      onRoutes: (source, routes) => this.#setRoutes(source, routes),
      onRefused: (source, why) => {
        log.error('routes are refused, the ones before them stay', { source, why });
        const served = this.#models.get(source);
        if (served !== undefined) served.gate.routesRefused = why;
      },
      onGone: (source) => {
        this.#models.get(source)?.leave();
        this.#models.delete(source);
      },
      onSlices: (service) => {
        for (const served of this.#models.values()) served.setPods(service);
      },
      onPeers: () => {
        this.#peers = peersOf(this.#follow.peerSlices, config.podName);
        for (const served of this.#models.values()) served.setPeers(this.#peers);
      },
    });
    this.#slots = new SlotLearner(
      () => this.#pods(),
      () => {
        for (const served of this.#models.values()) served.gate.slotFreed();
      },
    );
  }

  get opsPort(): number {
    return this.#ops?.port ?? 0;
  }

  /** What keeps it from being ready; empty when it is. */
  unready(): string[] {
    if (this.#isClosing) return ['shutting down'];
    return this.#follow.isSynced ? [] : ['routes and pods have not been read yet'];
  }

  async start(): Promise<void> {
    const { config } = this.#dependencies;
    this.#ops = await startOpsServer({
      host: config.listenHost,
      port: config.opsPort,
      unready: () => this.unready(),
      load: (sinceMs) => this.load(sinceMs),
      metrics: async () =>
        `${await this.#metrics.text()}\n${modelMetrics([...this.#models.values()], this.#nowMs())}`,
    });
    this.#follow.start();
    this.#slots.start();
  }

  load(sinceMs = 0): GatewayLoadReport {
    const nowMs = this.#nowMs();
    const served = [...this.#models.values()];
    this.#cost.look(
      nowMs,
      served.reduce((sum, { gate }) => sum + gate.recorder.counters.serviceCount, 0),
    );
    const hopCpuSeconds = this.#cost.meanSeconds;
    return {
      version: 1,
      instance: this.#instance,
      startedAtMs: Math.round(performance.timeOrigin),
      uptimeMs: nowMs,
      ready: this.unready().length === 0,
      draining: this.#isClosing,
      ...(hopCpuSeconds === undefined ? {} : { hopCpuSeconds }),
      models: served.map(({ gate }) => gate.load(nowMs, sinceMs)),
    };
  }

  /**
   * Unready at once, and every answer over HTTP/1.1 ends its connection; goes on taking connections until no Service
   * sends anybody here; then waits for what runs. A connection that is closed idle has been idle all that time.
   */
  async drain(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const { drainDelayMs, drainTimeoutMs } = this.#dependencies.config;
    await new Promise((resolve) => setTimeout(resolve, drainDelayMs));
    for (const served of this.#models.values()) served.stopListening();
    const endMs = this.#nowMs() + drainTimeoutMs;
    while (this.#nowMs() < endMs && this.#isBusy())
      await new Promise((resolve) => setTimeout(resolve, drainLookMs));
    // The last answers are on their way to the kernel.
    await new Promise((resolve) => setTimeout(resolve, drainLookMs));
  }

  /** Ends everything at once. */
  async stop(): Promise<void> {
    this.#isClosing = true;
    this.#slots.close();
    this.#metrics.close();
    for (const served of this.#models.values()) served.destroy();
    await Promise.all([this.#follow.stop(), this.#ops?.close()]);
  }

  #isBusy(): boolean {
    for (const served of this.#models.values()) if (served.isBusy) return true;
    return false;
  }

  #setRoutes(source: string, routes: GatewayRoutes): void {
    const { config, api, namespace, log } = this.#dependencies;
    const known = this.#models.get(source);
    if (known !== undefined && known.gate.model === routes.model) {
      known.setRoutes(routes);
      return;
    }
    known?.leave();
    const served = new ServedModel(routes, {
      api,
      namespace,
      log,
      host: config.listenHost,
      maxConnections: config.maxConnections,
      limits: { maxWaiting: config.maxWaiting, maxHoldMs: config.maxHoldMs },
      deadlines: this.#deadlines,
      bytes: this.#budget.share(),
      unread: this.#unread.share(),
      transports: networkTransports,
      nowMs: this.#nowMs,
      isClosing: () => this.#isClosing,
      slicesOf: (service) => this.#follow.slicesOf(service),
    });
    this.#models.set(source, served);
    served.setPeers(this.#peers);
    served.setRoutes(routes);
  }

  *#pods(): Iterable<Pod> {
    for (const { gate } of this.#models.values()) for (const { ready } of gate.pools) yield* ready;
  }
}
