/** What wakes the keeper of room, and whom it wakes. */
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../kube/clock.ts';
import { Controller } from '../../kube/controller.ts';
import type { Log } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { OperatorConfig } from '../config.ts';
import type { HeadroomReading } from '../model/headroom/reading.ts';
import type { Caches } from './caches.ts';
import type { FleetDecision } from './fleet-decision.ts';
import { concernsHeadroom, Headrooms } from './headrooms.ts';

export interface HeadroomControllerOptions {
  readonly api: KubeApi;
  readonly caches: Caches;
  readonly config: Pick<OperatorConfig, 'gatewayImage' | 'headroomPriorityClass'>;
  /** The decision in force of a ModelDeployment's uid. */
  readonly known: (uid: string) => FleetDecision | undefined;
  /** Whether anything is decided about a namespace. */
  readonly isOpen: (namespace: string) => boolean;
  /** Reconciles a ModelDeployment: something about its room is new. */
  readonly onChange: (key: ObjectKey) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Observer;
}

export interface HeadroomController {
  readingOf(deployment: ModelDeployment): HeadroomReading | undefined;
  /** Looks at the room of one ModelDeployment anew, where it keeps any. */
  enqueue(key: ObjectKey): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Makes the controller; nothing is written before `start`. */
export function followHeadrooms(options: HeadroomControllerOptions): HeadroomController {
  const { api, caches, config, known, isOpen, onChange, clock, log, metrics } = options;
  const headrooms = new Headrooms({
    api,
    caches,
    // Like the gateways, placeholders of foreign images run the operator's own, which holds Node.js.
    settings: () => ({ image: config.gatewayImage, priorityClassName: config.headroomPriorityClass }),
    decided: ({ metadata: { uid } }) => {
      const decision = known(uid);
      const { blockedPods } = decision?.why.inputs ?? {};
      return decision === undefined
        ? undefined
        : { headroom: decision.headroom, blocked: typeof blockedPods === 'number' ? blockedPods : 0 };
    },
    observer: metrics,
    nowMs: () => clock.now(),
    onChange,
  });
  const controller = new Controller({
    name: 'headroom',
    reconcile: (key, context) => headrooms.reconcile(key, context),
    workers: 4,
    clock,
    log,
    observer: metrics,
    admits: (key) => isOpen(key.slice(0, key.indexOf('/'))),
  });
  const keyOf = ({ metadata: { namespace, name } }: ModelDeployment) => `${namespace}/${name}`;
  controller.watchMapped(caches.modelDeployments, (deployment) =>
    concernsHeadroom(deployment) ? [keyOf(deployment)] : [],
  );
  const stop = caches.modelDeployments.onChange(({ type, key }) => {
    if (type === 'deleted') headrooms.forget(key);
  });
  return {
    readingOf: (deployment) => headrooms.readingOf(deployment),
    enqueue(key) {
      const deployment = caches.modelDeployments.store.get(key);
      if (deployment !== undefined && concernsHeadroom(deployment)) controller.enqueue(key);
    },
    start: () => controller.start(),
    async stop() {
      stop();
      await controller.stop();
    },
  };
}
