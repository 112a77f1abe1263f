/** The conditions Available, Ready, Reconciling and Stalled, and the one word for people. */
import type { ConditionType } from '../../../crds/reasons.ts';
import { type ConditionValue, no, yes } from './conditions.ts';
import { allFailures, failureText, readyPods, type StatusFacts } from './facts.ts';
import { pendingText } from './pending.ts';
import { faultText, type Stall } from './stall.ts';

const isDeleting = (facts: StatusFacts) => facts.snapshot.deployment.metadata.deletionTimestamp !== undefined;
const isSuspended = (facts: StatusFacts) => facts.snapshot.deployment.spec.suspend === true;

/** No replica is wanted, because nobody asks and the gateway holds whoever comes. */
const isAsleep = ({ needed, traffic, snapshot }: StatusFacts): boolean =>
  needed === 0 && snapshot.deployment.spec.scaling.scaleToZero !== undefined && traffic.path === 'Gateway';
const asleepText = 'scaled to zero: the gateway holds the next request while the first replica starts';

/** `1 pod`, `3 pods` */
const pods = (count: number) => (count === 1 ? '1 pod' : `${count} pods`);

/** With what went wrong, else with what the pods wait for. */
const withCause = (text: string, facts: StatusFacts) => {
  const first = allFailures(facts)[0];
  const waits = pendingText(facts);
  if (first !== undefined) return `${text}; ${first.reason}: ${failureText(first)}`;
  return waits === undefined ? text : `${text}; ${waits}`;
};

/** That one pod less than needed may serve, and why. */
const roomText = ({ rollout, needed }: StatusFacts) =>
  rollout.record.makesRoomSinceMs === undefined
    ? ''
    : `, ${needed - 1} of ${needed} pods at least: no node has room for one more, so one gives way at a time`;

/**
 * | suspended | ready pods | Available          |
 * | any       | > 0        | True, Serving      |
 * | yes       | 0          | False, Suspended   |
 * | no        | 0, asleep  | True, Serving      |
 * | no        | 0          | False, NoReadyPods |
 */
export function available(facts: StatusFacts): ConditionValue {
  const ready = readyPods(facts);
  if (ready > 0) return yes('Serving', `${pods(ready)} ready`);
  if (isSuspended(facts)) return no('Suspended', 'spec.suspend is true: set it to false to serve');
  if (isAsleep(facts)) return yes('Serving', asleepText);
  if (facts.needed === 0) return no('NoReadyPods', 'no replica is asked for: raise spec.scaling.replicas');
  return no('NoReadyPods', withCause(`0 of ${pods(facts.needed)} ready`, facts));
}

/**
 * The spec as written serves, whole. The first line that holds:
 *
 * | being deleted                                | False, Deleting    |
 * | stalled                                      | False, its reason  |
 * | a write of a child has failed for some time  | False, WriteFailing |
 * | suspended                                    | False, Suspended   |
 * | a candidate is being rolled out              | False, RollingOut  |
 * | pods that restartedAt is to replace are left | False, RollingOut  |
 * | ready pods of an earlier revision are left   | False, RollingOut  |
 * | fewer ready pods than needed                 | False, ScalingUp   |
 * | else                                         | True, UpToDate     |
 */
export function ready(facts: StatusFacts, stall: Stall | undefined): ConditionValue {
  const { rollout, wanted, needed, revisions, outdatedPods } = facts;
  if (isDeleting(facts)) return no('Deleting', 'the ModelDeployment is being deleted');
  if (stall !== undefined) return no(stall.reason, stall.message);
  const { fault } = facts.snapshot.memory;
  if (fault !== undefined) return no('WriteFailing', faultText(fault));
  if (isSuspended(facts)) return no('Suspended', 'spec.suspend is true: set it to false to serve');
  const readyWanted = revisions.get(wanted)?.state.ready ?? 0;
  const count = `${readyWanted} of ${pods(needed)} of revision ${wanted} ready`;
  if (rollout.candidate !== undefined && rollout.stable !== undefined)
    return no(
      'RollingOut',
      withCause(`${count}; revision ${rollout.stable} serves meanwhile${roomText(facts)}`, facts),
    );
  if (rollout.candidate !== undefined) return no('RollingOut', withCause(count, facts));
  if (outdatedPods > 0)
    return no('RollingOut', withCause(`restartedAt: ${pods(outdatedPods)} still to be replaced`, facts));
  if (readyPods(facts) > readyWanted)
    return no('RollingOut', `${pods(readyPods(facts) - readyWanted)} of earlier revisions still to end`);
  if (readyWanted < needed) return no('ScalingUp', withCause(count, facts));
  return yes('UpToDate', isAsleep(facts) ? `${count}: ${asleepText}` : count);
}

/**
 * As kstatus reads them: never both True.
 *
 * | Ready                        | Reconciling        | Stalled           |
 * | True                         | False, UpToDate    | False, UpToDate   |
 * | False, a stall               | False, its reason  | True, its reason  |
 * | False, Suspended, pods left  | True, Suspended    | False, Suspended  |
 * | False, Suspended, none left  | False, Suspended   | False, Suspended  |
 * | False, anything else         | True, its reason   | False, its reason |
 */
export function progress(
  facts: StatusFacts,
  isReady: ConditionValue,
  stall: Stall | undefined,
): { reconciling: ConditionValue; stalled: ConditionValue } {
  const { reason, message } = isReady;
  if (isReady.status === 'True') return { reconciling: no(reason, message), stalled: no(reason, message) };
  if (stall !== undefined && reason !== 'Deleting')
    return { reconciling: no(reason, message), stalled: yes(reason, message) };
  const settled = reason === 'Suspended' && facts.snapshot.pods.length === 0;
  return {
    reconciling: settled ? no(reason, message) : yes(reason, message),
    stalled: no(reason, message),
  };
}

/**
 * The first line that holds:
 *
 * | being deleted                     | Deleting   |
 * | suspended                         | Suspended  |
 * | stalled, something serves         | Degraded   |
 * | stalled, nothing serves           | Failed     |
 * | Ready                             | Ready      |
 * | nothing has ever served           | Pending    |
 * | a write of a child keeps failing  | Degraded   |
 * | rolling out                       | RollingOut |
 * | pods fail                         | Degraded   |
 * | else                              | Scaling    |
 */
export function phase(facts: StatusFacts, values: Readonly<Record<ConditionType, ConditionValue>>): string {
  if (isDeleting(facts)) return 'Deleting';
  if (isSuspended(facts) && values.Stalled.status === 'False') return 'Suspended';
  if (values.Stalled.status === 'True') return values.Available.status === 'True' ? 'Degraded' : 'Failed';
  if (values.Ready.status === 'True') return 'Ready';
  if (facts.rollout.stable === undefined) return 'Pending';
  if (values.Ready.reason === 'WriteFailing') return 'Degraded';
  if (values.Ready.reason === 'RollingOut') return 'RollingOut';
  return allFailures(facts).length > 0 ? 'Degraded' : 'Scaling';
}
