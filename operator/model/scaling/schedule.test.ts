import { describe, expect, test } from '@jest/globals';
import { isTimezone, type ScheduleWindow, scheduledFloor } from './schedule.ts';

const work: ScheduleWindow = {
  days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'],
  from: '08:00',
  to: '18:00',
  timezone: 'Europe/Berlin',
  minReplicas: 5,
};
const floor = (schedule: readonly ScheduleWindow[], at: string) =>
  scheduledFloor(schedule, Date.parse(at))?.replicas;

describe('a window of the week', () => {
  test.each([
    // 25 November 2026 is a Wednesday; Berlin is one hour ahead of UTC in winter, two in summer.
    ['2026-11-25T06:59:59Z', undefined],
    ['2026-11-25T07:00:00Z', 5],
    ['2026-11-25T16:59:59Z', 5],
    ['2026-11-25T17:00:00Z', undefined],
    ['2026-07-15T06:00:00Z', 5],
    ['2026-07-15T16:00:00Z', undefined],
    ['2026-11-28T10:00:00Z', undefined],
  ])('%s: %s', (at, replicas) => {
    expect(floor([work], at)).toBe(replicas);
  });

  test.each([
    ['2026-11-27T21:59:00Z', undefined],
    ['2026-11-27T22:00:00Z', 3],
    ['2026-11-28T01:59:00Z', 3],
    ['2026-11-28T02:00:00Z', undefined],
    ['2026-11-28T22:30:00Z', undefined],
  ])('over midnight it belongs to the day on which it began: %s: %s', (at, replicas) => {
    expect(floor([{ days: ['Fri'], from: '22:00', to: '02:00', minReplicas: 3 }], at)).toBe(replicas);
  });

  test('without days it is open daily, without a time zone in UTC; from a time to itself all day', () => {
    expect(floor([{ from: '10:00', to: '11:00', minReplicas: 2 }], '2026-11-29T10:30:00Z')).toBe(2);
    expect(floor([{ from: '10:00', to: '10:00', minReplicas: 2 }], '2026-11-29T03:00:00Z')).toBe(2);
  });

  test('of several open ones the largest counts, and is told', () => {
    const schedule = [{ from: '00:00', to: '23:00', minReplicas: 2 }, work];
    expect(scheduledFloor(schedule, Date.parse('2026-11-25T12:00:00Z'))).toEqual({
      replicas: 5,
      window: 'Mon, Tue, Wed, Thu, Fri 08:00-18:00 Europe/Berlin',
    });
  });

  test('a change of the clocks: 08:00 is 08:00 on both sides of it', () => {
    expect(floor([{ ...work, days: [] }], '2026-03-28T07:00:00Z')).toBe(5);
    expect(floor([{ ...work, days: [] }], '2026-03-29T06:00:00Z')).toBe(5);
    expect(floor([{ ...work, days: [] }], '2026-03-29T05:59:00Z')).toBeUndefined();
  });

  test('a time zone that nobody knows opens nothing, and is told apart', () => {
    expect(isTimezone('Europe/Berlin')).toBe(true);
    expect(isTimezone('Middle-earth/Shire')).toBe(false);
    expect(floor([{ ...work, timezone: 'Middle-earth/Shire' }], '2026-11-25T12:00:00Z')).toBeUndefined();
  });
});
