/** The cluster of the end-to-end suite: two real nodes, the images, real kubectl and helm, a namespace for models. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { request } from 'undici';
import { labels, modelDeployments } from '../../../crds/constants.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import { loadAuth } from '../../../kube/auth.ts';
import { createClient, type KubeClient } from '../../../kube/client.ts';
import type { KubeObject, Pod, Service } from '../../../kube/objects.ts';
import { resources } from '../../../kube/resource.ts';
import { provideTools } from '../../../local/tools.ts';
import { buildImages, type Images } from '../../../scripts/images.ts';
import { until } from '../../until.ts';
import { type RealCluster, startRealCluster } from '../cluster.ts';
import { figuresText, type Load, type LoadFigures, startLoad } from './load.ts';
import { type ModelServer, startModelServer } from './model-server.ts';

export const root = join(import.meta.dirname, '../../..');
export const chart = join(root, 'charts/ballast');
/** Where the release lives, and where the models do. */
export const releaseNamespace = 'ballast-system';
export const namespace = 'models';
export const installValues = [`watch.namespaces={${namespace}}`, 'nodes.read=true'];

/** Models of several rows: the first prediction, and the load whose replicas fall while others run. */
const kept = ['wine', 'busy'];

type Model = ModelDeployment & KubeObject;

export interface Bed {
  readonly cluster: RealCluster;
  readonly api: KubeClient;
  readonly images: { readonly operator: string; readonly inferencePod: string };
  /** Serves the sample wine over HTTPS at `/wine.onnx`, as a company's own server would. */
  readonly server: ModelServer;
  /** Prints one line of the report. */
  say(line: string): void;
  kubectl(...args: string[]): Promise<string>;
  /** helm 4, or 3 where it is asked for. */
  helm(args: readonly string[], major?: 3 | 4): Promise<string>;
  /** Applies a manifest, as kubectl does. */
  apply(manifest: unknown): Promise<void>;
  /** Creates or changes a ModelDeployment. */
  model(name: string, spec: Record<string, unknown>): Promise<void>;
  read(name: string): Promise<Model>;
  podsOf(name: string): Promise<Pod[]>;
  /** Waits until what was written last serves, whole. */
  untilReady(name: string, timeoutMs?: number): Promise<Model>;
  /** URL of the model behind its ClusterIP, reached from the host. */
  urlOf(name: string): Promise<string>;
  /** The first answer, whatever it is. */
  infer(name: string, body: string): Promise<{ status: number; text: string }>;
  /** Sends load while `work` is done and for two seconds more, prints what came of it under this title, and returns both. */
  during<T>(
    title: string,
    load: { model: string; sample: string; requestsPerSecond: number; timeoutMs?: number },
    work: (load: Load) => Promise<T>,
  ): Promise<{ result: T; figures: LoadFigures }>;
  /** Deletes every model that a row made for itself alone. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export const sampleFile = (name: string, file: string): string =>
  readFileSync(join(root, 'samples', name, file), 'utf8');

/** Archives that were built before, operator's first, as `BALLAST_KUBE_IMAGES` names them; else they are built from these sources. */
async function imagesFor(stateDir: string, say: (line: string) => void): Promise<Images> {
  const [operator, inferencePod] = process.env.BALLAST_KUBE_IMAGES?.split(delimiter) ?? [];
  if (operator === undefined || inferencePod === undefined) return buildImages({ stateDir, say });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const named = (image: string, archive: string) => ({
    name: `docker.io/ballast/${image}:${version}`,
    archive,
  });
  return { operator: named('operator', operator), inferencePod: named('inference-pod', inferencePod) };
}

/**
 * Starts the cluster with both images on both nodes, and makes the namespaces, in which pods must fit `restricted`. Models
 * by the path at which the server is to have them beside wine.
 */
export async function startBed(
  say: (line: string) => void,
  models: Readonly<Record<string, Uint8Array>> = {},
): Promise<Bed> {
  const stateDir = join(root, '.ballast');
  const [images, four, three] = await Promise.all([
    imagesFor(stateDir, say),
    provideTools(stateDir),
    provideTools(stateDir, '32'),
  ]);
  const cluster = await startRealCluster({
    nodes: 2,
    audit: true,
    images: [images.operator.archive, images.inferencePod.archive],
    say,
  });
  const server = await startModelServer(join(cluster.dir, 'server'), new URL(cluster.url).hostname, {
    '/wine.onnx': readFileSync(join(root, 'samples/wine/model.onnx')),
    ...models,
  });
  const api = createClient(await loadAuth({ kubeconfig: cluster.kubeconfigPath }), { userAgent: 'e2e' });
  const env = { ...process.env, KUBECONFIG: cluster.kubeconfigPath };
  const run = async (command: string, args: readonly string[], stdin?: string): Promise<string> => {
    const running = promisify(execFile)(command, [...args], { env, maxBuffer: 64 << 20 });
    running.child.stdin?.end(stdin);
    try {
      return (await running).stdout;
    } catch (error) {
      const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
      throw new Error(`${[command.split('/').at(-1), ...args].join(' ')}: ${stderr}${stdout}`);
    }
  };
  for (const name of [releaseNamespace, namespace])
    await api.create(resources.namespaces, {
      metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
  const ref = (name: string) => ({ namespace, name });
  const read = (name: string) => api.get<Model>(modelDeployments, ref(name));
  const urlOf = async (name: string) => {
    const { spec } = await api.get<Service>(resources.services, ref(name));
    return `http://${spec.clusterIP}:8080/v2/models/${name}`;
  };
  const bed: Bed = {
    cluster,
    api,
    server,
    images: { operator: images.operator.name, inferencePod: images.inferencePod.name },
    say,
    kubectl: (...args) => run(four.kubectl, args),
    helm: (args, major = 4) => run(major === 4 ? four.helm : three.helm, args),
    apply: async (manifest) =>
      void (await run(
        four.kubectl,
        ['apply', '-n', namespace, '-f', '-'],
        typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
      )),
    model: (name, spec) =>
      bed.apply({
        apiVersion: 'ballast.dev/v1alpha1',
        kind: 'ModelDeployment',
        metadata: { name },
        spec,
      }),
    read,
    podsOf: async (name) =>
      (await api.list<Pod>(resources.pods, { namespace, labelSelector: `${labels.deployment}=${name}` }))
        .items,
    async untilReady(name, timeoutMs = 90_000) {
      const ready = until(
        `${name} is Ready`,
        async () => {
          const model = await read(name);
          const ready = model.status?.conditions?.find(({ type }) => type === 'Ready');
          if (ready?.status === 'True' && ready.observedGeneration === model.metadata.generation)
            return model;
          throw new Error(`${ready?.reason}: ${ready?.message}`);
        },
        timeoutMs,
      );
      // What a person would look at next.
      ready.catch(async () => say(await bed.kubectl('get', 'pods', '-A', '-o', 'wide')));
      return ready;
    },
    urlOf,
    infer: async (name, body) => {
      const url = `${await urlOf(name)}/infer`;
      // The model may be Ready a moment before kube-proxy knows its Service.
      return until(`an answer of ${name}`, async () => {
        const answer = await request(url, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
          // A kept connection goes on to where the Service led when it was opened: to a pod, past a gateway that came since.
          reset: true,
          signal: AbortSignal.timeout(5_000),
        });
        return { status: answer.statusCode, text: await answer.body.text() };
      });
    },
    async during(title, { model, sample, ...rate }, work) {
      const url = `${await urlOf(model)}/infer`;
      const body = sampleFile(sample, 'golden/request.json');
      await bed.infer(model, body);
      const load = startLoad({ url, body, ...rate });
      let figures: LoadFigures | undefined;
      try {
        const result = await work(load);
        // What breaks late, a connection that a pod's end cut, is to be seen too.
        await load.succeed(2 * rate.requestsPerSecond);
        figures = await load.stop();
        return { result, figures };
      } finally {
        figures ??= await load.stop();
        say(`${title}: ${figuresText(figures)}`);
      }
    },
    async clear() {
      const { items } = await api.list<KubeObject>(modelDeployments, { namespace });
      const names = items.map(({ metadata }) => metadata.name ?? '').filter((name) => !kept.includes(name));
      if (names.length > 0) await bed.kubectl('delete', 'md', '-n', namespace, ...names);
    },
    async stop() {
      await api.close();
      await server.close();
      await cluster.stop();
    },
  };
  return bed;
}
