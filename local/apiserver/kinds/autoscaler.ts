/** HorizontalPodAutoscalers: stored as autoscaling/v2, shown as v1 too for older kubectl. */
import type { Strategy } from '../kind.ts';
import { type AnyObject, cloneJson, isJson, jsonAt, listAt, numberAt, textAt } from '../object.ts';
import { fault } from '../status-error.ts';
import { setDefault } from './pod-defaults.ts';

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

export const autoscalerStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    const spec = jsonAt(draft, 'spec');
    setDefault(spec, 'minReplicas', 1);
    const hasMetrics =
      listAt(spec, 'metrics').length > 0 || spec.targetCPUUtilizationPercentage !== undefined;
    // Without any metric the real server assumes a CPU utilisation of 80 %.
    if (!hasMetrics && draft.apiVersion === 'autoscaling/v2')
      spec.metrics = [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ];
    draft.status = { desiredReplicas: 0 };
  },
  validate(object) {
    const spec = jsonAt(object, 'spec');
    const max = Number(spec.maxReplicas ?? 0);
    const min = Number(spec.minReplicas ?? 1);
    if (!isJson(spec.scaleTargetRef)) return [fault.required('spec.scaleTargetRef')];
    if (max < 1) return [fault.invalid('spec.maxReplicas', max, 'must be greater than 0')];
    return max < min
      ? [fault.invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`')]
      : [];
  },
};
