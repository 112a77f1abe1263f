/** The limit: the same children, applied by nothing but parallel server-side apply. */
import { fieldManagers } from '../../crds/constants.ts';
import { loadAuth } from '../../kube/auth.ts';
import type { Deployment } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { AuditLog, type Request } from './audit.ts';
import { auditedUser, type BenchCluster, unlimited } from './cluster.ts';
import { follow } from './follow.ts';
import { createModels, type DumpedChild } from './operator-run.ts';

export interface LimitRun {
  readonly childrenSeconds: number;
  /** Until every Deployment has its replicas available. */
  readonly readySeconds: number;
  readonly requests: readonly Request[];
  readonly planeCpuSeconds: Readonly<Record<string, number>>;
  /** Of this process, which applies and waits. */
  readonly clientCpuSeconds: number;
}

/** ModelDeployments worked on at the same time: the children of one depend on each other and come one after the other. */
const parallel = 32;

const isAvailable = ({ spec, status }: Deployment) =>
  (status?.availableReplicas ?? 0) >= (spec.replicas ?? 1);

/** Runs it on a fresh cluster, on which the ModelDeployments stand already: children need the uids of their owners. */
export async function runLimit(
  cluster: BenchCluster,
  dump: ReadonlyMap<string, readonly DumpedChild[]>,
): Promise<LimitRun> {
  const models = await createModels(cluster.api, dump.size);
  const work = models.map(({ metadata: { name = '', uid } }) =>
    (dump.get(name) ?? []).map(({ kind, object }) => ({
      type: resources[kind],
      object: {
        ...object,
        metadata: {
          ...object.metadata,
          ownerReferences: object.metadata.ownerReferences?.map((owner) => ({ ...owner, uid })) ?? [],
        },
      },
    })),
  );
  const client = unlimited(await loadAuth({ kubeconfig: cluster.kubeconfigPath }));
  const audit = new AuditLog(cluster.auditLogPath, auditedUser);
  audit.read();
  const before = cluster.cpuSeconds();
  const clientBefore = process.cpuUsage();
  const ready = follow<Deployment>(cluster.api, resources.deployments, work.length, isAvailable);
  const startMs = performance.now();
  const next = work.values();
  const worker = async () => {
    for (const children of next)
      for (const { type, object } of children)
        await client.apply(type, object, {
          fieldManager: fieldManagers.operator,
          force: true,
          timeoutMs: 60_000,
        });
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const childrenSeconds = (performance.now() - startMs) / 1_000;
  const readySeconds = ((await ready.reachedMs) - startMs) / 1_000;
  ready.stop();
  const after = cluster.cpuSeconds();
  const { user, system } = process.cpuUsage(clientBefore);
  await client.close();
  return {
    childrenSeconds,
    readySeconds,
    requests: audit.read(),
    clientCpuSeconds: (user + system) / 1e6,
    planeCpuSeconds: Object.fromEntries(
      Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]),
    ),
  };
}
