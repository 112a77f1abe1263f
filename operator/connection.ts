/** The way to the API server: credentials, the client, rights that are found missing, and which process leads. */
import type { KubeApi } from '../kube/api.ts';
import { type Auth, loadAuth } from '../kube/auth.ts';
import { createClient, type KubeClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { LeaderElector } from '../kube/leader.ts';
import type { Lifecycle } from '../kube/lifecycle.ts';
import type { Log } from '../kube/log.ts';
import type { MetricsRegistry } from '../kube/metrics.ts';
import { Permissions } from '../kube/permissions.ts';
import type { OperatorConfig } from './config.ts';
import { makeElector } from './election.ts';

export interface ConnectionParts {
  readonly auth: Auth;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  readonly lifecycle: Lifecycle;
}

export interface Connection {
  readonly client: KubeClient;
  /** The client, whose refusals /readyz tells. */
  readonly watched: KubeApi;
  /** Undefined where the settings want none: then this process always leads. */
  readonly elector: LeaderElector | undefined;
  readonly leads: () => boolean;
}

/** Credentials as the settings say. */
export const authOf = ({ kubeconfig, context, inCluster }: OperatorConfig, clock: Clock): Promise<Auth> =>
  loadAuth({
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(inCluster === undefined ? {} : { inCluster }),
    clock,
  });

/** Makes the client and the elector and registers their ends; nothing is asked yet. */
export function connect(config: OperatorConfig, parts: ConnectionParts): Connection {
  const { auth, clock, log, metrics, lifecycle } = parts;
  const client = createClient(auth, {
    userAgent: `ballast-operator/${config.identity}`,
    clock,
    observer: metrics,
    qps: config.qps,
    burst: config.burst,
  });
  lifecycle.onStop('connections', 'client', () => client.close());
  const permissions = new Permissions({ clock, log, observer: metrics });
  lifecycle.addCheck('permissions', () => permissions.missing());
  const elector = makeElector(config, { auth, clock, log, observer: metrics, lifecycle, permissions });
  return {
    client,
    watched: permissions.watch(client),
    elector,
    leads: () => elector === undefined || elector.leading,
  };
}
