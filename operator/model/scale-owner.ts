/** Who owns `spec.scaling.replicas`, from the field managers that the API server keeps: no right beyond reading ModelDeployments. */
import type { FieldsOwner, ModelDeployment } from '../../crds/types.ts';

const replicasOnly = { 'f:spec': { 'f:scaling': { 'f:replicas': {} } } };

type Fields = Record<string, unknown> | undefined;

const ownsReplicas = ({ fieldsV1 }: FieldsOwner): boolean =>
  ((fieldsV1?.['f:spec'] as Fields)?.['f:scaling'] as Fields)?.['f:replicas'] !== undefined;

/** The entries that own `spec.scaling.replicas`, with nothing but that field: what is kept of managedFields. */
export const replicasOwners = (entries: readonly FieldsOwner[]): FieldsOwner[] =>
  entries.filter(ownsReplicas).map(({ fieldsV1: _, ...entry }) => ({ ...entry, fieldsV1: replicasOnly }));

/**
 * Field managers of autoscalers: the HorizontalPodAutoscaler is part of the controller manager, KEDA wakes and sends to
 * sleep (0 to 1 and back) by itself. A person or a tool that scales (`kubectl scale`) is none.
 */
const autoscalers = /^(kube-controller-manager|horizontal-pod-autoscaler|keda(-operator)?)$/;

export interface ScaleOwner {
  readonly manager: string;
  /** Whether it wrote through the scale subresource as an autoscaler does. */
  readonly isAutoscaler: boolean;
  /** RFC 3339; undefined where the server says none. */
  readonly time: string | undefined;
}

/** The owner of the count in the spec, the one that wrote last; undefined when nobody but the CRD's default has set it. */
export function scaleOwnerOf({ metadata }: ModelDeployment): ScaleOwner | undefined {
  const owners = replicasOwners(metadata.managedFields ?? []);
  const last = owners.reduce<FieldsOwner | undefined>(
    (found, one) => (found === undefined || (one.time ?? '') >= (found.time ?? '') ? one : found),
    undefined,
  );
  if (last?.manager === undefined) return undefined;
  return {
    manager: last.manager,
    // Somebody who declares the same value afterwards agrees with it: then it is not the autoscaler's alone.
    isAutoscaler: owners.every(({ manager, subresource }) => isAutoscaler(manager, subresource)),
    time: last.time,
  };
}

const isAutoscaler = (manager: string | undefined, subresource: string | undefined) =>
  subresource === 'scale' && manager !== undefined && autoscalers.test(manager);

/** Whether a field manager of a count is an autoscaler's, by its name alone. */
export const isAutoscalerName = (manager: string): boolean => autoscalers.test(manager);
