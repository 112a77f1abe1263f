/** A start of the operator rewrites no status: before pods have been heard, what the last status says stands. */
import { describe, expect, test } from '@jest/globals';
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import { plan } from '../plan.ts';
import type { Measured } from '../scaling/measured.ts';
import { makeDeployment, makeMeasured, makePod, makeSnapshot } from '../testing/builders.ts';

const conditions = [
  {
    type: 'SLAMet',
    status: 'True',
    reason: 'Met',
    message: 'promised p95 50ms, measured 41ms over the last 5m',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T11:00:00Z',
  },
] as ModelDeploymentStatus['conditions'];

function slaMetOf(measured: Measured | 'unknown', generation = 1): string {
  const base = makeDeployment({ sla: { latency: { p95: '50ms' }, window: '5m' } });
  const deployment = {
    ...base,
    metadata: { ...base.metadata, generation },
    status: { observedGeneration: 1, conditions },
  };
  const { status } = plan(makeSnapshot({ deployment, measured, pods: [makePod('abc', { ready: true })] }));
  const found = status?.conditions?.find(({ type }) => type === 'SLAMet');
  return `${found?.status} ${found?.reason}`;
}

const silent = (unheardMs?: number) =>
  makeMeasured({
    requests: 0,
    readyPods: 1,
    freshPods: 0,
    ...(unheardMs === undefined ? {} : { unheardMs }),
  });

describe('SLAMet of a deployment whose promise was kept', () => {
  test.each<[string, Measured | 'unknown', string]>([
    ['no decision was made yet', 'unknown', 'True Met'],
    [
      'no address of its ready pods is known yet',
      makeMeasured({ requests: 0, readyPods: 0, freshPods: 0 }),
      'True Met',
    ],
    ['its pods were not heard yet', silent(2_000), 'True Met'],
    ['its pods had 30 s to answer', silent(30_000), 'Unknown MetricsUnknown'],
    ['its pods answered once and do no more', silent(), 'Unknown MetricsUnknown'],
    ['its pods answer', makeMeasured({ requests: 0, readyPods: 1, freshPods: 1 }), 'Unknown NoTraffic'],
  ])('%s', (_, measured, want) => {
    expect(slaMetOf(measured)).toBe(want);
  });

  test('another spec may promise something else', () => {
    expect(slaMetOf('unknown', 2)).toBe('Unknown MetricsUnknown');
  });
});

describe('the present decision', () => {
  const current = {
    reason: 'HoldUnknown',
    message: 'the one ready pod gave no fresh figures: 1 kept',
    limitedBy: 'MetricsUnknown',
  } as const;
  const decisionAt = (generation: number) => {
    const base = makeDeployment({ sla: { latency: { p95: '50ms' }, window: '5m' } });
    const deployment = {
      ...base,
      metadata: { ...base.metadata, generation },
      status: {
        observedGeneration: 1,
        scaling: { desiredReplicas: 1, minReplicas: 1, maxReplicas: 1, owner: 'Ballast', current },
      },
    };
    const measured = makeMeasured({ requests: 0, readyPods: 0, freshPods: 0 });
    return plan(makeSnapshot({ deployment, measured, pods: [makePod('abc', { ready: true })] })).status
      ?.scaling;
  };
  test('stays while nobody was heard: a start of the operator writes nothing', () => {
    expect(decisionAt(1)?.current).toEqual(current);
  });
  test('goes with another spec', () => {
    expect(decisionAt(2)?.current).not.toEqual(current);
  });
});
