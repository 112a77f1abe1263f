/** One model of the namespace as this gateway serves it: its queue, its port, and who wakes it. */
import type { GatewayRoutes } from '../crds/routes.ts';
import type { KubeApi } from '../kube/api.ts';
import { type Log, messageOf } from '../kube/log.ts';
import type { EndpointSlice } from '../kube/objects.ts';
import type { Deadlines } from '../queue/deadlines.ts';
import type { PodTransports } from './balance/pod.ts';
import type { Peers } from './balance/revision.ts';
import type { GateLimits } from './gate-options.ts';
import type { ModelPort } from './http/port.ts';
import { ModelGate } from './model-gate.ts';
import { portOf } from './model-port.ts';
import type { ByteShare } from './queue/bytes.ts';
import { podsOf } from './routes/endpoints.ts';
import { gateRouteOf } from './routes/gate-route.ts';
import { Waker } from './wake/waker.ts';

export interface ServedModelOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly host: string;
  readonly maxConnections: number;
  readonly limits: GateLimits;
  readonly deadlines: Deadlines;
  readonly bytes: ByteShare;
  readonly unread: ByteShare;
  readonly transports: PodTransports;
  readonly log: Log;
  nowMs(): number;
  isClosing(): boolean;
  slicesOf(service: string): readonly EndpointSlice[];
}

const listenAgainMs = 1_000;
/** How long requests that run may take when the model is taken away. */
const lastAnswersMs = 30_000;

export class ServedModel {
  readonly gate: ModelGate;
  readonly #options: ServedModelOptions;
  #routes: GatewayRoutes;
  #port: ModelPort | undefined;
  #waker: Waker | undefined;
  #wakes: { count: number; seconds: number } = { count: 0, seconds: 0 };
  #listenTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(routes: GatewayRoutes, options: ServedModelOptions) {
    this.#options = options;
    this.#routes = routes;
    this.gate = new ModelGate({
      model: routes.model,
      deadlines: options.deadlines,
      bytes: options.bytes,
      unread: options.unread,
      transports: options.transports,
      limits: options.limits,
      nowMs: options.nowMs,
      wanted: () => this.#waker?.want(),
    });
  }

  /** How often this gateway raised the scale from 0, and how long that took from the first request, seconds in all. */
  get wakes(): { readonly count: number; readonly seconds: number } {
    return this.#wakes;
  }

  get connections(): number {
    return this.#port?.connections ?? 0;
  }

  /** Puts routes into effect. */
  setRoutes(routes: GatewayRoutes): void {
    const before = this.#routes;
    this.#routes = routes;
    this.gate.routesRefused = undefined;
    this.gate.setRoute(gateRouteOf(routes));
    for (const { service } of routes.backends) this.setPods(service);
    if (routes.wake?.deployment !== before.wake?.deployment || this.#waker === undefined) this.#setWaker();
    if (this.#port === undefined || routes.port !== before.port) this.#listen();
  }

  /** The slices of a Service changed. */
  setPods(service: string): void {
    for (const backend of this.#routes.backends)
      if (backend.service === service)
        this.gate.setPods(backend.revision, podsOf(this.#options.slicesOf(service)));
  }

  setPeers(peers: Peers): void {
    this.gate.setPeers(peers);
  }

  /** Requests are in hand. */
  get isBusy(): boolean {
    return this.gate.open > 0 || this.#port?.isBusy === true;
  }

  /** Takes no new connections; what runs is not touched. */
  stopListening(): void {
    clearTimeout(this.#listenTimer);
    this.#port?.stopListening();
  }

  /** The model is served here no more: what waits is refused, what runs may end. */
  leave(): void {
    this.stopListening();
    this.#end();
    const port = this.#port;
    setTimeout(() => port?.destroy(), lastAnswersMs).unref();
  }

  destroy(): void {
    this.#end();
    this.#port?.destroy();
  }

  #end(): void {
    this.#isClosed = true;
    clearTimeout(this.#listenTimer);
    this.#waker?.close();
    this.gate.close();
  }

  #setWaker(): void {
    this.#waker?.close();
    this.#waker = undefined;
    const deployment = this.#routes.wake?.deployment;
    if (deployment === undefined) return;
    const { api, namespace, log } = this.#options;
    this.#waker = new Waker({
      api,
      namespace,
      deployment,
      log,
      isWanted: () => this.gate.held > 0 && !this.gate.hasReadyPod,
      onWoken: (tookMs) => {
        this.gate.recorder.counters.wakes += 1;
        this.#wakes = { count: this.#wakes.count + 1, seconds: this.#wakes.seconds + tookMs / 1000 };
      },
    });
    if (this.gate.held > 0 && !this.gate.hasReadyPod) this.#waker.want();
  }

  /** Listens on the route's port; one that another still has is tried again. */
  #listen(): void {
    clearTimeout(this.#listenTimer);
    const { host, maxConnections, log, isClosing } = this.#options;
    const { port: wanted, model } = this.#routes;
    const next = portOf(this.gate, { maxConnections }, isClosing);
    next.listen(host, wanted).then(
      () => {
        if (this.#isClosed || this.#routes.port !== wanted) {
          next.destroy();
          return;
        }
        const old = this.#port;
        this.#port = next;
        old?.stopListening();
        log.info('model is served', { model, port: wanted });
      },
      (error: unknown) => {
        log.warn('the port of a model cannot be had', { model, port: wanted, error: messageOf(error) });
        if (this.#isClosed) return;
        this.gate.routesRefused = `port ${wanted}: ${messageOf(error)}`;
        this.#listenTimer = setTimeout(() => this.#listen(), listenAgainMs).unref();
      },
    );
  }
}
