/** HorizontalPodAutoscalers: stored as autoscaling/v2, shown as v1 too for older kubectl. */
import { type AnyObject, cloneJson, jsonAt, listAt, numberAt, textAt } from '../object.ts';

const isCpu = (metric: unknown) =>
  textAt(metric, 'type') === 'Resource' && textAt(jsonAt(metric, 'resource'), 'name') === 'cpu';

/** The stored (v2) form in v1: of the metrics only the CPU utilisation has a place. */
export function toAutoscalingV1(stored: AnyObject): AnyObject {
  const { metrics: _, behavior: __, ...spec } = jsonAt(stored, 'spec');
  const cpu = listAt(stored.spec, 'metrics').find(isCpu);
  const percentage = numberAt(jsonAt(jsonAt(cpu, 'resource'), 'target'), 'averageUtilization');
  const { currentReplicas, desiredReplicas, lastScaleTime, observedGeneration } = jsonAt(stored, 'status');
  return cloneJson({
    ...stored,
    apiVersion: 'autoscaling/v1',
    spec: { ...spec, ...(percentage === undefined ? {} : { targetCPUUtilizationPercentage: percentage }) },
    status: {
      currentReplicas: currentReplicas ?? 0,
      desiredReplicas: desiredReplicas ?? 0,
      lastScaleTime,
      observedGeneration,
    },
  });
}

/** A v1 object in the stored (v2) form. */
export function fromAutoscalingV1(object: AnyObject): AnyObject {
  const { targetCPUUtilizationPercentage: percentage, ...spec } = jsonAt(object, 'spec');
  const target = { type: 'Utilization', averageUtilization: percentage };
  const metrics =
    percentage === undefined ? {} : { metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }] };
  return { ...object, apiVersion: 'autoscaling/v2', spec: { ...spec, ...metrics } };
}
