/** A long backlog: what is said at once, and what waits. */
import { describe, expect, test } from '@jest/globals';
import { plan } from './plan.ts';
import { emptyMemory, type Snapshot } from './snapshot.ts';
import { makeDeployment, makeSnapshot, startMs } from './testing/builders.ts';
import { World } from './testing/world.ts';

describe('when many wait for their turn', () => {
  const created = new Date(startMs).toISOString();
  const bare = makeDeployment();
  const fresh = (afterMs: number, part: Partial<Snapshot> = {}, spec = bare.spec) => {
    const deployment = { ...bare, metadata: { ...bare.metadata, creationTimestamp: created }, spec };
    return plan(makeSnapshot({ nowMs: startMs + afterMs, deployment, backlog: 33, ...part }));
  };
  const reasons = ({ events }: { events: readonly { reason: string }[] }) =>
    events.map(({ reason }) => reason);

  test('that a rollout begins is said later, the children are made all the same', () => {
    const decided = fresh(0);
    expect([decided.status, reasons(decided), decided.requeueAfterMs]).toEqual([undefined, [], 10_000]);
    expect(decided.apply).toEqual(fresh(0, { backlog: 32 }).apply);
    expect(fresh(55_000).requeueAfterMs).toBe(5_000);
  });

  test.each<[string, ReturnType<typeof fresh>]>([
    ['the backlog is short', fresh(0, { backlog: 32 })],
    ['a minute is over', fresh(60_000)],
  ])('it is said at once when %s', (_, decided) => {
    expect(reasons(decided)).toEqual(['RolloutStarted']);
    expect(decided.status?.rollout?.number).toBe(1);
  });

  test('what a person should act on is said at once', () => {
    const refusal = {
      kind: 'QuotaExceeded',
      verb: 'patch',
      resource: 'services',
      child: 'services/wine',
      message: 'exceeded quota: objects',
    } as const;
    const refused = fresh(0, { memory: { ...emptyMemory, refusal } });
    expect(refused.status?.conditions?.find(({ type }) => type === 'Stalled')?.status).toBe('True');
    expect(fresh(0, {}, { ...bare.spec, model: { uri: 'nonsense' } }).status).toBeDefined();
  });

  test('a rollout that begins and ends meanwhile is one status and one event', () => {
    const world = new World(1);
    world.settle();
    const { status: _, ...deployment } = world.deployment;
    const decided = fresh(1_000, { ...world.snapshot(), backlog: 33, deployment });
    expect(reasons(decided)).toEqual(['RolloutFinished']);
    expect(decided.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
  });
});
