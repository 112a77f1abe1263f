/** Columns of pods: ready count, the one-word status that people read, restarts. */
import type { Column } from '../kind.ts';
import { type AnyObject, jsonAt, listAt, numberAt, textAt } from '../object.ts';
import { ageSince } from './human.ts';

const isSidecar = (pod: AnyObject, name: string) =>
  listAt(pod.spec, 'initContainers').some(
    (c) => textAt(c, 'name') === name && textAt(c, 'restartPolicy') === 'Always',
  );

function exitText(terminated: unknown): string {
  const reason = textAt(terminated, 'reason');
  if (reason !== '') return reason;
  const signal = numberAt(terminated, 'signal') ?? 0;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, 'exitCode') ?? 0}`;
}

/** Status of a pod that still initialises; undefined when all init containers are done. */
function initStatus(pod: AnyObject): string | undefined {
  const specs = listAt(pod.spec, 'initContainers');
  for (const [index, status] of listAt(pod.status, 'initContainerStatuses').entries()) {
    const state = jsonAt(status, 'state');
    const terminated = jsonAt(state, 'terminated');
    if (state.terminated !== undefined && (numberAt(terminated, 'exitCode') ?? 0) === 0) continue;
    if (isSidecar(pod, textAt(status, 'name')) && jsonAt({ status }, 'status').started === true) continue;
    if (state.terminated !== undefined) return `Init:${exitText(terminated)}`;
    const waiting = textAt(state.waiting, 'reason');
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${specs.length}`;
  }
  return undefined;
}

function containerStatus(pod: AnyObject, before: string): string {
  let reason = before;
  let hasRunning = false;
  for (const status of listAt(pod.status, 'containerStatuses').toReversed()) {
    const state = jsonAt(status, 'state');
    const waiting = textAt(state.waiting, 'reason');
    if (waiting !== '') reason = waiting;
    else if (state.terminated !== undefined) reason = exitText(state.terminated);
    else if (jsonAt({ status }, 'status').ready === true && state.running !== undefined) hasRunning = true;
  }
  if (reason === 'Completed' && hasRunning) {
    const ready = listAt(pod.status, 'conditions').some(
      (c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'True',
    );
    return ready ? 'Running' : 'NotReady';
  }
  return reason;
}

/** The word in the STATUS column. */
export function podStatusWord(pod: AnyObject): string {
  let reason = textAt(pod.status, 'reason') || textAt(pod.status, 'phase');
  for (const condition of listAt(pod.status, 'conditions'))
    if (textAt(condition, 'type') === 'PodScheduled' && textAt(condition, 'reason') === 'SchedulingGated')
      reason = 'SchedulingGated';
  const initialising = initStatus(pod);
  reason = initialising ?? containerStatus(pod, reason);
  if (pod.metadata.deletionTimestamp !== undefined && textAt(pod.status, 'reason') === 'NodeLost')
    return 'Unknown';
  if (
    pod.metadata.deletionTimestamp !== undefined &&
    !['Succeeded', 'Failed'].includes(textAt(pod.status, 'phase'))
  )
    return 'Terminating';
  return reason;
}

function readyCount(pod: AnyObject): string {
  const sidecars = listAt(pod.spec, 'initContainers').filter(
    (c) => textAt(c, 'restartPolicy') === 'Always',
  ).length;
  const statuses = [
    ...listAt(pod.status, 'containerStatuses'),
    ...listAt(pod.status, 'initContainerStatuses').filter((status) => isSidecar(pod, textAt(status, 'name'))),
  ];
  const ready = statuses.filter((status) => jsonAt({ status }, 'status').ready === true).length;
  return `${ready}/${listAt(pod.spec, 'containers').length + sidecars}`;
}

function restarts(pod: AnyObject, nowMs: number): string {
  const statuses =
    initStatus(pod) === undefined
      ? listAt(pod.status, 'containerStatuses')
      : listAt(pod.status, 'initContainerStatuses');
  let count = 0;
  let last = '';
  for (const status of statuses) {
    count += numberAt(status, 'restartCount') ?? 0;
    const at = textAt(jsonAt(status, 'lastState').terminated, 'finishedAt');
    if (at > last) last = at;
  }
  return count === 0 || last === '' ? String(count) : `${count} (${ageSince(last, nowMs)} ago)`;
}

function readinessGates(pod: AnyObject): string {
  const gates = listAt(pod.spec, 'readinessGates');
  if (gates.length === 0) return '<none>';
  const conditions = listAt(pod.status, 'conditions');
  const met = gates.filter((gate) =>
    conditions.some(
      (c) => textAt(c, 'type') === textAt(gate, 'conditionType') && textAt(c, 'status') === 'True',
    ),
  );
  return `${met.length}/${gates.length}`;
}

const orNone = (text: string) => (text === '' ? '<none>' : text);

export const podColumns: Column[] = [
  { name: 'Ready', type: 'string', cell: readyCount },
  { name: 'Status', type: 'string', cell: podStatusWord },
  { name: 'Restarts', type: 'string', cell: restarts },
  { name: 'Age', type: 'string', cell: (pod, now) => ageSince(pod.metadata.creationTimestamp, now) },
  { name: 'IP', type: 'string', priority: 1, cell: (pod) => orNone(textAt(pod.status, 'podIP')) },
  { name: 'Node', type: 'string', priority: 1, cell: (pod) => orNone(textAt(pod.spec, 'nodeName')) },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    cell: (pod) => orNone(textAt(pod.status, 'nominatedNodeName')),
  },
  { name: 'Readiness Gates', type: 'string', priority: 1, cell: readinessGates },
];
