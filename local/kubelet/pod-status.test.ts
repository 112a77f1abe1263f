import { describe, expect, test } from '@jest/globals';
import type { ContainerState, Pod } from '../../kube/objects.ts';
import { type ContainerRecord, newRecord, phaseOf, podStatus } from './pod-status.ts';

const running: ContainerState = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const ended = (exitCode: number): ContainerState => ({ terminated: { exitCode } });
const waiting: ContainerState = { waiting: { reason: 'CrashLoopBackOff' } };

const record = (state: ContainerState, change: Partial<ContainerRecord> = {}): ContainerRecord => ({
  ...newRecord({ name: change.name ?? 'c', image: 'i' }, change.init ?? false),
  state,
  started: state.running !== undefined,
  ready: state.running !== undefined,
  finished: state.terminated !== undefined,
  ...change,
});

describe('phase', () => {
  test.each([
    ['waits for its first start', [record({ waiting: {} })], 'Always', 'Pending'],
    ['runs', [record(running)], 'Always', 'Running'],
    [
      'one runs, one crashed and waits',
      [record(running), record(waiting, { lastState: ended(1) })],
      'Always',
      'Running',
    ],
    ['crashed and waits', [record(waiting, { lastState: ended(1) })], 'Always', 'Running'],
    ['one has not started yet', [record(running), record({ waiting: {} })], 'Always', 'Pending'],
    ['ended well, never again', [record(ended(0))], 'Never', 'Succeeded'],
    ['ended badly, never again', [record(ended(0)), record(ended(2))], 'Never', 'Failed'],
    ['ended badly, to be started again', [record(ended(2), { finished: false })], 'OnFailure', 'Running'],
    ['ended, Always', [record(ended(0), { finished: false })], 'Always', 'Running'],
    ['init runs', [record(running, { init: true }), record({ waiting: {} })], 'Always', 'Pending'],
    [
      'init failed, to be started again',
      [record(ended(1), { init: true, finished: false })],
      'Always',
      'Pending',
    ],
    ['init failed for good', [record(ended(1), { init: true }), record({ waiting: {} })], 'Never', 'Failed'],
    ['init done', [record(ended(0), { init: true }), record(running)], 'Always', 'Running'],
  ] as const)('%s: %s', (_name, records, policy, want) => {
    expect(phaseOf(records, policy)).toBe(want);
  });
});

describe('status', () => {
  const pod = { metadata: { name: 'p' }, spec: { containers: [] } } as unknown as Pod;
  const facts = { podIP: '127.16.0.1', hostIP: '127.0.0.1', startTime: 'then', volumesReady: true };
  const condition = (status: ReturnType<typeof podStatus>, type: string) =>
    status.conditions?.find((candidate) => candidate.type === type);

  test('a container that is not started is not ready, whatever its probe said', () => {
    const status = podStatus(pod, [record(running, { started: false })], facts, 0);
    expect(status.containerStatuses?.[0]).toMatchObject({ ready: false, started: false });
    expect(condition(status, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [c]',
    });
  });

  test('the transition time moves only with the status', () => {
    const first = podStatus(pod, [record(running)], facts, 0);
    const later = podStatus({ ...pod, status: first }, [record(running)], facts, 60_000);
    expect(later).toEqual(first);
    const unready = podStatus({ ...pod, status: first }, [record(running, { ready: false })], facts, 60_000);
    expect(condition(unready, 'Ready')?.lastTransitionTime).toBe('1970-01-01T00:01:00Z');
    expect(condition(unready, 'Initialized')?.lastTransitionTime).toBe('1970-01-01T00:00:00Z');
  });

  test('readiness gates of others must be True too', () => {
    const gated = {
      ...pod,
      spec: { containers: [], readinessGates: [{ conditionType: 'x/y' }] },
    } as unknown as Pod;
    const closed = podStatus(gated, [record(running)], facts, 0);
    expect(condition(closed, 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    expect(condition(closed, 'ContainersReady')?.status).toBe('True');
    const open = { ...gated, status: { conditions: [{ type: 'x/y', status: 'True' as const }] } };
    expect(condition(podStatus(open, [record(running)], facts, 0), 'Ready')?.status).toBe('True');
  });

  test('a pod that was ended as a whole is Failed with the reason', () => {
    const failure = { reason: 'Evicted', message: 'too full' };
    expect(podStatus(pod, [record(ended(0))], { ...facts, failure }, 0)).toMatchObject({
      phase: 'Failed',
      ...failure,
    });
  });
});
