/** The embedded cluster with real pods and the operator as a process of its own, for a run of the bench. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { OperatorProcess } from '../../cli/start/operator-process.ts';
import { labels, modelDeployments } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import { loadAuth } from '../../kube/auth.ts';
import { createClient, type KubeClient } from '../../kube/client.ts';
import type { KubeObject, Pod } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { type Bundles, buildBundles, podNodeEnv, podNodeFlags } from '../../local/bundles.ts';
import { startCluster } from '../../local/cluster.ts';
import { localGatewayImage } from '../../local/gateway-image.ts';
import { until as untilThere } from '../../test/until.ts';

const root = join(import.meta.dirname, '../..');
export const namespace = 'default';

export interface EmbeddedBed {
  readonly api: KubeClient;
  readonly bundles: Bundles;
  /** Makes a ModelDeployment of a file in the folder that `/models` is. */
  create(name: string, file: string, spec: object): Promise<void>;
  patch(name: string, spec: object): Promise<void>;
  read(name: string): Promise<ModelDeployment>;
  pods(name: string): Promise<Pod[]>;
  /** Where callers reach it; undefined while nothing listens. */
  url(name: string): string | undefined;
  close(): Promise<void>;
}

/** Whether a pod is Ready and stays. */
export const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');

/** Polls until `probe` is true; throws with what was missing. */
export const until = (what: string, probe: () => Promise<boolean>, timeoutMs = 120_000) =>
  untilThere(what, probe, timeoutMs, 20);

/** Starts everything; `models` is the folder of model files. */
export async function startEmbeddedBed(models: string): Promise<EmbeddedBed> {
  const work = join(root, '.ballast');
  mkdirSync(work, { recursive: true });
  const stateDir = mkdtempSync(join(work, 'bench-fidelity-'));
  const bundles = await buildBundles(root, work);
  const cluster = await startCluster({
    stateDir,
    node: { cpu: '64', memory: '256Gi', pods: 1_000 },
    imageMap: {
      'ballast/inference-pod': {
        command: [process.execPath, ...podNodeFlags, join(bundles.directory, 'inference-pod.mjs')],
        env: {
          BALLAST_FILE_ROOTS: '/models',
          NODE_COMPILE_CACHE: join(work, 'compile-cache'),
          ORT_DISABLE_TELEMETRY: '1',
          ...podNodeEnv,
        },
        paths: { '/models': models },
      },
      'ballast/operator': localGatewayImage(bundles.directory, stateDir),
    },
  });
  const operator = new OperatorProcess({
    bundle: join(bundles.directory, 'operator.mjs'),
    logFile: join(stateDir, 'operator.log'),
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      KUBECONFIG: cluster.kubeconfigPath,
      BALLAST_OPERATOR_IMAGE: 'ballast/inference-pod',
      BALLAST_OPERATOR_GATEWAY_IMAGE: 'ballast/operator',
      // One gateway: a second one is for outages, and this is a machine of few cores.
      BALLAST_OPERATOR_GATEWAY_REPLICAS: '1',
      BALLAST_OPERATOR_FILE_ROOTS: '/models',
      BALLAST_OPERATOR_OPS_HOST: '127.0.0.1',
      BALLAST_OPERATOR_OPS_PORT: '0',
      BALLAST_OPERATOR_LEASE_NAMESPACE: 'kube-system',
    },
    onStart: (pid) => cluster.watchProcess(pid),
    onUnexpectedEnd: (how) => console.error(`the operator ended by itself (${how})`),
  });
  const api = createClient(await loadAuth({ kubeconfig: cluster.kubeconfigPath }));
  // Ctrl-C ends everything too; a second one does not wait for it.
  const interrupted = () => void close().finally(() => process.exit(130));
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, interrupted);
  const close = async () => {
    for (const signal of signals) process.off(signal, interrupted);
    await operator.stop();
    await api.close();
    await cluster.close();
    rmSync(stateDir, { recursive: true, force: true });
  };
  try {
    const crd = readFileSync(join(root, 'crds/generated/modeldeployment.crd.yaml'), 'utf8');
    await api.create(resources.customResourceDefinitions, load(crd) as KubeObject);
    operator.start();
  } catch (error) {
    await close();
    throw error;
  }
  const read = (name: string) => api.get<ModelDeployment & KubeObject>(modelDeployments, { namespace, name });
  return {
    api,
    bundles,
    async create(name, file, spec) {
      const object = {
        apiVersion: 'ballast.dev/v1alpha1',
        kind: 'ModelDeployment',
        metadata: { name, namespace },
        spec: { model: { uri: `file:///models/${file}` }, ...spec },
      };
      await api.create(modelDeployments, object as KubeObject);
    },
    async patch(name, spec) {
      await api.patch(
        modelDeployments,
        { namespace, name },
        { spec },
        { patchType: 'application/merge-patch+json' },
      );
    },
    read,
    pods: async (name) =>
      (await api.list<Pod>(resources.pods, { namespace, labelSelector: `${labels.deployment}=${name}` }))
        .items,
    url: (name) => cluster.serviceUrl(namespace, name, 8080),
    close,
  };
}
