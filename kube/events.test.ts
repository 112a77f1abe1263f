import { describe, expect, test } from '@jest/globals';
import { HeldClock } from './clock.ts';
import { EventRecorder } from './events.ts';
import { MetricsRegistry } from './metrics.ts';
import type { KubeEvent } from './objects.ts';
import { FakeApi, failure } from './testing/fake-api.ts';

const about = { apiVersion: 'x/v1', kind: 'Thing', metadata: { namespace: 'ns', name: 'a', uid: 'u' } };
const note = (message: string) => ({ type: 'Warning' as const, reason: 'Broken', message });

function setUp() {
  const api = new FakeApi();
  const clock = new HeldClock();
  const observer = new MetricsRegistry();
  const recorder = new EventRecorder({ api, clock, observer, component: 'test', instance: 'test-0' });
  const events = () => [...api.objects.values()] as KubeEvent[];
  return { api, clock, observer, recorder, events };
}

describe('events', () => {
  test('say who, what and about which object', async () => {
    const { recorder, events } = setUp();
    recorder.record(about, note('it broke'));
    await recorder.close();
    expect(events()).toMatchObject([
      {
        metadata: { namespace: 'ns' },
        involvedObject: { apiVersion: 'x/v1', kind: 'Thing', name: 'a', namespace: 'ns', uid: 'u' },
        reason: 'Broken',
        message: 'it broke',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        source: { component: 'test' },
        reportingInstance: 'test-0',
      },
    ]);
  });

  test('that repeat are counted up in one object', async () => {
    const { recorder, events, clock } = setUp();
    for (let i = 0; i < 4; i++) {
      recorder.record(about, note('it broke'));
      await clock.run(1000);
    }
    expect(events().map(({ count }) => count)).toEqual([4]);
  });

  test('that look alike are combined after ten', async () => {
    const { recorder, events, clock } = setUp();
    for (let i = 0; i < 14; i++) recorder.record(about, note(`it broke, case ${i}`));
    await clock.run(0);
    expect(events()).toHaveLength(11);
    expect(events()[10]).toMatchObject({
      count: 4,
      message: '(combined from similar events): it broke, case 13',
    });
  });

  test('that flood are dropped after 25 per object, one more each five minutes', async () => {
    const { recorder, api, clock, observer } = setUp();
    for (let i = 0; i < 40; i++) recorder.record(about, note('again'));
    await clock.run(0);
    expect(api.calls).toHaveLength(25);
    expect(observer.value('events_dropped_total')).toBe(15);
    await clock.run(300_000);
    recorder.record(about, note('again'));
    await clock.run(0);
    expect(api.calls).toHaveLength(26);
  });

  test('of one type leave the other its budget: the warning that says what failed still comes', async () => {
    const { recorder, api, clock } = setUp();
    const ordinary = { ...note('again'), type: 'Normal' as const };
    for (let i = 0; i < 40; i++) recorder.record(about, ordinary);
    recorder.record(about, { ...note('it failed'), type: 'Warning' });
    await clock.run(0);
    expect(api.calls).toHaveLength(26);
  });

  test('survive a server that fails for a while, exactly once even when only the answer was lost', async () => {
    const { recorder, api, clock, events } = setUp();
    const create = api.create.bind(api);
    let tries = 0;
    api.create = async (type, object) => {
      tries += 1;
      if (tries === 1) throw failure(503, 'ServiceUnavailable');
      const stored = await create(type, object);
      if (tries === 2) throw failure(0, 'Network');
      return stored;
    };
    recorder.record(about, note('it broke'));
    await clock.run(10_000);
    expect(tries).toBe(3);
    expect(events()).toHaveLength(1);
    recorder.record(about, note('it broke'));
    await clock.run(0);
    expect(events()[0]?.count).toBe(2);
  });

  test('never hold anybody up: close gives up on a server that hangs', async () => {
    const { recorder, api, clock } = setUp();
    api.before = () => Promise.reject(failure(503, 'ServiceUnavailable'));
    recorder.record(about, note('it broke'));
    const closed = recorder.close(500);
    await clock.run(500);
    await closed;
  });
});
