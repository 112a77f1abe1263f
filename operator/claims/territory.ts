/** The namespaces that this process decides about: their caches are whole, and no other installation has claimed them. */
import type { KubeApi } from '../../kube/api.ts';
import type { Clock } from '../../kube/clock.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { Lifecycle } from '../../kube/lifecycle.ts';
import type { Log } from '../../kube/log.ts';
import type { MetricsRegistry } from '../../kube/metrics.ts';
import type { OperatorConfig } from '../config.ts';
import type { Caches } from '../controllers/caches.ts';
import { followNamespaces, type Namespaces } from '../controllers/namespaces.ts';
import { claimNamespaces, claimProblems } from './claimed-namespaces.ts';

export interface TerritoryOptions {
  readonly config: Pick<OperatorConfig, 'installation' | 'watchNamespaces'>;
  /** A client whose writes pass only while this process leads. */
  readonly api: KubeApi;
  readonly caches: Caches;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  readonly lifecycle: Lifecycle;
  /** Another replica leads, and keeps the claims. */
  readonly standsBy: () => boolean;
  /** A namespace is open from now on, or was looked at anew; undefined stands for all. */
  readonly onOpen: (namespace: string | undefined) => void;
}

export interface Territory {
  readonly namespaces: Namespaces;
  /** Whether no other installation has the namespace. */
  isOurs(namespace: string): boolean;
  /** Whether anything is decided about a namespace. */
  isOpen(namespace: string): boolean;
  /** Begins to claim. */
  start(): void;
}

/** Follows caches and claims, and tells /readyz what is missing; nothing is asked before `start`. */
export function followTerritory(options: TerritoryOptions): Territory {
  const { config, api, caches, recorder, clock, log, metrics, lifecycle, standsBy, onOpen } = options;
  const { installation, watchNamespaces } = config;
  const namespaces = followNamespaces(caches);
  lifecycle.addCheck('caches', () => namespaces.problems());
  namespaces.onRead((namespace) => {
    log.info('caches are whole', { namespace: namespace ?? '(all)' });
    onOpen(namespace);
  });
  const claims =
    installation === ''
      ? undefined
      : claimNamespaces({
          api,
          installation,
          namespaces: watchNamespaces,
          modelDeployments: caches.modelDeployments,
          recorder,
          clock,
          log,
          metrics,
          onHeld: onOpen,
        });
  if (claims !== undefined) {
    lifecycle.addCheck('claims', () => (standsBy() ? [] : claimProblems(claims, watchNamespaces)));
    lifecycle.onStop('caches', 'claims', () => claims.stop());
  }
  const isOurs = (namespace: string) => claims?.holds(namespace) ?? true;
  return {
    namespaces,
    isOurs,
    isOpen: (namespace) => namespaces.isRead(namespace) && isOurs(namespace),
    start: () => claims?.start(),
  };
}
