/** A fresh real control plane for one run: controllers and scheduler without client-side limits, nodes and pods by KWOK. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { modelDeployments } from '../../crds/constants.ts';
import { loadAuth } from '../../kube/auth.ts';
import { createClient, type KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { startRealCluster } from '../../test/kube/cluster.ts';
import { partsCpuSeconds } from './processes.ts';

export const namespace = 'bench';
const operatorNamespace = 'ballast-system';
const operatorAccount = 'bench-operator';
/** As the audit log names who is measured. */
export const auditedUser = `system:serviceaccount:${operatorNamespace}:${operatorAccount}`;
const podsPerNode = 100;
/** New control planes list and index for a while. */
const settleMs = 5_000;

export interface BenchCluster {
  /** Client of the bench itself, with no rate limit. */
  readonly api: KubeClient;
  /** Kubeconfig of the service account whose requests the audit log holds: the operator's, and the limit's. */
  readonly kubeconfigPath: string;
  readonly auditLogPath: string;
  /** Addresses of the simulated pods. */
  readonly podRange: string;
  /** CPU seconds of its processes so far, by name. */
  cpuSeconds(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The ModelDeployment of a number. */
export const modelOf = (index: number): KubeObject =>
  ({
    apiVersion: 'ballast.dev/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name: `model-${index}`, namespace },
    spec: { model: { uri: 'file:///samples/wine/model.onnx' }, sla: { latency: { p95: '50ms' } } },
  }) as KubeObject;

/** Starts everything for `count` ModelDeployments of one pod each, the CRD and the namespaces included. */
export async function startCluster(root: string, count: number): Promise<BenchCluster> {
  const plane = await startRealCluster({
    kwokNodes: Math.ceil(count / podsPerNode) + 1,
    podStages: [join(import.meta.dirname, 'pods.yaml')],
    audit: true,
    unlimited: true,
  });
  try {
    const auth = await loadAuth({ kubeconfig: plane.kubeconfigPath });
    const api = unlimited(auth);
    await Promise.all(
      [namespace, operatorNamespace].map((name) =>
        api.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
      ),
    );
    const crd = readFileSync(join(root, 'crds/generated/modeldeployment.crd.yaml'), 'utf8');
    await api.create(resources.customResourceDefinitions, load(crd) as KubeObject);
    const kubeconfigPath = join(plane.dir, 'operator.kubeconfig');
    writeKubeconfig(kubeconfigPath, plane.kubeconfigPath, await serviceAccountToken(api));
    await untilServed(api);
    return {
      api,
      kubeconfigPath,
      auditLogPath: plane.auditLogPath ?? '',
      podRange: plane.simulatedRange,
      cpuSeconds: () => partsCpuSeconds(plane.dir),
      async stop() {
        await api.close();
        await plane.stop();
      },
    };
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

/**
 * The server builds schemas and compiles rules of a new kind with its first objects: seconds of CPU that belong to neither
 * run. Objects that are not stored bring them about.
 */
async function untilServed(api: KubeClient): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  for (let made = 0; made < 20; ) {
    try {
      await api.create(modelDeployments, modelOf(made), { dryRun: true });
      made += 1;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(100);
    }
  }
  await sleep(settleMs);
}

/** A client that no limit of its own holds back. */
export const unlimited = (auth: Awaited<ReturnType<typeof loadAuth>>): KubeClient =>
  createClient(auth, { qps: 1e6, burst: 1e6, connections: 32, userAgent: 'ballast-bench' });

const clusterRoleBindings: ResourceType = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};

/** A service account that may do everything, and its token. */
async function serviceAccountToken(api: KubeClient): Promise<string> {
  const name = operatorAccount;
  const where = { name, namespace: operatorNamespace };
  await api.create(resources.serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: where });
  await api.create(clusterRoleBindings, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', ...where }],
  } as KubeObject);
  await api.create(resources.secrets, {
    metadata: { ...where, annotations: { 'kubernetes.io/service-account.name': name } },
    type: 'kubernetes.io/service-account-token',
  } as KubeObject);
  for (;;) {
    const secret = await api.get<KubeObject & { data?: { token?: string } }>(resources.secrets, where);
    if (secret.data?.token !== undefined) return Buffer.from(secret.data.token, 'base64').toString('utf8');
    await sleep(50);
  }
}

function writeKubeconfig(path: string, adminPath: string, token: string): void {
  const config = JSON.parse(readFileSync(adminPath, 'utf8')) as {
    users: { user: { token: string } }[];
    contexts: { context: { namespace?: string } }[];
  };
  for (const entry of config.users) entry.user = { token };
  for (const entry of config.contexts) entry.context.namespace = operatorNamespace;
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
}
