/** The rules of Pod Security `restricted` and of the usual scanners, as functions from an object to its violations. */
import type { Container, PodSpec } from '../../../kube/objects.ts';
import type { Manifest } from './render.ts';

type Container_ = Container & {
  readonly envFrom?: unknown;
  readonly securityContext?: Record<string, unknown>;
};

interface CheckedPod {
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: PodSpec & Readonly<Record<string, unknown>>;
  readonly replicas: number;
  /** Serves until it is told to stop; a pod of a test ends by itself. */
  readonly serves: boolean;
}

/** Pod templates of an object: of workloads, and of the ControllerRevisions that hold one for later. */
export function podsOf(object: Manifest): CheckedPod[] {
  const { kind } = object;
  type Template = { metadata?: { labels?: Record<string, string> }; spec: CheckedPod['spec'] };
  if (kind === 'Pod')
    return [
      {
        labels: object.metadata.labels ?? {},
        spec: object.spec as CheckedPod['spec'],
        replicas: 1,
        serves: (object.spec as { restartPolicy?: string }).restartPolicy !== 'Never',
      },
    ];
  const holder =
    kind === 'Deployment'
      ? (object.spec as { replicas?: number; template: Template })
      : kind === 'ControllerRevision'
        ? { ...(object.data as { template: Template }), replicas: 1 }
        : undefined;
  if (holder === undefined) return [];
  const { template, replicas = 1 } = holder;
  return [{ labels: template.metadata?.labels ?? {}, spec: template.spec, replicas, serves: true }];
}

const allowedVolumes = [
  'configMap',
  'emptyDir',
  'projected',
  'secret',
  'persistentVolumeClaim',
  'csi',
  'downwardAPI',
];

/** An inference pod answers /livez from its first moment on: no probe must come before, if liveness has this much patience. */
const leastPatienceSeconds = 30;

/** How long liveness may fail before the container is restarted. */
const patienceSeconds = (probe: unknown): number => {
  const {
    initialDelaySeconds = 0,
    periodSeconds = 10,
    failureThreshold = 3,
  } = (probe ?? {}) as {
    initialDelaySeconds?: number;
    periodSeconds?: number;
    failureThreshold?: number;
  };
  return initialDelaySeconds + periodSeconds * failureThreshold;
};

/** What is wrong with a pod; empty when nothing is. */
export function podViolations({ spec, labels, replicas, serves }: CheckedPod): string[] {
  const found: string[] = [];
  const demand = (holds: boolean, what: string) => {
    if (!holds) found.push(what);
  };
  const pod = (spec.securityContext ?? {}) as Record<string, unknown>;
  demand(spec.automountServiceAccountToken === false, 'automountServiceAccountToken is not false');
  demand(spec.enableServiceLinks === false, 'enableServiceLinks is not false');
  demand(!['', 'default', undefined].includes(spec.serviceAccountName), 'no service account of its own');
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
    demand(spec[field] === undefined || spec[field] === false, `${field} is on`);
  for (const volume of spec.volumes ?? []) {
    const kinds = Object.keys(volume).filter((key) => key !== 'name');
    demand(
      kinds.every((kind) => allowedVolumes.includes(kind)),
      `volume ${volume.name} is ${kinds.join()}`,
    );
  }
  demand(Object.keys(labels).length > 0, 'no labels');
  const spreads =
    (spec.topologySpreadConstraints as unknown[] | undefined) ??
    (spec.affinity as { podAntiAffinity?: unknown } | undefined)?.podAntiAffinity;
  demand(replicas < 2 || spreads !== undefined, 'more than one replica and no spread');
  for (const container of [...(spec.initContainers ?? []), ...spec.containers] as Container_[])
    for (const violation of containerViolations(container, pod))
      found.push(`${container.name}: ${violation}`);
  if (serves)
    for (const { name, livenessProbe, readinessProbe, startupProbe } of spec.containers) {
      demand(livenessProbe !== undefined, `${name}: no livenessProbe`);
      demand(readinessProbe !== undefined, `${name}: no readinessProbe`);
      demand(
        startupProbe !== undefined || patienceSeconds(livenessProbe) >= leastPatienceSeconds,
        `${name}: no startupProbe, and liveness waits only ${patienceSeconds(livenessProbe)} s`,
      );
    }
  return found;
}

function containerViolations(container: Container_, pod: Record<string, unknown>): string[] {
  const found: string[] = [];
  const demand = (holds: boolean, what: string) => {
    if (!holds) found.push(what);
  };
  const own = container.securityContext ?? {};
  const either = (field: string) => own[field] ?? pod[field];
  demand(either('runAsNonRoot') === true, 'may run as root');
  demand(either('runAsUser') !== 0, 'runs as user 0');
  demand(own.readOnlyRootFilesystem === true, 'root file system can be written');
  demand(own.allowPrivilegeEscalation === false, 'may escalate privileges');
  demand(own.privileged !== true, 'privileged');
  const { drop = [], add = [] } = (own.capabilities ?? {}) as { drop?: string[]; add?: string[] };
  demand(drop.includes('ALL'), 'does not drop ALL capabilities');
  demand(add.length === 0, `adds capabilities ${add.join()}`);
  const seccomp = (either('seccompProfile') as { type?: string } | undefined)?.type;
  demand(seccomp === 'RuntimeDefault' || seccomp === 'Localhost', 'no seccomp profile');
  demand(own.procMount === undefined, 'sets procMount');
  const { requests = {}, limits = {} } = container.resources ?? {};
  demand(requests.cpu !== undefined, 'no CPU request');
  demand(requests.memory !== undefined, 'no memory request');
  demand(limits.memory !== undefined, 'no memory limit');
  demand(
    /@sha256:[0-9a-f]{64}$/.test(container.image ?? '') || /:(?!latest$)[^:/@]+$/.test(container.image ?? ''),
    `image ${container.image} is not pinned`,
  );
  for (const port of container.ports ?? [])
    demand((port as { hostPort?: number }).hostPort === undefined, 'uses a port of the node');
  for (const { name, value, valueFrom } of container.env ?? []) {
    demand(
      !/secret|password|token|api_?key/i.test(name) || value === undefined,
      `${name} looks like a secret in clear`,
    );
    demand(valueFrom?.secretKeyRef === undefined, `${name} comes from a Secret`);
  }
  demand(container.envFrom === undefined, 'takes whole maps into its environment');
  return found;
}

const selects = (
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
) => Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);

/** Services, budgets and policies that select none of the pods beside them, budgets that let nothing be evicted, objects in namespaces that are the cluster's own. */
export function objectViolations(objects: readonly Manifest[]): string[] {
  const found: string[] = [];
  const pods = objects.flatMap(podsOf);
  const dangling = (selector: Record<string, string> | undefined) =>
    !pods.some(({ labels }) => selects(selector, labels));
  for (const object of objects) {
    const name = `${object.kind} ${object.metadata.name}`;
    const spec = (object.spec ?? {}) as Record<string, unknown>;
    if (
      ['default', 'kube-system', 'kube-public', 'kube-node-lease'].includes(object.metadata.namespace ?? '')
    )
      found.push(`${name} is in ${object.metadata.namespace}`);
    if (object.kind === 'Service' && dangling(spec.selector as Record<string, string>))
      found.push(`${name} selects no pod`);
    if (
      object.kind === 'NetworkPolicy' &&
      dangling((spec.podSelector as { matchLabels?: Record<string, string> }).matchLabels)
    )
      found.push(`${name} selects no pod`);
    if (object.kind === 'PodDisruptionBudget') {
      if (dangling((spec.selector as { matchLabels?: Record<string, string> }).matchLabels))
        found.push(`${name} selects no pod`);
      if (spec.maxUnavailable === 0 || spec.maxUnavailable === '0%' || spec.minAvailable !== undefined)
        found.push(`${name} may let nothing be evicted`);
    }
    if (
      object.kind === 'ServiceAccount' &&
      (object as { automountServiceAccountToken?: boolean }).automountServiceAccountToken !== false
    )
      found.push(`${name} mounts its token everywhere`);
    for (const pod of podsOf(object))
      for (const violation of podViolations(pod)) found.push(`${name}: ${violation}`);
  }
  return found;
}

/** Values that server-side apply and Helm 4 stumble over: nulls, and list entries with the same key. */
export function applyViolations(object: unknown, path = ''): string[] {
  if (object === null) return [`${path} is null`];
  if (Array.isArray(object)) {
    const keys = object.flatMap((item) =>
      typeof item === 'object' && item !== null && 'name' in item && !('kind' in item)
        ? [String(item.name)]
        : [],
    );
    const twice = keys
      .filter((key, index) => keys.indexOf(key) !== index)
      .map((key) => `${path} has ${key} twice`);
    return [...twice, ...object.flatMap((item, index) => applyViolations(item, `${path}[${index}]`))];
  }
  if (typeof object !== 'object') return [];
  return Object.entries(object).flatMap(([key, value]) => applyViolations(value, `${path}.${key}`));
}
