/** What every protocol of the pod is an edge of: arrivals in, answers or refusals out. */
import { OpenCall } from './call.ts';
import type { InferenceDependencies, InferenceService } from './types.ts';

/** Makes the service. */
export const createInferenceService = (dependencies: InferenceDependencies): InferenceService => ({
  begin: (arrival) => {
    const nowMs = dependencies.nowMs();
    dependencies.observer.arrived(nowMs);
    return new OpenCall(dependencies, arrival, nowMs, dependencies.stoodMs(nowMs));
  },
});
