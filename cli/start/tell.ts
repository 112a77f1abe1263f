/** Changes of objects as sentences: what a person wants to hear while Ballast works. Pure. */
import { podContainers } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { FetchManifest, TerminationMessage } from '../../crds/wire.ts';
import type { ContainerStatus, Pod } from '../../kube/objects.ts';

/** Exit codes above this are 128 plus the number of a signal. */
const signalled = 128;

type ContainerStateTerminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ??
  false;

const allStatuses = (pod: Pod | undefined): ContainerStatus[] => [
  ...(pod?.status?.initContainerStatuses ?? []),
  ...(pod?.status?.containerStatuses ?? []),
];

function fetched(pod: Pod | undefined): FetchManifest | undefined {
  const status = pod?.status?.initContainerStatuses?.find(
    (container) => container.name === podContainers.fetch,
  );
  const ended = status?.state?.terminated;
  if (ended?.exitCode !== 0 || ended.message === undefined) return undefined;
  try {
    return JSON.parse(ended.message) as FetchManifest;
  } catch {
    return undefined;
  }
}

function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  return count < 1024 ** 2 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 ** 2).toFixed(1)} MiB`;
}

/** Why a container ended: what it wrote for that, else its last line; the log of one that was killed says nothing of it. */
function lastWords({ exitCode, message, reason }: ContainerStateTerminated): string {
  const line = message?.trim().split('\n').at(-1) ?? '';
  if (line === '' || reason === 'OOMKilled') return reason ?? 'no last words';
  if (!line.startsWith('{')) return line;
  try {
    const said = JSON.parse(line) as Partial<TerminationMessage> & { readonly time?: string };
    // A log line has a time, a termination message has none.
    if (said.time !== undefined && exitCode > signalled) return `killed by signal ${exitCode - signalled}`;
    return said.message ?? line;
  } catch {
    return line;
  }
}

function endings(before: Pod | undefined, after: Pod): string[] {
  const old = new Map(allStatuses(before).map((status) => [status.name, status]));
  const lines: string[] = [];
  for (const status of allStatuses(after)) {
    const ended = status.state?.terminated ?? status.lastState?.terminated;
    const known = old.get(status.name)?.state?.terminated ?? old.get(status.name)?.lastState?.terminated;
    if (ended === undefined || ended.exitCode === 0 || known?.finishedAt === ended.finishedAt) continue;
    if (after.metadata.deletionTimestamp !== undefined) continue;
    lines.push(
      `pod ${after.metadata.name}: container ${status.name} ended with exit code ${ended.exitCode}: ${lastWords(ended)}`,
    );
  }
  return lines;
}

/** Sentences about one pod's change; `before` is undefined for a new pod, `after` for one that is gone. */
export function tellPod(before: Pod | undefined, after: Pod | undefined): string[] {
  const name = after?.metadata.name ?? before?.metadata.name ?? '';
  if (after === undefined) return [`pod ${name} gone`];
  const lines: string[] = [];
  if (before === undefined) lines.push(`pod ${name} created`);
  const manifest = fetched(after);
  if (manifest !== undefined && fetched(before) === undefined) {
    lines.push(
      `pod ${name} fetched the model: ${bytes(manifest.bytes)}, sha256 ${manifest.sha256.slice(0, 12)}…`,
    );
  }
  lines.push(...endings(before, after));
  if (isReady(after) && !isReady(before)) lines.push(`pod ${name} ready`);
  if (after.metadata.deletionTimestamp !== undefined && before?.metadata.deletionTimestamp === undefined) {
    lines.push(`pod ${name} drains`);
  }
  return lines;
}

const conditionOf = (object: ModelDeployment | undefined, type: string) =>
  object?.status?.conditions?.find((condition) => condition.type === type);

/** Sentences about one ModelDeployment's change. */
export function tellModelDeployment(
  before: ModelDeployment | undefined,
  after: ModelDeployment | undefined,
): string[] {
  const name = after?.metadata.name ?? before?.metadata.name ?? '';
  if (after === undefined) return [`${name} deleted`];
  const lines: string[] = [];
  const decision = after.status?.scaling?.lastDecision;
  const isNews =
    decision !== undefined &&
    decision.replicas !== decision.previousReplicas &&
    decision.time !== before?.status?.scaling?.lastDecision?.time;
  if (isNews) {
    lines.push(`${name}: ${decision.previousReplicas} → ${decision.replicas} replicas: ${decision.message}`);
  }
  for (const type of ['Ready', 'Stalled', 'SLAMet'] as const) {
    const now = conditionOf(after, type);
    const was = conditionOf(before, type);
    if (now === undefined || (now.status === was?.status && now.reason === was.reason)) continue;
    // A condition that is news only when it is bad, or good again.
    if (type !== 'Ready' && was === undefined) continue;
    if (type === 'Stalled' && now.status === 'False' && was?.status !== 'True') continue;
    // Ready has just said the same.
    if (type === 'Stalled' && lines.some((line) => line.endsWith(`: ${now.message}`))) continue;
    lines.push(`${name}: ${type}=${now.status} (${now.reason}): ${now.message}`);
  }
  return lines;
}
