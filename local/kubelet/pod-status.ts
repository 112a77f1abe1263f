/** Status of a pod from what its containers do. Pure, as the kubelet composes it. */
import type { Condition, Container, ContainerState, ContainerStatus, Pod } from '../../kube/objects.ts';
import { timestamp } from '../controllers/access.ts';
import { conditionOf, withCondition } from '../controllers/conditions.ts';
import type { PodStatus } from '../controllers/kinds.ts';

/** What the kubelet knows of one container. */
export interface ContainerRecord {
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
  state: ContainerState;
  lastState: ContainerState;
  restartCount: number;
  /** The readiness probe's word; true without one. */
  ready: boolean;
  /** The startup probe's word; true without one. */
  started: boolean;
  imageID: string;
  containerID: string;
  /** It will not be started again. */
  finished: boolean;
}

/** The record of a container that has not been started. */
export function newRecord(container: Container, init: boolean): ContainerRecord {
  return {
    name: container.name,
    image: container.image,
    init,
    state: { waiting: { reason: init ? 'PodInitializing' : 'ContainerCreating' } },
    lastState: {},
    restartCount: 0,
    ready: false,
    started: false,
    imageID: '',
    containerID: '',
    finished: false,
  };
}

const isRunning = (record: ContainerRecord) => record.state.running !== undefined;
const succeeded = (record: ContainerRecord) => record.state.terminated?.exitCode === 0;
const isReady = (record: ContainerRecord) =>
  record.init ? succeeded(record) : isRunning(record) && record.started && record.ready;

function containerStatus(record: ContainerRecord): ContainerStatus {
  return {
    name: record.name,
    image: record.image,
    imageID: record.imageID,
    ...(record.containerID === '' ? {} : { containerID: record.containerID }),
    ready: isReady(record),
    started: record.init ? isRunning(record) : isRunning(record) && record.started,
    restartCount: record.restartCount,
    state: record.state,
    lastState: record.lastState,
  };
}

type Phase = NonNullable<PodStatus['phase']>;

/** Phase of a pod; restartPolicy decides what an ended container means. */
export function phaseOf(records: readonly ContainerRecord[], restartPolicy: string): Phase {
  const init = records.filter((record) => record.init);
  const main = records.filter((record) => !record.init);
  if (init.some((record) => record.finished && !succeeded(record))) return 'Failed';
  if (init.some((record) => !succeeded(record))) return 'Pending';
  // A container that waits for its next start has run: the pod stays Running.
  if (main.some((record) => record.state.waiting !== undefined && record.lastState.terminated === undefined))
    return 'Pending';
  if (main.some(isRunning)) return 'Running';
  if (restartPolicy === 'Always' || main.some((record) => !record.finished)) return 'Running';
  return main.every(succeeded) ? 'Succeeded' : 'Failed';
}

export interface PodFacts {
  readonly podIP: string;
  readonly hostIP: string;
  readonly startTime: string;
  readonly volumesReady: boolean;
  /** The pod was ended as a whole (a deadline): phase Failed with this reason. */
  readonly failure?: { reason: string; message: string } | undefined;
}

const list = (records: readonly ContainerRecord[]) => `[${records.map((record) => record.name).join(' ')}]`;

/** The whole status; conditions of others (readiness gates, the scheduler's) are kept. */
export function podStatus(
  pod: Pod,
  records: readonly ContainerRecord[],
  facts: PodFacts,
  nowMs: number,
): PodStatus {
  const phase = facts.failure === undefined ? phaseOf(records, pod.spec.restartPolicy ?? 'Always') : 'Failed';
  const now = timestamp(nowMs);
  const init = records.filter((record) => record.init);
  const main = records.filter((record) => !record.init);
  const pendingInit = init.filter((record) => !succeeded(record));
  const unready = main.filter((record) => !isReady(record));
  const ended = phase === 'Succeeded' || phase === 'Failed';
  let conditions: Condition[] = [...(pod.status?.conditions ?? [])];
  const set = (type: string, ok: boolean, reason?: string, message?: string) => {
    conditions = withCondition(
      conditions,
      {
        type,
        status: ok ? 'True' : 'False',
        ...(ok && phase !== 'Succeeded' ? {} : { ...(reason === undefined ? {} : { reason }) }),
        ...(ok || message === undefined ? {} : { message }),
      },
      now,
    );
  };
  const endReason = phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
  set('PodReadyToStartContainers', facts.podIP !== '' && facts.volumesReady && !ended);
  set(
    'Initialized',
    pendingInit.length === 0,
    phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotInitialized',
    `containers with incomplete status: ${list(pendingInit)}`,
  );
  const notReady = `containers with unready status: ${list(unready)}`;
  const gates = (pod.spec as { readinessGates?: { conditionType: string }[] }).readinessGates ?? [];
  const closed = gates.find(({ conditionType }) => conditionOf(conditions, conditionType)?.status !== 'True');
  const containersReady = unready.length === 0 && pendingInit.length === 0 && !ended;
  if (containersReady && closed !== undefined)
    set(
      'Ready',
      false,
      'ReadinessGatesNotReady',
      `corresponding condition of pod readiness gate "${closed.conditionType}" does not exist or is not True.`,
    );
  else set('Ready', containersReady, ended ? endReason : 'ContainersNotReady', notReady);
  set('ContainersReady', containersReady, ended ? endReason : 'ContainersNotReady', notReady);
  set('PodScheduled', true);
  return {
    phase,
    ...(facts.failure === undefined ? {} : facts.failure),
    hostIP: facts.hostIP,
    ...(facts.podIP === '' ? {} : { podIP: facts.podIP, podIPs: [{ ip: facts.podIP }] }),
    startTime: facts.startTime,
    conditions,
    ...(init.length === 0 ? {} : { initContainerStatuses: init.map(containerStatus) }),
    containerStatuses: main.map(containerStatus),
  };
}
