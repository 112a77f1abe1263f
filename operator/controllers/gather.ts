/** All reads of a reconcile: from caches and memory into one Snapshot. */
import type { ModelDeployment } from '../../crds/types.ts';
import type { Pod } from '../../kube/objects.ts';
import type { ObjectKey } from '../../kube/resource.ts';
import type { NodesReading } from '../model/cost.ts';
import type { GatewayReading } from '../model/gateway/path.ts';
import type { HeadroomReading } from '../model/headroom/reading.ts';
import type { Measured } from '../model/scaling/measured.ts';
import type { Known } from '../model/scaling/types.ts';
import type { OperatorDefaults, ScalingReading, Snapshot } from '../model/snapshot.ts';
import { type Caches, ofDeployment } from './caches.ts';
import type { Memories } from './memory.ts';

/** What the fleet loop knows of one ModelDeployment. */
export type ReadScaling = (
  deployment: ModelDeployment,
) => (ScalingReading & { readonly measured: Measured }) | undefined;

export interface GatherSources {
  readonly caches: Caches;
  readonly memories: Memories;
  readonly defaults: OperatorDefaults;
  readonly readScaling: ReadScaling;
  /** The gateway of the deployment's namespace, where it wants one; absent where nobody makes gateways. */
  readonly readGateway?: (deployment: ModelDeployment) => GatewayReading | undefined;
  /** The room that it keeps ahead of need; absent where nobody keeps any. */
  readonly readHeadroom?: (deployment: ModelDeployment) => HeadroomReading | undefined;
  /** The nodes of these pods; absent where nobody reads any. */
  readonly readNodes?: (pods: readonly Pod[]) => NodesReading;
  /** Keys that wait for their turn; absent where nobody counts them. */
  readonly backlog?: () => number;
  /** Wall clock. */
  readonly nowMs: () => number;
}

/** The Snapshot of one ModelDeployment; undefined when it does not exist. */
export function gather(key: ObjectKey, sources: GatherSources): Snapshot | undefined {
  const { caches, memories, defaults, readScaling, readGateway, readHeadroom, readNodes, backlog, nowMs } =
    sources;

  const deployment = caches.modelDeployments.store.get(key);
  if (deployment === undefined) return undefined;
  const reading = readScaling(deployment);
  const scaling: Known<ScalingReading> = reading ?? 'unknown';
  const gateway = readGateway?.(deployment);
  const headroom = readHeadroom?.(deployment);
  const pods = caches.pods.store.byIndex(ofDeployment, key);
  return {
    nowMs: nowMs(),
    defaults,
    fleetSize: caches.modelDeployments.store.size,
    ...(backlog === undefined ? {} : { backlog: backlog() }),
    deployment,
    children: {
      serviceAccounts: caches.serviceAccounts.store.byIndex(ofDeployment, key),
      configMaps: caches.configMaps.store.byIndex(ofDeployment, key),
      controllerRevisions: caches.controllerRevisions.store.byIndex(ofDeployment, key),
      services: caches.services.store.byIndex(ofDeployment, key),
      networkPolicies: caches.networkPolicies.store.byIndex(ofDeployment, key),
      deployments: caches.deployments.store.byIndex(ofDeployment, key),
      podDisruptionBudgets: caches.podDisruptionBudgets.store.byIndex(ofDeployment, key),
    },
    replicaSets: caches.replicaSets.store.byIndex(ofDeployment, key),
    pods,
    ...(readNodes === undefined ? {} : { nodes: readNodes(pods) }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(headroom === undefined ? {} : { headroom }),
    scaling,
    measured: reading?.measured ?? 'unknown',
    memory: memories.of(deployment.metadata.uid),
  };
}
