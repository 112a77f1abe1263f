/** An embedded API server, proxies that break the way to it, and one held clock for all of it. */
import type { KubeApi } from '../../kube/api.ts';
import { staticAuth } from '../../kube/auth.ts';
import { type ClientOptions, createClient, type KubeClient } from '../../kube/client.ts';
import { type Clock, HeldClock } from '../../kube/clock.ts';
import { MetricsRegistry } from '../../kube/metrics.ts';
import type { ConfigMap } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { type ApiServer, startApiServer } from '../../local/apiserver/index.ts';
import { FaultProxy } from './fault-proxy.ts';

/** One network of one client: its proxy, its metrics. */
export interface Link {
  readonly proxy: FaultProxy;
  readonly client: KubeClient;
  readonly metrics: MetricsRegistry;
}

/** Turns of the event loop without any activity before the next timer may fire; more while a call is still out. */
const quietTurns = 20;
const quietTurnsWithCallsOut = 250;

/** The same generator for the same seed (mulberry32): [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class World {
  readonly clock = new HeldClock();
  readonly server: ApiServer;
  readonly random: () => number;
  readonly #links: Link[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  #callsOut = 0;

  private constructor(server: ApiServer, random: () => number) {
    this.server = server;
    this.random = random;
  }

  static async start(seed: number, options: { historyLimit?: number } = {}): Promise<World> {
    const holder: { clock?: Clock } = {};
    // The server needs the clock before the world that owns it exists.
    const lateClock: Clock = {
      now: () => holder.clock?.now() ?? 0,
      monotonicMs: () => holder.clock?.monotonicMs() ?? 0,
      setTimer: (ms, fn) => holder.clock?.setTimer(ms, fn) ?? (() => {}),
    };
    const server = await startApiServer({ host: '127.0.0.1', port: 0, clock: lateClock, ...options });
    const world = new World(server, seededRandom(seed));
    holder.clock = world.clock;
    return world;
  }

  /** A client with a network of its own. `clock` lets a replica have another wall clock. */
  async link(options: ClientOptions = {}): Promise<Link> {
    const proxy = new FaultProxy({ target: this.server.url, clock: this.clock });
    await proxy.up();
    return this.#connect(proxy, options);
  }

  /** A further client over the same network. */
  secondClient(link: Link, options: ClientOptions = {}): Link {
    return this.#connect(link.proxy, options);
  }

  #connect(proxy: FaultProxy, options: ClientOptions): Link {
    const metrics = new MetricsRegistry();
    const client = createClient(staticAuth(proxy.url, this.server.token), {
      clock: this.clock,
      observer: metrics,
      userAgent: 'fault-test',
      ...options,
    });
    const link = { proxy, client: this.#counted(client), metrics };
    this.#links.push(link);
    return link;
  }

  /** Calls of all clients that have not ended, watches not counted. */
  get callsOut(): number {
    return this.#callsOut;
  }

  /** Registers what must end before the server does. */
  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    const closing = (async () => {
      for (const close of this.#closers.splice(0).reverse()) await close();
    })();
    let ended = false;
    void closing.finally(() => {
      ended = true;
    });
    // Ending may wait for deadlines of this clock.
    while (!ended) await this.run(1000);
    await closing;
    for (const { client, proxy } of this.#links) {
      await client.close();
      await proxy.close();
    }
    await this.server.close();
  }

  /** Lets real sockets do all that they can do before any more time passes. */
  async settle(): Promise<void> {
    let last = -1;
    for (let quiet = 0; ; ) {
      await new Promise((resolve) => setImmediate(resolve));
      const activity = this.#links.reduce((sum, { proxy }) => sum + proxy.activity, 0);
      const inFlight = this.#links.some(({ proxy }) => proxy.inFlight > 0);
      quiet = activity === last && !inFlight ? quiet + 1 : 0;
      last = activity;
      const held = this.#links.reduce((sum, { proxy }) => sum + proxy.held, 0);
      if (quiet >= (this.#callsOut > held ? quietTurnsWithCallsOut : quietTurns)) return;
    }
  }

  /** Moves time on by `ms`, letting everything settle after each timer. */
  async run(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    await this.settle();
    for (;;) {
      const nextMs = this.clock.untilNextMs;
      const leftMs = endMs - this.clock.monotonicMs();
      if (nextMs === undefined || nextMs > leftMs) break;
      this.clock.advance(nextMs);
      await this.settle();
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
    await this.settle();
  }

  /** Moves time on until the condition holds; returns how long that took, or throws after `limitMs`. */
  async until(condition: () => boolean, what: string, limitMs: number): Promise<number> {
    const startMs = this.clock.monotonicMs();
    await this.settle();
    while (!condition()) {
      const leftMs = limitMs - (this.clock.monotonicMs() - startMs);
      const nextMs = this.clock.untilNextMs;
      if (nextMs === undefined || nextMs > leftMs)
        throw new Error(`not within ${limitMs / 1000} s of simulated time: ${what}`);
      this.clock.advance(nextMs);
      await this.settle();
    }
    return this.clock.monotonicMs() - startMs;
  }

  /** ConfigMaps of the server, by label `role`. */
  configMaps(role: string): readonly ConfigMap[] {
    return this.server.registry.list<ConfigMap>(resources.configMaps, { labelSelector: `role=${role}` })
      .items;
  }

  createConfigMap(name: string, role: string, data: Record<string, string> = {}): ConfigMap {
    return this.server.registry.create<ConfigMap>(resources.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'default', name, labels: { role } },
      data,
    });
  }

  editConfigMap(name: string, data: Record<string, string>): void {
    this.server.registry.edit<ConfigMap>(resources.configMaps, { namespace: 'default', name }, (draft) => {
      draft.data = { ...draft.data, ...data };
    });
  }

  deleteConfigMap(name: string): void {
    this.server.registry.delete(resources.configMaps, { namespace: 'default', name });
  }

  /** Knows which calls are out, so that time does not pass while one is on its way to the proxy. */
  #counted(client: KubeClient): KubeClient {
    const counted = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        this.#callsOut += 1;
        try {
          return await call(...args);
        } finally {
          this.#callsOut -= 1;
        }
      };
    };
    const api: KubeApi = {
      get: counted(client.get.bind(client)) as KubeApi['get'],
      list: counted(client.list.bind(client)) as KubeApi['list'],
      create: counted(client.create.bind(client)) as KubeApi['create'],
      replace: counted(client.replace.bind(client)) as KubeApi['replace'],
      patch: counted(client.patch.bind(client)) as KubeApi['patch'],
      apply: counted(client.apply.bind(client)) as KubeApi['apply'],
      delete: counted(client.delete.bind(client)),
      watch: client.watch.bind(client) as KubeApi['watch'],
    };
    return {
      ...api,
      server: client.server,
      namespace: client.namespace,
      getText: counted(client.getText.bind(client)),
      close: client.close.bind(client),
    };
  }
}
