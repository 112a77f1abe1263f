/** Simulated nodes: KWOK says of them that they are Ready, and of their pods that they run. */
import { join } from 'node:path';
import type { Client } from '../conformance/support/client.ts';
import { said } from '../conformance/support/words.ts';
import { moduleFolder } from './build.ts';
import { type Part, type Place, startPart } from './processes.ts';

/** What each simulated node offers, and how it is told apart. */
export interface SimulatedNodes {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface KwokOptions {
  readonly binary: string;
  readonly kubeconfigPath: string;
  readonly dir: string;
  /** Range of the pods' addresses. */
  readonly range: string;
  /** Files of stages that take the place of KWOK's own "a pod is ready at once". */
  readonly podStages?: readonly string[];
  readonly place: Place;
}

/** By this label KWOK knows its nodes; beside real nodes they carry a taint of the same name. */
export const simulatedLabel = 'kwok.x-k8s.io/node';
export const simulatedTaint = { key: simulatedLabel, value: 'fake', effect: 'NoSchedule' } as const;

/** Starts KWOK for all nodes that carry its label. */
export function startKwok(options: KwokOptions): Part {
  const folder = join(moduleFolder('kwok', 'sigs.k8s.io/kwok'), 'kustomize', 'stage');
  const stages = [
    join(folder, 'node/fast/node-initialize.yaml'),
    join(folder, 'node/heartbeat-with-lease/node-heartbeat-with-lease.yaml'),
    join(folder, 'pod/fast/pod-complete.yaml'),
    join(folder, 'pod/fast/pod-delete.yaml'),
    ...(options.podStages ?? [join(folder, 'pod/fast/pod-ready.yaml')]),
  ];
  return startPart(
    'kwok',
    options.binary,
    [
      `--kubeconfig=${options.kubeconfigPath}`,
      ...stages.map((file) => `--config=${file}`),
      `--manage-nodes-with-label-selector=${simulatedLabel}=fake`,
      '--node-lease-duration-seconds=40',
      `--node-ip=${options.range.split('/')[0]}`,
      `--cidr=${options.range}`,
    ],
    join(options.dir, 'kwok.log'),
    10,
    options.place,
  );
}

/** Makes the nodes kwok-1, kwok-2 …; KWOK makes them Ready. */
export async function makeSimulatedNodes(
  client: Client,
  count: number,
  zones: readonly string[],
  isTainted: boolean,
  about: SimulatedNodes = {},
): Promise<string[]> {
  const offer = { cpu: about.cpu ?? '64', memory: about.memory ?? '256Gi', pods: about.pods ?? '110' };
  const names = Array.from({ length: count }, (_, index) => `kwok-${index + 1}`);
  const make = async (name: string, index: number) => {
    const answer = await client.post('/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        labels: {
          [simulatedLabel]: 'fake',
          'kubernetes.io/hostname': name,
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          'topology.kubernetes.io/zone': zones[index % zones.length],
          ...about.labels,
        },
      },
      spec: isTainted ? { taints: [simulatedTaint] } : {},
      status: { allocatable: offer, capacity: offer },
    });
    if (answer.status !== 201) throw new Error(`no node ${name}: ${said(answer)} ${answer.text}`);
  };
  for (let from = 0; from < count; from += 50)
    await Promise.all(names.slice(from, from + 50).map((name, index) => make(name, from + index)));
  return names;
}
