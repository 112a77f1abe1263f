/** One run of `ballast start`: brings everything up, tells what happens, takes it down in order. */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { kind, modelDeployments } from '../../crds/constants.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { buildBundles, podNodeEnv, podNodeFlags } from '../../local/bundles.ts';
import { type Cluster, startCluster } from '../../local/cluster.ts';
import { localGatewayImage } from '../../local/gateway-image.ts';
import { provideTools } from '../../local/tools.ts';
import { follow } from './follow.ts';
import { writeKubectlPlugin } from './kubectl-plugin.ts';
import { asAppliedByKubectl, type Manifest, manifestForFile, manifestFromYaml } from './manifest.ts';
import type { Narrator } from './narrator.ts';
import { tellNextSteps } from './next-steps.ts';
import { OperatorProcess } from './operator-process.ts';
import type { StartOptions } from './options.ts';
import { showTour } from './tour.ts';

export interface Session {
  readonly options: StartOptions;
  readonly stateDir: string;
  readonly checkout: string;
  readonly narrator: Narrator;
  readonly env: NodeJS.ProcessEnv;
  /** Resolves when the user wants to stop. */
  readonly stop: Promise<unknown>;
}

const namespace = 'default';
const podImage = 'ballast/inference-pod';
const operatorImage = 'ballast/operator';
/** Cores that the node says it has: pods of a laptop share what there is, and no sample should wait for a core. */
const nodeCores = '64';

/** Folders that pods see, by the path that a `file://` URI names. */
const modelFolders = ({ options, checkout }: Session): Record<string, string> => ({
  '/samples': join(checkout, 'samples'),
  ...(options.modelFile === undefined ? {} : { '/models': dirname(options.modelFile) }),
});

function startEmbedded(session: Session, bundles: string): Promise<Cluster> {
  const { options, stateDir } = session;
  const paths = modelFolders(session);
  return startCluster({
    stateDir,
    node: { cpu: nodeCores },
    ...(options.singleAddress === undefined ? {} : { singleAddress: options.singleAddress }),
    imageMap: {
      [podImage]: {
        command: [process.execPath, ...podNodeFlags, join(bundles, 'inference-pod.mjs')],
        env: {
          BALLAST_FILE_ROOTS: Object.keys(paths).join(':'),
          NODE_COMPILE_CACHE: join(stateDir, 'compile-cache'),
          ORT_DISABLE_TELEMETRY: '1',
          ...podNodeEnv,
        },
        // Placeholders of scaling.headroom run the image's Node.js.
        paths: { ...paths, '/nodejs/bin': dirname(process.execPath) },
      },
      [operatorImage]: localGatewayImage(bundles, stateDir),
    },
  });
}

function manifestOf({ options, checkout }: Session): Manifest | undefined {
  if (options.modelFile !== undefined) return manifestForFile(options.modelFile, options.name);
  return options.sample ? manifestFromYaml(join(checkout, 'samples/wine/modeldeployment.yaml')) : undefined;
}

function startOperator(session: Session, cluster: Cluster, bundles: string): OperatorProcess {
  const { narrator, stateDir, options } = session;
  const logFile = join(stateDir, 'operator.log');
  rmSync(logFile, { force: true });
  const operator = new OperatorProcess({
    bundle: join(bundles, 'operator.mjs'),
    logFile,
    env: {
      PATH: session.env.PATH ?? '',
      HOME: session.env.HOME ?? '',
      KUBECONFIG: cluster.kubeconfigPath,
      NODE_COMPILE_CACHE: join(stateDir, 'compile-cache'),
      BALLAST_OPERATOR_IMAGE: podImage,
      BALLAST_OPERATOR_GATEWAY_IMAGE: operatorImage,
      // Where pods share one address, two gateways cannot listen at the same port.
      ...(cluster.singleAddress ? { BALLAST_OPERATOR_GATEWAY_REPLICAS: '1' } : {}),
      BALLAST_OPERATOR_FILE_ROOTS: Object.keys(modelFolders(session)).join(','),
      BALLAST_OPERATOR_OPS_HOST: '127.0.0.1',
      BALLAST_OPERATOR_OPS_PORT: '0',
      // One operator, which is started again only when it has ended: a busy or sleeping machine must not cost it a lease.
      BALLAST_OPERATOR_LEADER_ELECT: 'false',
    },
    ...(options.verbose ? { onLog: (chunk: string) => process.stdout.write(chunk) } : {}),
    onStart: (pid) => cluster.watchProcess(pid),
    onUnexpectedEnd: (how, restartMs) =>
      narrator.step(
        `the operator ended by itself (${how}); it is started again in ${restartMs / 1000} s, pods go on serving`,
      ),
  });
  operator.start();
  return operator;
}

/** Applies CRD and model, as `kubectl apply` would. */
function applyObjects(
  { checkout, narrator }: Session,
  cluster: Cluster,
  manifest: Manifest | undefined,
): void {
  const crd = load(
    readFileSync(join(checkout, 'crds/generated/modeldeployment.crd.yaml'), 'utf8'),
  ) as KubeObject;
  cluster.registry.create(resources.customResourceDefinitions, crd, { fieldManager: 'ballast-start' });
  if (manifest === undefined) return;
  const object = asAppliedByKubectl(manifest, namespace) as unknown as KubeObject;
  cluster.registry.create(modelDeployments, object, { namespace, fieldManager: 'kubectl-client-side-apply' });
  narrator.step(`applied ${kind} "${manifest.metadata.name}"`);
}

/** Runs one session until `stop`; resolves to the exit code. What was started is ended, whatever happens. */
export async function runSession(session: Session): Promise<number> {
  const { narrator, stateDir, checkout } = session;
  const undo: (() => Promise<unknown> | unknown)[] = [];
  let stopped = false;
  const stop = session.stop.then(() => {
    stopped = true;
  });
  try {
    const bundles = await buildBundles(checkout, stateDir);
    narrator.step(`operator and inference pod ${bundles.cached ? 'were built before' : 'built'}`);
    const cluster = await startEmbedded(session, bundles.directory);
    undo.push(() => cluster.close());
    narrator.step(`API server, controllers and kubelet run at ${cluster.url}`);
    const manifest = manifestOf(session);
    applyObjects(session, cluster, manifest);
    const operator = startOperator(session, cluster, bundles.directory);
    undo.push(() => operator.stop());
    narrator.step('operator started');
    undo.push(follow(cluster.registry, modelDeployments, narrator));
    const tools = provideTools(stateDir).then(async (found) => {
      if (found.binDir !== undefined) await writeKubectlPlugin(found.binDir, checkout);
      return found;
    });
    const tour =
      manifest === undefined
        ? tools.then(({ binDir }) => {
            narrator.line();
            tellNextSteps({
              narrator,
              checkout,
              kubeconfigPath: cluster.kubeconfigPath,
              binDir,
              commands: ['kubectl apply -f samples/wine/modeldeployment.yaml', 'kubectl get md -w'],
            });
          })
        : showTour({
            narrator,
            name: manifest.metadata.name,
            modelUri: (manifest.spec.model as { uri: string }).uri,
            checkout,
            stateDir,
            kubeconfigPath: cluster.kubeconfigPath,
            tools,
            serviceUrl: () => cluster.serviceUrl(namespace, manifest.metadata.name, 8080),
            stopped: () => stopped,
          });
    await Promise.all([stop, tour, tools]);
    narrator.line();
    narrator.step('stopping: pods drain, then nothing of this is left');
    return 0;
  } finally {
    for (const step of undo.reverse()) await step();
    if (undo.length > 0) narrator.step('stopped');
  }
}
