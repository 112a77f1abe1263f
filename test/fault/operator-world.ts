/** A fault world with the controllers of the embedded cluster, a fake kubelet and the real operator behind the proxies. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import { staticAuth } from '../../kube/auth.ts';
import type { Deployment, KubeObject, Pod } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { ClusterCache } from '../../local/controllers/cache.ts';
import { startDeploymentController } from '../../local/controllers/deployment/controller.ts';
import { startDisruptionController } from '../../local/controllers/disruption.ts';
import { startEndpointSliceController } from '../../local/controllers/endpoint-slices.ts';
import { EventLog } from '../../local/controllers/events.ts';
import { startNode } from '../../local/controllers/node.ts';
import { registryAccess } from '../../local/controllers/registry-access.ts';
import { startReplicaSetController } from '../../local/controllers/replicaset.ts';
import { startScheduler } from '../../local/controllers/scheduler.ts';
import { PodAddresses } from '../../local/kubelet/addresses.ts';
import { startFakeKubelet } from '../../local/kubelet/fake-kubelet.ts';
import { parseConfig } from '../../operator/config.ts';
import { type Operator, startOperator } from '../../operator/operator.ts';
import { operatorFlags } from '../operator-flags.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { World } from './world.ts';

export type Model = ModelDeployment & KubeObject;

const crdPath = join(import.meta.dirname, '../../crds/generated/modeldeployment.crd.yaml');
const hostIP = '127.0.0.1';
const nodeName = 'local';
const followed = [
  resources.pods,
  resources.services,
  resources.configMaps,
  resources.secrets,
  resources.persistentVolumeClaims,
  resources.nodes,
  resources.deployments,
  resources.replicaSets,
  resources.endpointSlices,
  resources.podDisruptionBudgets,
];

/** Starts the cluster; pods become Ready after `readyAfterMs` of simulated time. */
export async function startOperatorWorld(seed: number, readyAfterMs: number): Promise<World> {
  const world = await World.start(seed);
  try {
    await furnish(world, readyAfterMs);
    return world;
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function furnish(world: World, readyAfterMs: number): Promise<void> {
  const { clock } = world;
  const { registry } = world.server;
  const access = registryAccess(registry, 'kube-controller-manager');
  const log = () => {};
  const events = new EventLog(access, clock, log);
  const cache = new ClusterCache(access, followed);
  const parts = { cache, events, clock, log };
  const stopNode = await startNode(
    cache,
    clock,
    nodeName,
    hostIP,
    { cpu: '64', memory: '256Gi', pods: 1000 },
    log,
  );
  const loops = [
    startDeploymentController(parts),
    startReplicaSetController(parts),
    startEndpointSliceController(parts),
    startDisruptionController(parts),
    startScheduler({ ...parts, nodeName }),
  ];
  const stopKubelet = startFakeKubelet({
    ...parts,
    nodeName,
    hostIP,
    addresses: new PodAddresses('127.250'),
    readyAfterMs,
    initMessage: () =>
      JSON.stringify({ sha256: 'ab'.repeat(32), bytes: 1, uri: 'file:///samples/m/model.onnx' }),
  });
  world.onClose(async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
    await stopKubelet();
    await stopNode();
    await events.flush();
    cache.close();
  });
  registry.create(resources.customResourceDefinitions, load(readFileSync(crdPath, 'utf8')) as KubeObject);
  await world.settle();
}

/** One more operator process with a network of its own; `standsBy` when it is not to lead yet. */
export async function startOperatorIn(
  world: World,
  name: string,
  { more = [], standsBy = false }: { readonly more?: readonly string[]; readonly standsBy?: boolean } = {},
): Promise<{ readonly operator: Operator; readonly proxy: FaultProxy }> {
  const { proxy } = await world.link();
  const operator = await startOperator(parseConfig([...operatorFlags, '--identity', name, ...more], {}), {
    auth: staticAuth(proxy.url, world.server.token),
    clock: world.clock,
  });
  world.onClose(() => operator.stop());
  let runs = standsBy;
  operator.whenRunning().then(
    () => {
      runs = true;
    },
    () => {},
  );
  await world.until(() => runs, `${name} runs`, 30_000);
  return { operator, proxy };
}

export function createModel(world: World, name: string, replicas: number): void {
  world.server.registry.create(modelDeployments, {
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { namespace: 'default', name },
    spec: { model: { uri: `file:///samples/${name}/model.onnx` }, scaling: { mode: 'Fixed', replicas } },
  } as KubeObject);
}

/** Edits the spec as a user does. */
export function editModel(world: World, name: string, change: (spec: Model['spec']) => void): void {
  world.server.registry.edit<Model>(modelDeployments, { namespace: 'default', name }, (draft) =>
    change(draft.spec),
  );
}

export const modelsOf = (world: World): readonly Model[] =>
  world.server.registry.list<Model>(modelDeployments).items;

export const listOf = <T extends KubeObject>(world: World, type: ResourceType): readonly T[] =>
  world.server.registry.list<T>(type, { namespace: 'default' }).items;

export const isReadyPod = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');

/** What keeps the world from being as the specs say; empty when every model is Ready, whole, and nothing is left over. */
export function unmetModels(world: World): string[] {
  const problems: string[] = [];
  const models = modelsOf(world);
  const pods = listOf<Pod>(world, resources.pods);
  const deployments = listOf<Deployment>(world, resources.deployments);
  for (const model of models) {
    const { name = '', generation } = model.metadata;
    const ready = model.status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True' || ready.observedGeneration !== generation)
      problems.push(
        `${name}: Ready=${ready?.status} ${ready?.reason} for generation ${ready?.observedGeneration} of ${generation}`,
      );
    const wanted = model.spec.scaling.replicas;
    const mine = pods.filter((pod) => pod.metadata.labels?.['ballast.dev/model-deployment'] === name);
    if (mine.length !== wanted || mine.filter(isReadyPod).length !== wanted)
      problems.push(
        `${name}: ${mine.filter(isReadyPod).length} of ${mine.length} pods ready, wanted ${wanted}`,
      );
    const own = deployments.filter((one) => one.metadata.labels?.['ballast.dev/model-deployment'] === name);
    if (own.length !== 1) problems.push(`${name}: ${own.length} Deployments`);
  }
  return problems;
}

/** ESR for models: as `expectStable` of family.ts, with the writes that the proxies saw. */
export async function expectModelsStable(
  world: World,
  proxies: readonly FaultProxy[],
  limitMs: number,
  what: string,
  lastWritesMs = 5000,
): Promise<number> {
  let tookMs: number;
  try {
    tookMs = await world.until(() => unmetModels(world).length === 0, what, limitMs);
  } catch (error) {
    throw new Error(`${what}: ${unmetModels(world).join('; ')}`, { cause: error });
  }
  await world.run(lastWritesMs);
  const writes = () =>
    proxies.flatMap((proxy) => proxy.writes().filter(({ resource }) => resource !== 'events'));
  const before = writes().length;
  await world.run(600_000);
  const extra = writes().slice(before);
  if (extra.length > 0)
    throw new Error(
      `${what}: ${extra.length} writes in quiet: ${extra[0]?.method} ${extra[0]?.path} ${extra[0]?.body.slice(0, 300)}`,
    );
  const problems = unmetModels(world);
  if (problems.length > 0) throw new Error(`${what}: did not last: ${problems.join('; ')}`);
  return tookMs;
}
