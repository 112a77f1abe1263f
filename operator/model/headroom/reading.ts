/** What is known of the room that is kept, from the answers of the API server: how much there is already, and what is missing. */
import type { Deployment } from '../../../kube/objects.ts';
import type { Known } from '../scaling/types.ts';
import { type CapacityBuffer, type HeadroomForm, headroomName } from './objects.ts';

/** What keeps the room at present. */
export interface KeptHeadroom {
  readonly form: HeadroomForm;
  /** Replicas that room is kept for. */
  readonly replicas: number;
  /** Of them, those whose room is on a node already. */
  readonly inPlace: Known<number>;
  /** Who keeps it and how far that is, for people. */
  readonly sentence: string;
}

export interface HeadroomReading {
  /** Replicas to keep room for; unknown while a forecast is wanted and there is none. */
  readonly wanted: Known<number>;
  /** Undefined before anything was made. */
  readonly kept?: KeptHeadroom | undefined;
  /** Why nothing can be made, for people. */
  readonly problem?: string | undefined;
}

const pods = (count: number) => (count === 1 ? '1 placeholder pod' : `${count} placeholder pods`);

/** What a CapacityBuffer's status says. Karpenter judges `Provisioning` for the generation that it has seen. */
export function keptByBuffer(buffer: CapacityBuffer): KeptHeadroom {
  const { replicas } = buffer.spec;
  const name = buffer.metadata.name ?? headroomName('');
  const known = (type: string) =>
    buffer.status?.conditions?.find(
      (one) => one.type === type && (one.observedGeneration ?? 0) >= (buffer.metadata.generation ?? 0),
    );
  const [resolved, provisioning] = [known('ReadyForProvisioning'), known('Provisioning')];
  const kept = (inPlace: Known<number>, sentence: string): KeptHeadroom => ({
    form: 'CapacityBuffer',
    replicas,
    inPlace,
    sentence: `CapacityBuffer ${name}: ${sentence}`,
  });
  const words = (condition: typeof resolved) =>
    [condition?.reason, condition?.message].filter((one) => one !== undefined && one !== '').join(': ');
  if (replicas === 0) return kept(0, 'no room is asked for');
  if (resolved?.status === 'False') return kept(0, words(resolved));
  if (provisioning?.status === 'True') return kept(replicas, 'all of it is on nodes that are there');
  if (provisioning !== undefined) return kept('unknown', words(provisioning));
  return kept(
    'unknown',
    'no node autoscaler has answered yet; Karpenter reads it with its feature gate CapacityBuffer, Cluster Autoscaler from 1.34',
  );
}

/** How many placeholders have a place; unknown until the Deployment's controller has looked at it (a count of 0 is left out of its status). */
export function placeholdersInPlace({ status }: Pick<Deployment, 'status'>): Known<number> {
  if (status?.observedGeneration === undefined && status?.readyReplicas === undefined) return 'unknown';
  return status.readyReplicas ?? 0;
}

/** What the Deployment of placeholders says. */
export function keptByPlaceholders(deployment: Deployment, hasPriority: boolean): KeptHeadroom {
  const replicas = deployment.spec.replicas ?? 0;
  const ready = replicas === 0 ? 0 : placeholdersInPlace(deployment);
  const inPlace = ready === 'unknown' ? ready : Math.min(replicas, ready);
  const gives = hasPriority
    ? 'they give way to any pod of the model'
    : 'they are taken away when a pod of the model finds no place, for lack of a PriorityClass';
  const how =
    inPlace === 'unknown'
      ? `${pods(replicas)}, not known yet how many are in place`
      : `${inPlace} of ${pods(replicas)} ${replicas === 1 ? 'is' : 'are'} in place`;
  return {
    form: 'Placeholders',
    replicas,
    inPlace,
    sentence: `Deployment ${deployment.metadata.name}: ${replicas === 0 ? 'no room is asked for' : `${how}; ${gives}`}`,
  };
}
