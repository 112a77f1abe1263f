/** A ModelDeployment's status as a person would tell it: why this many replicas. Pure. */

import type { PastDecisionStatus, ScalingDecisionStatus, StatusCondition } from '../../crds/status.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import { defaultIdleAfter } from '../../operator/model/scaling/sleep.ts';
import { inputLines } from './inputs.ts';

const conditionOf = ({ status }: ModelDeployment, type: string): StatusCondition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

/** `1 replica`, `3 replicas` */
const replicas = (count: number) => (count === 1 ? '1 replica' : `${count} replicas`);

/** `12 s`, `4 min`, `3 h`, `2 days`: how long ago an RFC 3339 time was. */
export function ageText(time: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(time)) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** When the last replica goes, where one may. */
function restText({ scaleToZero }: ModelDeployment['spec']['scaling']): string {
  if (scaleToZero === undefined) return '';
  return `, none after ${scaleToZero.idleAfter ?? defaultIdleAfter} without a request`;
}

function ownerText({ spec, status }: ModelDeployment): string {
  const { owner, minReplicas, maxReplicas } = status?.scaling ?? {};
  if (spec.suspend === true) return 'spec.suspend is true, so none runs';
  if (spec.scaling.mode === 'Fixed') return 'scaling.mode is Fixed: spec.scaling.replicas says so';
  if (spec.scaling.mode === 'External')
    return `scaling.mode is External: ${owner === undefined || owner === 'nobody' ? 'nobody has decided yet, spec.scaling.replicas counts' : `${owner} decides`}`;
  return minReplicas === undefined || maxReplicas === undefined
    ? 'Ballast decides'
    : `Ballast decides, between ${minReplicas} and ${maxReplicas}${restText(spec.scaling)}`;
}

function headline(deployment: ModelDeployment): string {
  const { metadata, status } = deployment;
  const wanted = status?.scaling?.desiredReplicas;
  const ready = status?.readyReplicas ?? 0;
  const count = wanted === undefined ? 'it is not said how many replicas are' : replicas(wanted);
  return `${metadata.name} in ${metadata.namespace}: ${count} wanted, ${ready} ready. ${ownerText(deployment)}.`;
}

const startupText = (startup: string, node: string | undefined) =>
  `a new pod takes ${startup} to be ready${node === undefined ? '' : `, ${node} of it the wait for a node`}`;

function presentLines({ status }: ModelDeployment): string[] {
  const current = status?.scaling?.current;
  if (current === undefined) return [];
  const { neededReplicas, arrivalRate, forecastRate, utilisation, startupTime, nodeTime } = current;
  // Nothing runs and nothing comes: there is nothing to reckon.
  if (current.reason === 'Idle') return ['', `Now (Idle): ${current.message}`];
  const figures = [
    neededReplicas === undefined ? [] : [`the load alone needs ${replicas(neededReplicas)}`],
    forecastRate === undefined || forecastRate === arrivalRate
      ? []
      : [`${forecastRate} expected by the time a new pod is ready, ${arrivalRate} planned for`],
    startupTime === undefined || neededReplicas === undefined ? [] : [startupText(startupTime, nodeTime)],
    utilisation === undefined ? [] : [`a replica is busy ${utilisation} of the time`],
  ].flat();
  return [
    '',
    `Now (${current.reason}): ${current.message}`,
    ...(figures.length === 0 ? [] : [`  ${figures.join('; ')}`]),
  ];
}

function promiseLine(deployment: ModelDeployment): string[] {
  const { spec, status } = deployment;
  const promised = Object.entries(spec.sla?.latency ?? {});
  const { sla } = status ?? {};
  const met = conditionOf(deployment, 'SLAMet');
  if (promised.length === 0 && spec.sla?.errorRate === undefined)
    return [
      `Promise: none (spec.sla)${spec.scaling.mode === 'SLA' && spec.suspend !== true ? ', so load is all there is to go by' : ''}.`,
    ];
  const measured = (percentile: string) => sla?.[percentile as 'p50' | 'p90' | 'p95' | 'p99'] ?? 'unknown';
  const parts = promised.map(([percentile, target]) => `${percentile} ${measured(percentile)} of ${target}`);
  if (spec.sla?.errorRate !== undefined)
    parts.push(`errors ${sla?.errorRate ?? 'unknown'} of ${spec.sla.errorRate}`);
  const verdict = met?.status === 'True' ? 'kept' : met?.status === 'False' ? 'BROKEN' : 'not known';
  const left = sla?.budgetLeft === undefined ? '' : `; ${sla.budgetLeft} of the error budget left`;
  return [`Promise ${verdict}: ${parts.join(', ')}${left}.`];
}

/** `Way (Gateway, since 4 min): …` */
function wayLine({ status }: ModelDeployment, nowMs: number): string[] {
  const way = status?.traffic;
  return way === undefined ? [] : [`Way (${way.path}, since ${ageText(way.since, nowMs)}): ${way.message}.`];
}

/** `Room (for 2 replicas, 0.24 an hour): …` */
function roomLine({ status }: ModelDeployment): string[] {
  const room = status?.scaling?.headroom;
  if (room === undefined) return [];
  return [`Room (for ${replicas(room.replicas)}, ${room.perHour} an hour): ${room.message}.`];
}

/** What stands in the way, each once: a limit of scaling, pods that wait, a spec that is not in effect. */
function hindrances(deployment: ModelDeployment): string[] {
  const { metadata, status } = deployment;
  const limited = conditionOf(deployment, 'ScalingLimited');
  const stalled = conditionOf(deployment, 'Stalled');
  const ready = conditionOf(deployment, 'Ready');
  const lines: string[] = [];
  // A limit that the present decision already told of is not told twice.
  if (limited?.status === 'True' && limited.message !== status?.scaling?.current?.message)
    lines.push(`${limited.reason}: ${limited.message}`);
  if (stalled?.status === 'True') lines.push(`${stalled.reason}: ${stalled.message}`);
  else if (ready?.status === 'False') lines.push(`${ready.reason}: ${ready.message}`);
  for (const { reason, pods, message } of status?.pending?.causes ?? []) {
    const known = message.replace(/\.$/, '');
    if (lines.some((line) => line.includes(known))) continue;
    lines.push(`${pods === 1 ? '1 pod waits' : `${pods} pods wait`} (${reason}): ${message}`);
  }
  const { generation = 0 } = metadata;
  const observed = status?.observedGeneration;
  if (observed !== undefined && observed < generation)
    lines.push(
      `the operator has not looked at the newest change of the spec yet (${observed} of ${generation})`,
    );
  const told = [...new Set(lines)];
  return told.length === 0 ? [] : ['', 'In the way:', ...told.map((line) => `  ${line}`)];
}

const changeText = ({ previousReplicas, replicas: now }: PastDecisionStatus) =>
  previousReplicas === now ? `${now}` : `${previousReplicas} → ${now}`;

function lastLines(
  last: ScalingDecisionStatus | undefined,
  present: string | undefined,
  nowMs: number,
): string[] {
  if (last === undefined) return [];
  const head =
    last.previousReplicas === last.replicas
      ? `Decided ${ageText(last.time, nowMs)} ago, and the count stayed ${last.replicas}`
      : `Last change, ${ageText(last.time, nowMs)} ago: ${changeText(last)}`;
  const message = last.message === present ? '' : `: ${last.message}`;
  return ['', `${head} (${last.reason})${message}`, ...inputLines(last.inputs).map((line) => `  ${line}`)];
}

/** The changes before the last one, which is told whole. */
function historyLines(
  all: readonly PastDecisionStatus[],
  last: ScalingDecisionStatus | undefined,
  nowMs: number,
): string[] {
  const recent = all.filter(({ time, replicas: now }) => time !== last?.time || now !== last.replicas);
  if (recent.length === 0) return [];
  const rows = recent.map((one) => [`${ageText(one.time, nowMs)} ago`, changeText(one), one.reason]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return [
    '',
    'Changes before, the newest first:',
    ...recent.map(
      ({ message }, index) =>
        `  ${(rows[index] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}  ${message}`,
    ),
  ];
}

/** The whole explanation, with a newline at its end; `nowMs` is the wall clock. */
export function explain(deployment: ModelDeployment, nowMs: number): string {
  const { status, metadata } = deployment;
  if (status?.scaling === undefined)
    return `${metadata.name} in ${metadata.namespace}: no operator has looked at it yet. Does one run, and does it watch this namespace? kubectl get md ${metadata.name} -n ${metadata.namespace} -o yaml shows all there is.\n`;
  const { current, lastDecision, recentDecisions = [] } = status.scaling;
  const lines = [
    headline(deployment),
    ...promiseLine(deployment),
    ...wayLine(deployment, nowMs),
    ...roomLine(deployment),
    ...presentLines(deployment),
    ...hindrances(deployment),
    ...lastLines(lastDecision, current?.message, nowMs),
    ...historyLines(recentDecisions, lastDecision, nowMs),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for programs: the parts of the object that the explanation is made of. */
export function explanationOf(deployment: ModelDeployment): Record<string, unknown> {
  const { metadata, spec, status } = deployment;
  const conditions = ['ScalingLimited', 'SLAMet', 'Ready', 'Stalled'].flatMap(
    (type) => conditionOf(deployment, type) ?? [],
  );
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    mode: spec.scaling.mode,
    readyReplicas: status?.readyReplicas ?? 0,
    ...status?.scaling,
    promised: spec.sla ?? null,
    measured: status?.sla ?? null,
    traffic: status?.traffic ?? null,
    conditions,
    pending: status?.pending ?? null,
  };
}
