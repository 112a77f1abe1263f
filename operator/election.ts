/** Which of several operator processes works: the elector, with a connection of its own. */
import type { Auth } from '../kube/auth.ts';
import { createClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { LeaderElector } from '../kube/leader.ts';
import type { Lifecycle } from '../kube/lifecycle.ts';
import type { Log } from '../kube/log.ts';
import type { MetricsRegistry } from '../kube/metrics.ts';
import type { Permissions } from '../kube/permissions.ts';
import type { OperatorConfig } from './config.ts';

export interface ElectionParts {
  readonly auth: Auth;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: MetricsRegistry;
  readonly lifecycle: Lifecycle;
  readonly permissions: Permissions;
}

/** Makes the elector and registers its end; undefined where the settings want none. */
export function makeElector(config: OperatorConfig, parts: ElectionParts): LeaderElector | undefined {
  if (!config.leaderElect) return undefined;
  const { auth, clock, log, observer, lifecycle, permissions } = parts;
  // A client of its own, so that no queue of calls delays a renewal.
  const client = createClient(auth, { userAgent: 'ballast-operator/leader-election', clock, observer });
  const elector = new LeaderElector({
    api: permissions.watch(client),
    namespace: config.leaseNamespace === '' ? auth.namespace : config.leaseNamespace,
    name: 'ballast-operator',
    identity: config.identity,
    clock,
    log,
    observer,
  });
  lifecycle.onStop('lease', 'leader election', () => elector.stop());
  lifecycle.onStop('connections', 'leader client', () => client.close());
  return elector;
}
