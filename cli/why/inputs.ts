/** The numbers of a decision as a person says them: what it was made from, then what was not known. */
import type { ScalingDecisionStatus } from '../../crds/status.ts';

type Inputs = ScalingDecisionStatus['inputs'];

const known = (inputs: Inputs, name: string): string | undefined => {
  const value = inputs[name];
  return value === undefined || value === 'unknown' ? undefined : value;
};

/** The part with its number, where there is one that is not 0. */
const counted = (inputs: Inputs, name: string, words: string): string[] => {
  const value = known(inputs, name);
  return value === undefined || value === '0' ? [] : [`${value} ${words}`];
};

function load(inputs: Inputs): string[] {
  const [two, ten, sixty] = ['arrivalRate2s', 'arrivalRate10s', 'arrivalRate60s'].map((name) =>
    known(inputs, name),
  );
  if (ten === undefined) return [];
  const parts = [`${two}, ${ten} and ${sixty} requests/s in the last 2, 10 and 60 s`];
  const startup = known(inputs, 'startupSeconds');
  const forecast = known(inputs, 'forecastRate');
  if (forecast !== undefined && forecast !== known(inputs, 'plannedRate'))
    parts.push(`${forecast}/s expected when a new pod is ready (${startup} s)`);
  const planned = known(inputs, 'plannedRate');
  if (planned !== undefined) parts.push(`planned for ${planned}/s`);
  return [
    ...parts,
    ...counted(inputs, 'queueLength', 'waiting'),
    ...counted(inputs, 'refusedRate', 'requests/s refused'),
  ];
}

function service(inputs: Inputs): string[] {
  const ms = known(inputs, 'serviceMs');
  if (ms === undefined) return [];
  const samples = known(inputs, 'serviceSamples');
  const slots = known(inputs, 'slotsPerReplica');
  return [
    `a request takes a pod ${ms} ms${samples === undefined || samples === '0' ? '' : ` (${samples} measured)`}`,
    ...(slots === undefined || slots === '1' ? [] : [`${slots} at once`]),
    ...(known(inputs, 'burstiness') === undefined ? [] : [`burstiness ${known(inputs, 'burstiness')}`]),
    ...(known(inputs, 'waitFactor') === undefined
      ? []
      : [`measured waits are ${known(inputs, 'waitFactor')} times the predicted ones`]),
    ...(known(inputs, 'fullBusyShare') === undefined
      ? []
      : [`full replicas were busy ${Math.round(100 * Number(known(inputs, 'fullBusyShare')))}% of the time`]),
  ];
}

function pods(inputs: Inputs): string[] {
  const ready = known(inputs, 'readyPods');
  if (ready === undefined || ready === '0') return [];
  return [
    `${known(inputs, 'freshPods')} of ${ready} ready pods heard`,
    ...counted(inputs, 'startingPods', 'starting'),
    ...counted(inputs, 'crashingPods', 'crashing'),
    ...counted(inputs, 'blockedPods', 'without a place'),
  ];
}

/** At most three lines of figures, and one of what was unknown. */
export function inputLines(inputs: Inputs): string[] {
  const lines = [load(inputs), service(inputs), pods(inputs)]
    .filter((parts) => parts.length > 0)
    .map((parts) => parts.join('; '));
  const unknown = [
    ...(inputs.arrivalRate10s === 'unknown' ? ['how many requests come'] : []),
    ...(inputs.serviceMs === 'unknown' ? ['how long one takes'] : []),
  ];
  return [...lines, ...(unknown.length === 0 ? [] : [`not known then: ${unknown.join(', ')}`])];
}
