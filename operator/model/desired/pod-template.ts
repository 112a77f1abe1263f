/** The pod of a revision, rendered once, when the revision is made: from then on its ControllerRevision holds it. */
import { labels, podContainers, podEnv, podPaths, podPorts } from '../../../crds/constants.ts';
import type { ModelDeployment, RuntimeSpec } from '../../../crds/types.ts';
import { durationMs, quantityNumber } from '../../../crds/values.ts';
import type {
  Container,
  EnvVar,
  PodTemplateSpec,
  ResourceRequirements,
  Volume,
  VolumeMount,
} from '../../../kube/objects.ts';
import { revisionLabels, revisionSelector, servingRole } from '../labels.ts';
import { configMapName } from '../names.ts';
import type { FleetDefaults, OperatorDefaults } from '../snapshot.ts';
import { timeoutMs } from './config-map.ts';
import { containerSecurity } from './container-security.ts';
import { canonicalQuantity } from './quantity.ts';

const defaultRequests = { cpu: '500m', memory: '512Mi' };
const defaultLimits = { memory: '1Gi' };

/** Endpoints learn of a pod's end within seconds; the request that came last may then take its whole timeout. */
const drainSeconds = 15;
/** `traffic.timeout` may be raised later, without a new pod: the frozen pod leaves room for that. */
const leastGraceSeconds = 60;

/** Claim and file of a `pvc://claim/path` URI. */
export function claimOf(uri: string): { claim: string; path: string } | undefined {
  const match = /^pvc:\/\/([^/]+)\/(.+)$/.exec(uri);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { claim: match[1], path: match[2] };
}

/**
 * Resources of the serving container, defaults filled in, in canonical form. A default yields to what the user wrote: it
 * is bounded by a limit below it, and raised to a request above it.
 */
export function resourcesOf(
  runtime: RuntimeSpec | undefined,
  defaults: FleetDefaults = {},
): ResourceRequirements {
  const given = runtime?.resources;
  const canonical = (map: Record<string, string | number>) =>
    Object.fromEntries(Object.entries(map).map(([name, value]) => [name, canonicalQuantity(value)]));
  const otherRequests = canonical(defaults.resources?.requests ?? defaultRequests);
  const otherLimits = canonical(defaults.resources?.limits ?? defaultLimits);
  const limits =
    given?.limits === undefined
      ? raisedTo(otherLimits, canonical(given?.requests ?? {}))
      : canonical(given.limits);
  const requests =
    given?.requests === undefined ? boundedBy(otherRequests, limits) : canonical(given.requests);
  return { requests, limits };
}

const boundedBy = (requests: Record<string, string>, limits: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(requests).map(([name, request]) => {
      const limit = limits[name];
      return [name, limit !== undefined && quantityNumber(limit) < quantityNumber(request) ? limit : request];
    }),
  );

const raisedTo = (limits: Record<string, string>, requests: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => {
      const request = requests[name];
      return [
        name,
        request !== undefined && quantityNumber(request) > quantityNumber(limit) ? request : limit,
      ];
    }),
  );

const withoutDevices = (map: Record<string, string> | undefined) =>
  Object.fromEntries(Object.entries(map ?? {}).filter(([name]) => !name.includes('/')));

/** The kubelet expands `$(NAME)` in a value and reads `$$` as one `$`; the user's text is meant literally. */
const literal = (value: string) => value.replaceAll('$', () => '$$');

const userEnv = (runtime: RuntimeSpec | undefined): EnvVar[] =>
  (runtime?.env ?? []).map(({ name, value, valueFrom }) => {
    if (value !== undefined) return { name, value: literal(value) };
    const from: EnvVar['valueFrom'] = {};
    if (valueFrom?.secretKeyRef !== undefined) from.secretKeyRef = { ...valueFrom.secretKeyRef };
    if (valueFrom?.configMapKeyRef !== undefined) from.configMapKeyRef = { ...valueFrom.configMapKeyRef };
    return { name, valueFrom: from };
  });

const textOf = (value: number | undefined) => (value === undefined ? undefined : String(value));
const millisecondsOf = (value: string | undefined) =>
  value === undefined ? undefined : String(durationMs(value));

const entries = (values: Record<string, string | undefined>): EnvVar[] =>
  Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));

/** Where and how pods run: a field that the user left out is the fleet's, of labels and annotations each key. */
function podOf(runtime: RuntimeSpec | undefined, { pod: fleet }: FleetDefaults): RuntimeSpec['pod'] {
  const own = runtime?.pod;
  if (fleet === undefined) return own;
  const merged = { ...fleet, ...own };
  if (fleet.labels !== undefined) merged.labels = { ...fleet.labels, ...own?.labels };
  if (fleet.annotations !== undefined) merged.annotations = { ...fleet.annotations, ...own?.annotations };
  return merged;
}

/**
 * kube-scheduler evens pods out whatever the skew. Karpenter keeps a preference like a rule as long as it can, and buys
 * nodes for it: with a skew of 1 over hosts six pods of half a CPU got six nodes of two, with 3 they get three (measured).
 */
const defaultSpread: { topologyKey: string; maxSkew?: number; whenUnsatisfiable?: string }[] = [
  { topologyKey: 'kubernetes.io/hostname', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone' },
];

/** The model's emptyDir holds nothing that cannot be fetched again: it must not keep Cluster Autoscaler from taking a node away. */
const nodeAnnotations = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' };

/** Renders the pod template of a new revision. */
export function renderPodTemplate(
  deployment: ModelDeployment,
  revision: string,
  defaults: OperatorDefaults,
): PodTemplateSpec {
  const { model, runtime } = deployment.spec;
  const { name } = deployment.metadata;
  const image = runtime?.image ?? defaults.image;
  const resources = resourcesOf(runtime, defaults);
  const claim = claimOf(model.uri);
  const podName: EnvVar = { name: podEnv.podName, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } };
  const shared = entries({
    [podEnv.modelName]: name,
    [podEnv.revision]: revision,
    [podEnv.modelDir]: podPaths.model,
    [podEnv.configDir]: podPaths.config,
  });
  const bytes = resources.limits?.memory;
  const cpu = resources.limits?.cpu;
  const modelMount: VolumeMount = { name: 'model', mountPath: podPaths.model };
  const configMount: VolumeMount = { name: 'config', mountPath: podPaths.config, readOnly: true };
  const volumes: Volume[] = [
    { name: 'model', emptyDir: {} },
    { name: 'config', configMap: { name: configMapName(name) } },
  ];
  if (claim !== undefined)
    volumes.push({ name: 'claim', persistentVolumeClaim: { claimName: claim.claim, readOnly: true } });

  const fetch: Container = {
    name: podContainers.fetch,
    image,
    args: ['fetch'],
    env: [
      ...shared,
      ...entries({
        [podEnv.modelUri]: literal(model.uri),
        [podEnv.modelSha256]: model.sha256,
        [podEnv.claimDir]: claim === undefined ? undefined : podPaths.claim,
      }),
      podName,
    ],
    // The same as the serving container's: a pod asks for the larger of both, so this costs nothing, and a quota that
    // wants limits is content. Devices stay with the container that uses them.
    resources: {
      requests: withoutDevices(resources.requests),
      limits: withoutDevices(resources.limits),
    },
    volumeMounts: [
      modelMount,
      configMount,
      ...(claim === undefined ? [] : [{ name: 'claim', mountPath: podPaths.claim, readOnly: true }]),
    ],
    securityContext: containerSecurity,
    terminationMessagePath: podPaths.terminationLog,
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };

  const serve: Container = {
    name: podContainers.serve,
    image,
    args: ['serve'],
    env: [
      ...shared,
      ...entries({
        [podEnv.modelVersion]: model.version ?? revision,
        [podEnv.threads]: textOf(runtime?.threads),
        [podEnv.maxBodyBytes]: textOf(runtime?.limits?.maxBodyBytes),
        [podEnv.maxBatchRows]: textOf(runtime?.batching?.maxSize),
        [podEnv.maxBatchDelayMs]: millisecondsOf(runtime?.batching?.maxDelay),
        [podEnv.maxInFlight]: textOf(runtime?.concurrency?.maxInFlight),
        [podEnv.maxQueue]: textOf(runtime?.concurrency?.maxQueue),
        [podEnv.warmUpMs]: millisecondsOf(runtime?.warmup?.duration),
        [podEnv.contract]:
          deployment.spec.contract === undefined
            ? undefined
            : literal(JSON.stringify(deployment.spec.contract)),
        [podEnv.cpuLimit]: cpu === undefined ? undefined : String(Math.round(quantityNumber(cpu) * 1_000)),
        [podEnv.memoryLimit]: bytes === undefined ? undefined : String(Math.floor(quantityNumber(bytes))),
      }),
      podName,
      ...userEnv(runtime),
    ],
    ports: [
      { name: 'http', containerPort: podPorts.http, protocol: 'TCP' },
      { name: 'grpc', containerPort: podPorts.grpc, protocol: 'TCP' },
      { name: 'ops', containerPort: podPorts.ops, protocol: 'TCP' },
    ],
    resources,
    // The main thread answers from the first second, whatever the model does, so no startup probe is needed: a pod that
    // does not answer /livez hangs. Readiness each second, because a new pod is wanted now.
    readinessProbe: {
      httpGet: { path: '/readyz', port: 'ops', scheme: 'HTTP' },
      periodSeconds: 1,
      timeoutSeconds: 2,
      successThreshold: 1,
      failureThreshold: 3,
    },
    livenessProbe: {
      httpGet: { path: '/livez', port: 'ops', scheme: 'HTTP' },
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
      successThreshold: 1,
      failureThreshold: 3,
    },
    volumeMounts: [{ ...modelMount, readOnly: true }, configMount],
    securityContext: containerSecurity,
    terminationMessagePath: podPaths.terminationLog,
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };

  const pod = podOf(runtime, defaults);
  const spread = pod?.topologySpread ?? defaultSpread;
  return {
    metadata: {
      labels: { ...pod?.labels, ...revisionLabels(name, revision), [labels.role]: servingRole },
      annotations: { ...nodeAnnotations, ...pod?.annotations },
    },
    spec: {
      serviceAccountName: pod?.serviceAccountName ?? name,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: Math.max(
        leastGraceSeconds,
        Math.ceil(timeoutMs(deployment.spec) / 1_000) + drainSeconds,
      ),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      topologySpreadConstraints: spread.map(({ topologyKey, maxSkew = 1, whenUnsatisfiable }) => ({
        topologyKey,
        maxSkew,
        whenUnsatisfiable: whenUnsatisfiable ?? 'ScheduleAnyway',
        labelSelector: { matchLabels: revisionSelector(name, revision) },
        // Pods that restartedAt is about to replace do not count.
        matchLabelKeys: ['pod-template-hash'],
      })),
      ...(pod?.nodeSelector === undefined ? {} : { nodeSelector: { ...pod.nodeSelector } }),
      ...(pod?.tolerations === undefined
        ? {}
        : { tolerations: pod.tolerations.map((item) => ({ ...item })) }),
      ...(pod?.affinity === undefined ? {} : { affinity: pod.affinity }),
      ...(pod?.priorityClassName === undefined ? {} : { priorityClassName: pod.priorityClassName }),
      ...(pod?.imagePullSecrets === undefined
        ? {}
        : { imagePullSecrets: pod.imagePullSecrets.map((item) => ({ ...item })) }),
      initContainers: [fetch],
      containers: [serve],
      volumes,
    },
  };
}
