/** Follows routes and pods at the API server; what was seen last stays in effect while nobody can be asked. */
import { type GatewayRoutes, parseRoutes, routesKey, routesLabel } from '../../crds/routes.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { Log } from '../../kube/log.ts';
import type { ConfigMap, EndpointSlice } from '../../kube/objects.ts';
import { Reflector } from '../../kube/reflector.ts';
import { resources } from '../../kube/resource.ts';
import { byLabel } from '../../kube/store.ts';
import { serviceLabel } from './endpoints.ts';
import { refusalOfRoutes } from './gate-route.ts';

/** On every Service and ConfigMap of Ballast, and so on the Services' EndpointSlices. */
const managed = 'app.kubernetes.io/managed-by=ballast';
const componentLabel = 'app.kubernetes.io/component';
const gatewayComponent = 'gateway';

export interface FollowOptions {
  readonly api: KubeApi;
  readonly namespace: string;
  readonly log: Log;
  /** New routes of a ConfigMap that are in effect from now on. */
  onRoutes(source: string, routes: GatewayRoutes): void;
  /** Routes that cannot be put into effect: the ones before them stay. */
  onRefused(source: string, why: string): void;
  onGone(source: string): void;
  /** The slices of a Service changed. */
  onSlices(service: string): void;
  /** The slices of the gateways themselves changed. */
  onPeers(): void;
}

export class Follow {
  readonly #routes: Reflector<ConfigMap>;
  readonly #slices: Reflector<EndpointSlice>;

  constructor({ api, namespace, log, ...told }: FollowOptions) {
    this.#routes = new Reflector<ConfigMap>({
      api,
      type: resources.configMaps,
      namespace,
      labelSelector: `${routesLabel}=true`,
      log,
    });
    this.#slices = new Reflector<EndpointSlice>({
      api,
      type: resources.endpointSlices,
      namespace,
      labelSelector: managed,
      indexers: { service: byLabel(serviceLabel), component: byLabel(componentLabel) },
      log,
    });
    this.#routes.onChange(({ type, object, previous }) => {
      const source = object.metadata.name ?? '';
      if (type === 'deleted') return told.onGone(source);
      const text = object.data?.[routesKey];
      if (type === 'updated' && text === previous?.data?.[routesKey]) return;
      const parsed = parseRoutes(text);
      const why = 'refused' in parsed ? parsed.refused : refusalOfRoutes(parsed.routes);
      if (why !== undefined) told.onRefused(source, why);
      else if ('routes' in parsed) told.onRoutes(source, parsed.routes);
    });
    this.#slices.onChange(({ object }) => {
      const { [componentLabel]: component, [serviceLabel]: service } = object.metadata.labels ?? {};
      if (component === gatewayComponent) told.onPeers();
      else if (service !== undefined) told.onSlices(service);
    });
    this.#namespace = namespace;
  }

  readonly #namespace: string;

  start(): void {
    // Pods first: a route that finds none would let its first requests wait.
    this.#slices.start();
    void this.#slices.whenSynced().then(
      () => this.#routes.start(),
      () => undefined,
    );
  }

  /** Both have been read once: from then on the gateway can do without the API server. */
  get isSynced(): boolean {
    return this.#slices.synced && this.#routes.synced;
  }

  slicesOf(service: string): EndpointSlice[] {
    return this.#slices.store.byIndex('service', `${this.#namespace}/${service}`);
  }

  get peerSlices(): EndpointSlice[] {
    return this.#slices.store.byIndex('component', `${this.#namespace}/${gatewayComponent}`);
  }

  /** Why it cannot read at present. */
  get fault(): unknown {
    return this.#routes.fault ?? this.#slices.fault;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#slices.stop(), this.#routes.stop()]);
  }
}
