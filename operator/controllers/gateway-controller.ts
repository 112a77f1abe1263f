/** What wakes the gateways of namespaces, and whom they wake. */
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../kube/clock.ts';
import { Controller } from '../../kube/controller.ts';
import type { Log } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { OperatorConfig } from '../config.ts';
import { resourcesOf } from '../model/desired/pod-template.ts';
import { defaultGatewayResources, type GatewaySettings } from '../model/gateway/children.ts';
import { type GatewayReading, wantsGateway } from '../model/gateway/path.ts';
import type { OperatorDefaults } from '../model/snapshot.ts';
import type { Caches } from './caches.ts';
import { Gateways, gatewayKey } from './gateways.ts';

/** The settings of gateways, from flags and the file of defaults. */
export function gatewaySettings(
  { gatewayImage, gatewayReplicas }: Pick<OperatorConfig, 'gatewayImage' | 'gatewayReplicas'>,
  { gateway, pod }: Pick<OperatorDefaults, 'gateway' | 'pod'>,
): GatewaySettings {
  const given = gateway?.resources;
  return {
    image: gatewayImage,
    replicas: gatewayReplicas,
    resources: resourcesOf(given === undefined ? undefined : { resources: given }, {
      resources: defaultGatewayResources,
    }),
    imagePullSecrets: pod?.imagePullSecrets,
  };
}

export interface GatewayControllerOptions {
  readonly api: KubeApi;
  readonly caches: Caches;
  readonly settings: () => GatewaySettings;
  /** Whether anything is decided about a namespace. */
  readonly isOpen: (namespace: string) => boolean;
  /** Reconciles a ModelDeployment: something about its gateway is new. */
  readonly onChange: (key: ObjectKey) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Observer;
}

export interface GatewayController {
  readingOf(deployment: ModelDeployment): GatewayReading | undefined;
  /** Looks at the gateways of a namespace anew, or of all. */
  enqueue(namespace: string | undefined): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const namespaceOf = (key: ObjectKey) => key.slice(0, key.indexOf('/'));

/** Makes the controller; nothing is written before `start`. */
export function followGateways(options: GatewayControllerOptions): GatewayController {
  const { api, caches, settings, isOpen, onChange, clock, log, metrics } = options;
  const wake = (namespace: string) => {
    for (const one of caches.modelDeployments.store.list())
      if (one.metadata.namespace === namespace && wantsGateway(one))
        onChange(`${namespace}/${one.metadata.name}`);
  };
  const gateways = new Gateways({
    api,
    caches,
    settings,
    observer: metrics,
    nowMs: () => clock.now(),
    onChange: wake,
  });
  const controller = new Controller({
    name: 'gateway',
    reconcile: (key, context) => gateways.reconcile(key, context),
    workers: 4,
    clock,
    log,
    observer: metrics,
    admits: (key) => isOpen(namespaceOf(key)),
  });
  controller.watchMapped(caches.modelDeployments, (deployment) =>
    wantsGateway(deployment) ? [gatewayKey(deployment.metadata.namespace)] : [],
  );
  controller.watchMapped(caches.gatewayDeployments, ({ metadata }) => [gatewayKey(metadata.namespace ?? '')]);
  const known = new Map<string, number>();
  const stops = [
    caches.gatewaySlices.onChange(({ type, object }) => {
      const namespace = object.metadata.namespace ?? '';
      // With its Service gone the gateway is not whole, though its Deployment is as it was applied.
      if (type === 'deleted') {
        gateways.doubt(namespace);
        controller.enqueue(gatewayKey(namespace));
      }
      const ready = gateways.readyPods(namespace);
      if (known.get(namespace) === ready) return;
      known.set(namespace, ready);
      wake(namespace);
    }),
    caches.modelDeployments.onChange(({ type, object }) => {
      if (type === 'deleted') gateways.forget(object.metadata.namespace, object.metadata.name);
    }),
  ];
  return {
    readingOf: (deployment) => gateways.readingOf(deployment),
    enqueue(namespace) {
      const namespaces = new Set(caches.gatewayDeployments.store.list().map((one) => one.metadata.namespace));
      for (const one of caches.modelDeployments.store.list())
        if (wantsGateway(one)) namespaces.add(one.metadata.namespace);
      for (const one of namespaces)
        if (one !== undefined && (namespace === undefined || namespace === one))
          controller.enqueue(gatewayKey(one), 'low');
    },
    start: () => controller.start(),
    async stop() {
      for (const stop of stops) stop();
      await controller.stop();
    },
  };
}
