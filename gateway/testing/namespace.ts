/** A namespace of the embedded API server with what a gateway reads there. */
import type { GatewayRoutes } from '../../crds/routes.ts';
import { staticAuth } from '../../kube/auth.ts';
import { createClient, type KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { type ApiServer, startApiServer } from '../../local/apiserver/index.ts';
import type { PodAddress } from '../balance/address.ts';

const fieldManager = 'test';
export const namespace = 'default';
const managed = { 'app.kubernetes.io/managed-by': 'ballast' };

export interface TestNamespace {
  readonly server: ApiServer;
  readonly client: KubeClient;
  /** Writes the ConfigMap of a model's routes. */
  setRoutes(routes: GatewayRoutes | Record<string, unknown>, name?: string): Promise<void>;
  deleteRoutes(name: string): Promise<void>;
  /** Writes the EndpointSlices of a Service, one for each pod, since each has a port of its own here. */
  setPods(service: string, pods: readonly PodAddress[]): Promise<void>;
  setGateways(names: readonly string[]): Promise<void>;
  createDeployment(name: string, replicas: number): Promise<void>;
  replicasOf(name: string): Promise<number>;
  close(): Promise<void>;
}

export const routesOf = (port: number, changes: Partial<GatewayRoutes> = {}): GatewayRoutes => ({
  version: 1,
  model: 'wine',
  port,
  backends: [{ revision: 'a', service: 'wine-a', deployment: 'wine-a', weight: 1 }],
  timeoutMs: 5_000,
  shedAt: 'Timeout',
  latency: [{ percentile: 'p95', targetMs: 50 }],
  ...changes,
});

export async function startNamespace(): Promise<TestNamespace> {
  const server = await startApiServer();
  const client = createClient(staticAuth(server.url, server.token), { qps: 10_000, burst: 10_000 });
  const slice = (name: string, labels: Record<string, string>, rest: object): KubeObject =>
    ({
      metadata: { name, namespace, labels: { ...managed, ...labels } },
      addressType: 'IPv4',
      ...rest,
    }) as never;
  const slices = new Map<string, number>();
  return {
    server,
    client,
    setRoutes: async (routes, name = 'wine-routes') => {
      await client.apply(
        resources.configMaps,
        {
          metadata: { name, namespace, labels: { ...managed, 'ballast.dev/routes': 'true' } },
          data: { 'routes.json': JSON.stringify(routes) },
        } as never,
        { fieldManager },
      );
    },
    deleteRoutes: (name) => client.delete(resources.configMaps, { name, namespace }),
    setPods: async (service, pods) => {
      const before = slices.get(service) ?? 0;
      slices.set(service, pods.length);
      for (let i = 0; i < Math.max(before, pods.length); i += 1) {
        const pod = pods[i];
        const name = `${service}-${i}`;
        if (pod === undefined) {
          await client.delete(resources.endpointSlices, { name, namespace });
          continue;
        }
        const port = (portName: string, at: { port: number } | undefined) =>
          at === undefined ? [] : [{ name: portName, port: at.port, protocol: 'TCP' }];
        await client.apply(
          resources.endpointSlices,
          slice(
            name,
            { 'kubernetes.io/service-name': service },
            {
              endpoints: [
                {
                  addresses: [pod.http.host],
                  conditions: { ready: pod.ready },
                  targetRef: { kind: 'Pod', name: pod.name, namespace },
                },
              ],
              ports: [...port('http', pod.http), ...port('grpc', pod.grpc), ...port('ops', pod.ops)],
            },
          ),
          { fieldManager },
        );
      }
    },
    setGateways: async (names) => {
      await client.apply(
        resources.endpointSlices,
        slice(
          'ballast-gateway-x',
          {
            'kubernetes.io/service-name': 'ballast-gateway',
            'app.kubernetes.io/component': 'gateway',
          },
          {
            endpoints: names.map((name, i) => ({
              addresses: [`10.0.0.${i + 1}`],
              conditions: { ready: true },
              targetRef: { kind: 'Pod', name, namespace },
            })),
            ports: [{ name: 'ops', port: 8081, protocol: 'TCP' }],
          },
        ),
        { fieldManager },
      );
    },
    createDeployment: async (name, replicas) => {
      await client.create(resources.deployments, {
        metadata: { name, namespace },
        spec: {
          replicas,
          selector: { matchLabels: { a: name } },
          template: { metadata: { labels: { a: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      } as never);
    },
    replicasOf: async (name) => {
      const object = await client.get<KubeObject & { spec: { replicas: number } }>(resources.deployments, {
        name,
        namespace,
      });
      return object.spec.replicas;
    },
    close: async () => {
      await client.close();
      await server.close();
    },
  };
}
