/** Strategies of kinds with few rules beside their schema. */
import type { Strategy } from '../kind.ts';
import { type AnyObject, isJson, jsonAt } from '../object.ts';

/** Drops empty maps, as the real server's encoding does. */
function dropEmpty(draft: AnyObject): void {
  for (const field of ['data', 'binaryData']) {
    const value = draft[field];
    if (value === null || (isJson(value) && Object.keys(value).length === 0)) delete draft[field];
  }
}

export const dataStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate: dropEmpty,
  prepareUpdate: dropEmpty,
};

export const namespaceStrategy: Strategy = {
  generation: 'none',
  nameRule: 'label',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    draft.spec = { finalizers: ['kubernetes'] };
    draft.status = { phase: 'Active' };
  },
  prepareUpdate(draft, old, context) {
    if (context.subresource !== 'finalize') draft.spec = structuredClone(old.spec);
  },
};

export const claimStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    draft.status = { phase: 'Pending' };
  },
};

export const disruptionBudgetStrategy: Strategy = {
  unconditionalUpdate: false,
  prepareCreate(draft) {
    draft.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
};

export const quotaStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    draft.status = {};
  },
};

/** Kinds whose generation follows everything but metadata. */
export const wholeGenerationStrategy: Strategy = { generation: 'all', unconditionalUpdate: true };

/** HorizontalPodAutoscalers start with an empty status. */
export const autoscalerStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    draft.status = {
      desiredReplicas: 0,
      ...(draft.apiVersion === 'autoscaling/v1' ? { currentReplicas: 0 } : {}),
    };
    const spec = jsonAt(draft, 'spec');
    spec.minReplicas ??= 1;
  },
};
