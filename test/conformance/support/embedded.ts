/** The embedded server in this process with the controllers of a control plane, and like one without any node. */
import { realClock } from '../../../kube/clock.ts';
import { resources } from '../../../kube/resource.ts';
import { type ApiServer, startApiServer } from '../../../local/apiserver/index.ts';
import { ClusterCache } from '../../../local/controllers/cache.ts';
import { startDeploymentController } from '../../../local/controllers/deployment/controller.ts';
import { startDisruptionController } from '../../../local/controllers/disruption.ts';
import { startEndpointSliceController } from '../../../local/controllers/endpoint-slices.ts';
import { EventLog } from '../../../local/controllers/events.ts';
import { registryAccess } from '../../../local/controllers/registry-access.ts';
import { startReplicaSetController } from '../../../local/controllers/replicaset.ts';

export interface EmbeddedServer {
  readonly url: string;
  readonly token: string;
  readonly server: ApiServer;
  readonly close: () => Promise<void>;
}

const followed = [
  resources.pods,
  resources.services,
  resources.deployments,
  resources.replicaSets,
  resources.endpointSlices,
  resources.podDisruptionBudgets,
];

/** Starts one on a free port of loopback, with TLS as users get it if asked. */
export async function startEmbedded(options: { tls?: boolean } = {}): Promise<EmbeddedServer> {
  const server = await startApiServer(options);
  const access = registryAccess(server.registry, 'kube-controller-manager');
  const log = () => undefined;
  const events = new EventLog(access, realClock, log);
  const cache = new ClusterCache(access, followed);
  const parts = { cache, events, clock: realClock, log };
  const loops = [
    startDeploymentController(parts),
    startReplicaSetController(parts),
    startEndpointSliceController(parts),
    startDisruptionController(parts),
  ];
  return {
    url: server.url,
    token: server.token,
    server,
    async close() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await events.flush();
      cache.close();
      await server.close();
    },
  };
}
