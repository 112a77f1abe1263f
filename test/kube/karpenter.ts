/** Karpenter with its KWOK provider: a real node autoscaler that buys simulated nodes at prices of ours. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../conformance/support/client.ts';
import { said } from '../conformance/support/words.ts';
import { moduleFolder } from './build.ts';
import { simulatedTaint } from './kwok.ts';
import { freePorts, type Part, type Place, startPart } from './processes.ts';

export interface KarpenterOptions {
  readonly binary: string;
  readonly kubeconfigPath: string;
  readonly dir: string;
  readonly zones: readonly string[];
  /** Keeps pods that do not ask for it from its nodes: wanted beside real nodes. */
  readonly isTainted: boolean;
  readonly place: Place;
}

/** Price of one CPU with its 2 GiB for an hour, in every zone. */
const pricePerCpu = 0.04;
const sizes = [2, 4, 8, 16, 32];

/** Node types as the KWOK provider reads them: `cpu-2` with 2 CPUs and 4 GiB for 0.08 an hour, and so on. */
export function instanceTypes(zones: readonly string[]): object[] {
  return sizes.map((cpu) => ({
    name: `cpu-${cpu}`,
    architecture: 'amd64',
    operatingSystems: ['linux'],
    resources: { cpu: String(cpu), memory: `${2 * cpu}Gi`, 'ephemeral-storage': '50Gi' },
    offerings: zones.map((zone) => ({
      Price: Number((pricePerCpu * cpu).toFixed(2)),
      Available: true,
      Requirements: [
        { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
        { key: 'topology.kubernetes.io/zone', operator: 'In', values: zone === undefined ? [] : [zone] },
      ],
    })),
  }));
}

/** Installs its CRDs and a NodePool `default`, and starts it. */
export async function startKarpenter(client: Client, options: KarpenterOptions): Promise<Part> {
  const module = moduleFolder('karpenter', 'sigs.k8s.io/karpenter');
  for (const folder of ['pkg/apis/crds', 'kwok/apis/crds'].map((name) => join(module, name)))
    for (const file of readdirSync(folder)) await installDefinition(client, join(folder, file));
  for (const [path, body] of manifests(options.isTainted)) await apply(client, path, body);
  const types = join(options.dir, 'instance-types.json');
  writeFileSync(types, JSON.stringify(instanceTypes(options.zones)));
  const [metrics = 0, health = 0] = await freePorts(2);
  const env = {
    KUBECONFIG: options.kubeconfigPath,
    INSTANCE_TYPES_FILE_PATH: types,
    METRICS_PORT: String(metrics),
    HEALTH_PROBE_PORT: String(health),
    KUBERNETES_MIN_VERSION: '1.29.0-0',
    KARPENTER_SERVICE: 'karpenter',
    SYSTEM_NAMESPACE: 'kube-system',
    CPU_REQUESTS: '1000',
    MEMORY_LIMIT: String(1 << 30),
    DISABLE_LEADER_ELECTION: 'true',
    FEATURE_GATES: 'CapacityBuffer=true',
  };
  const log = join(options.dir, 'karpenter.log');
  return startPart('karpenter', options.binary, [], log, 10, { ...options.place, env });
}

function manifests(isTainted: boolean): [string, object][] {
  const nodeClass = {
    apiVersion: 'karpenter.kwok.sh/v1alpha1',
    kind: 'KWOKNodeClass',
    metadata: { name: 'default' },
  };
  const nodePool = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'default' },
    spec: {
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' },
          requirements: [{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] }],
          expireAfter: 'Never',
          ...(isTainted ? { taints: [simulatedTaint] } : {}),
        },
      },
      disruption: {
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        consolidateAfter: '5s',
        budgets: [{ nodes: '100%' }],
      },
    },
  };
  return [
    ['/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses/default', nodeClass],
    ['/apis/karpenter.sh/v1/nodepools/default', nodePool],
  ];
}

/** The file's name is GROUP_PLURAL.yaml; the API server reads the YAML itself. */
async function installDefinition(client: Client, file: string): Promise<void> {
  const [group, plural] = basename(file, '.yaml').split('_');
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;
  await apply(client, path, readFileSync(file, 'utf8'));
  const deadlineMs = Date.now() + 20_000;
  while (!(await client.get(path)).text.includes('"reason":"InitialNamesAccepted"')) {
    if (Date.now() > deadlineMs) throw new Error(`${path} is not served after 20 s`);
    await delay(50);
  }
}

/** Until the server has begun to serve the kind, it answers 404. */
async function apply(client: Client, path: string, body: object | string): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    const answer = await client.apply(path, 'ballast-test', body, { force: true });
    if (answer.status === 200 || answer.status === 201) return;
    if (answer.status !== 404 || Date.now() > deadlineMs)
      throw new Error(`${path}: ${said(answer)} ${answer.text}`);
    await delay(100);
  }
}
