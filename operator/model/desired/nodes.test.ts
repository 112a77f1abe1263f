/** Pods let nodes come and go: spread over zones and hosts, in the way of no consolidation, ended within bounded time. */
import { describe, expect, test } from '@jest/globals';
import { makeDeployment, type SpecPart, testDefaults } from '../testing/builders.ts';
import { desiredPodDisruptionBudget } from './pod-disruption-budget.ts';
import { renderPodTemplate } from './pod-template.ts';

const rendered = (spec: SpecPart = {}) => renderPodTemplate(makeDeployment(spec), 'r1', testDefaults);
const safeToEvict = 'cluster-autoscaler.kubernetes.io/safe-to-evict';

describe('pods and nodes', () => {
  test('are spread over hosts and zones by their revision, and scheduled anyway', () => {
    expect(rendered().spec.topologySpreadConstraints).toEqual(
      [
        ['kubernetes.io/hostname', 3],
        ['topology.kubernetes.io/zone', 1],
      ].map(([topologyKey, maxSkew]) => ({
        topologyKey,
        maxSkew,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: {
          matchLabels: { 'ballast.dev/model-deployment': 'wine', 'ballast.dev/revision': 'r1' },
        },
        matchLabelKeys: ['pod-template-hash'],
      })),
    );
  });

  test('the user’s own spread replaces the default, an empty list too', () => {
    const spread = (topologySpread: { topologyKey: string }[]) =>
      rendered({ runtime: { pod: { topologySpread } } }).spec.topologySpreadConstraints;
    expect(spread([])).toEqual([]);
    expect(spread([{ topologyKey: 'rack' }])).toMatchObject([{ topologyKey: 'rack', maxSkew: 1 }]);
  });

  test('no annotation of ours keeps a node; the user’s own word on it stays', () => {
    expect(rendered().metadata?.annotations).toEqual({ [safeToEvict]: 'true' });
    const own = { [safeToEvict]: 'false', 'karpenter.sh/do-not-disrupt': 'true' };
    expect(rendered({ runtime: { pod: { annotations: own } } }).metadata?.annotations).toEqual(own);
  });

  test('one pod may go at a time, a broken one at any time, and each within its grace', () => {
    const { spec } = desiredPodDisruptionBudget(makeDeployment(), 'r1');
    expect(spec).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
    expect(rendered().spec.terminationGracePeriodSeconds).toBe(60);
    // traffic.timeout is at most an hour.
    expect(rendered({ traffic: { timeout: '1h' } }).spec.terminationGracePeriodSeconds).toBe(3_615);
  });
});
