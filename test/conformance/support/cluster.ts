/** The server under test and a namespace of one's own in it. Default: the embedded server; with a kubeconfig, any. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll } from '@jest/globals';
import { load } from 'js-yaml';
import { type Auth, loadAuth, staticAuth } from '../../../kube/auth.ts';
import { pathOf, type ResourceType, resources } from '../../../kube/resource.ts';
import { type ApiServer, kubeconfigText } from '../../../local/apiserver/index.ts';
import { type Answer, type Body, type Client, openClient } from './client.ts';
import { said } from './words.ts';

export interface Cluster extends Client {
  /** Namespace of this test file. */
  readonly namespace: string;
  /** True against a real API server. */
  readonly real: boolean;
  /** The embedded server, where that is what is tested. */
  readonly embedded?: ApiServer;
  /** Address of the server. */
  readonly server: string;
  /** Text of a kubeconfig whose namespace is this file's. */
  kubeconfig(): string;
  /** Path of a collection, object or subresource of a built-in kind, in this file's namespace. */
  path(plural: string, name?: string, subresource?: string): string;
  /** A name that nobody else uses: for cluster-scoped objects. */
  unique(prefix: string): string;
  /** Asks until the condition holds; the last answer is part of the error. */
  eventually(ask: () => Promise<Answer>, holds: (answer: Answer) => boolean): Promise<Answer>;
  /** Creates a CRD, waits until it serves, and removes it when the file is done; returns its collection's path. */
  install(definition: CustomDefinition): Promise<string>;
  /** Does this first when the file is done, while the server still answers. */
  atEnd(work: () => Promise<void>): void;
  /** Registers an object for removal when the file is done. */
  cleanUp(path: string): void;
}

/** A CustomResourceDefinition, as far as the tests read it. */
export interface CustomDefinition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string }[];
  };
}

const named = (
  group: string,
  version: string,
  plural: string,
  kind: string,
): Record<string, ResourceType> => ({
  [plural]: { group, version, plural, kind, namespaced: true },
});

const byPlural = {
  ...Object.fromEntries(Object.values(resources).map((type) => [type.plural, type])),
  ...named('', 'v1', 'resourcequotas', 'ResourceQuota'),
  ...named('', 'v1', 'limitranges', 'LimitRange'),
  ...named('apps', 'v1', 'statefulsets', 'StatefulSet'),
} as Record<string, ResourceType>;

/** Connects, makes the file's namespace, and registers the clean-up with jest. Call once, at the top of a test file. */
export async function openCluster(options: { tls?: boolean } = {}): Promise<Cluster> {
  const kubeconfig = process.env.CONFORMANCE_KUBECONFIG ?? '';
  const real = kubeconfig !== '';
  let auth: Auth;
  let stopServer = async () => {};
  let embedded: ApiServer | undefined;
  if (real) auth = await loadAuth({ kubeconfig });
  else {
    const { startEmbedded } = await import('./embedded.ts');
    const started = await startEmbedded(options);
    embedded = started.server;
    const { caPem } = embedded;
    const plain = staticAuth(started.url, started.token);
    auth = {
      ...plain,
      credentials: async () => ({
        ...(await plain.credentials()),
        tls: caPem === undefined ? {} : { ca: caPem },
      }),
    };
    stopServer = started.close;
  }
  const client = await openClient(auth);
  const unique = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;
  const namespace = unique('conformance');
  const rubbish: string[] = [];
  const atEnd: (() => Promise<void>)[] = [];

  const eventually: Cluster['eventually'] = async (ask, holds) => {
    const deadlineMs = Date.now() + 20_000;
    for (;;) {
      const answer = await ask();
      if (holds(answer)) return answer;
      if (Date.now() > deadlineMs) throw new Error(`still not so after 20 s: ${said(answer)} ${answer.text}`);
      await delay(real ? 50 : 5);
    }
  };
  const path: Cluster['path'] = (plural, name, subresource) => {
    const type = byPlural[plural];
    if (type === undefined) throw new Error(`kube/resource.ts does not know ${plural}`);
    return pathOf(type, {
      ...(type.namespaced ? { namespace } : {}),
      ...(name === undefined ? {} : { name }),
      ...(subresource === undefined ? {} : { subresource }),
    });
  };

  const made = await client.post('/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  if (made.status !== 201) throw new Error(`no namespace for the tests: ${said(made)}`);
  // A real server refuses pods until a controller has made the namespace's default ServiceAccount.
  if (real)
    await eventually(
      () => client.get(`/api/v1/namespaces/${namespace}/serviceaccounts/default`),
      (answer) => answer.status === 200,
    );

  afterAll(async () => {
    for (const work of atEnd) await work();
    for (const one of rubbish.toReversed()) await client.delete(one);
    await client.delete(`/api/v1/namespaces/${namespace}`);
    await client.close();
    await stopServer();
  }, 60_000);

  return {
    ...client,
    namespace,
    real,
    server: auth.server,
    ...(embedded === undefined ? {} : { embedded }),
    kubeconfig() {
      const text = embedded === undefined ? readFileSync(kubeconfig, 'utf8') : kubeconfigText(embedded);
      const config = load(text) as { contexts: { context: { namespace?: string } }[] };
      for (const { context } of config.contexts) context.namespace = namespace;
      return JSON.stringify(config);
    },
    unique,
    path,
    eventually,
    cleanUp: (one) => rubbish.push(one),
    atEnd: (work) => atEnd.push(work),
    async install(definition) {
      const crdPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions`;
      const one = `${crdPath}/${definition.metadata.name}`;
      // What is there already is brought up to date and stays.
      const before = await client.get(one);
      const update = () => client.apply(one, 'conformance', definition, { force: true });
      let created = before.status === 200 ? await update() : await client.post(crdPath, definition);
      // Another file was quicker.
      if (created.status === 409) created = await update();
      if (created.status !== 201 && created.status !== 200)
        throw new Error(`CRD ${definition.metadata.name}: ${said(created)} ${created.text}`);
      // Files that run at the same time share Ballast's own definition: it stays.
      if (created.status === 201 && definition.spec.group !== 'ballast.dev') rubbish.push(one);
      const { group, names, versions, scope } = definition.spec;
      const base = `/apis/${group}/${versions[0]?.name}`;
      const collection =
        scope === 'Cluster' ? `${base}/${names.plural}` : `${base}/namespaces/${namespace}/${names.plural}`;
      await eventually(
        () => client.get(`${crdPath}/${definition.metadata.name}`),
        (answer) => isEstablished(answer.body),
      );
      await eventually(
        () => client.get(collection),
        (answer) => answer.status === 200,
      );
      return collection;
    },
  };
}

function isEstablished(definition: Body): boolean {
  const status = definition.status as { conditions?: { type: string; status: string }[] } | undefined;
  return (
    status?.conditions?.some(
      (condition) => condition.type === 'Established' && condition.status === 'True',
    ) ?? false
  );
}
