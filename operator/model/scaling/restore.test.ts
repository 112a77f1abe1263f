/** What was learned, read back: garbage is none, and a hint is no reason for fewer replicas by itself. */
import { describe, expect, test } from '@jest/globals';
import { noGainOf } from './capacity.ts';
import { decide, initialState } from './decide.ts';
import { correctionsOf } from './learned.ts';
import { restoredState } from './restore.ts';
import { input, observation, pods } from './testing/build.ts';

const wallMs = Date.UTC(2026, 0, 1, 12);
const nowMs = 500_000;
const agoText = (seconds: number) => new Date(wallMs - 1_000 * seconds).toISOString();
const full = {
  at: agoText(300),
  replicas: 4,
  perSecond: '210',
  serviceSeconds: '0.0123',
  busyShare: '0.6',
  answers: 2_100,
};
const more = { ...full, at: agoText(100), replicas: 8, perSecond: '215' };
const sound = {
  at: agoText(30),
  revision: 'abc123',
  service: { meanSeconds: '0.0123', scv: '0.31' },
  waits: { factor: '1.62', stretches: 12 },
  forecast: { at: agoText(60), margin: '0.84' },
  full: [full, more],
};

test('what is sound is known again, with its age on our clock', () => {
  expect(restoredState(JSON.parse(JSON.stringify(sound)), wallMs, nowMs)).toEqual({
    ...initialState,
    revision: 'abc123',
    service: { meanSeconds: 0.0123, scv: 0.31 },
    serviceRevision: 'abc123',
    keptMargin: { margin: 0.84, untilMs: nowMs + 1_140_000 },
    learned: {
      revision: 'abc123',
      waits: { factor: 1.62, stretches: 12, stretch: undefined, isUnproven: true },
      capacity: {
        full: undefined,
        steps: [
          {
            step: -1,
            atMs: nowMs - 300_000,
            replicas: 4,
            perSecond: 210,
            serviceSeconds: 0.0123,
            busyShare: 0.6,
            answers: 2_100,
          },
          expect.objectContaining({ atMs: nowMs - 100_000, replicas: 8, perSecond: 215 }),
        ],
      },
    },
  });
});

describe('nothing is known of', () => {
  test.each([
    undefined,
    null,
    'learned',
    7,
    [],
    [sound],
    {},
    { ...sound, revision: undefined },
    { ...sound, revision: 3 },
    { ...sound, revision: '' },
    { ...sound, revision: 'A'.repeat(64) },
    { ...sound, revision: '../x' },
    { at: sound.at, revision: 'abc123' },
    { at: 'yesterday', revision: 'abc123', service: sound.service, waits: sound.waits },
    { at: agoText(-3_600), revision: 'abc123', service: sound.service, waits: sound.waits },
    { at: agoText(90_000), revision: 'abc123', service: sound.service, waits: sound.waits },
  ])('%j', (learned) => {
    expect(restoredState(learned, wallMs, nowMs)).toBe(initialState);
  });
});

/** No number, none that can be, or one beyond its limits. */
const bad = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  'NaN',
  'Infinity',
  '1e999',
  '0x10',
  ' 1',
  null,
  {},
  -1,
  '-0.5',
  1e10,
];

describe('one bad figure drops its block and no other', () => {
  test.each(bad)('%p', (value) => {
    const of = (part: object) => restoredState({ ...sound, ...part }, wallMs, nowMs);
    for (const key of ['meanSeconds', 'scv'])
      expect(of({ service: { ...sound.service, [key]: value } })).toMatchObject({
        service: 'unknown',
        serviceRevision: undefined,
        learned: { waits: { factor: 1.62 } },
      });
    for (const key of ['factor', 'stretches'])
      expect(of({ waits: { ...sound.waits, [key]: value } })).toMatchObject({
        service: { scv: 0.31 },
        learned: { waits: { factor: 1, stretches: 0 }, capacity: { steps: [{}, {}] } },
      });
    expect(of({ forecast: { ...sound.forecast, margin: value } })).toMatchObject({
      keptMargin: undefined,
      service: { scv: 0.31 },
    });
    for (const key of ['at', 'replicas', 'perSecond', 'serviceSeconds', 'busyShare', 'answers'])
      expect(of({ full: [full, { ...more, [key]: value }] })).toMatchObject({
        learned: { waits: { factor: 1.62 }, capacity: { steps: [] } },
      });
  });

  test.each([
    { part: { waits: { factor: '0.49', stretches: 9 } }, what: 'a factor below its limit' },
    { part: { waits: { factor: '3.1', stretches: 9 } }, what: 'a factor above its limit' },
    { part: { waits: { factor: '2', stretches: 1.5 } }, what: 'half a stretch' },
    { part: { at: agoText(3_700) }, what: 'waits of more than an hour ago' },
  ])('$what', ({ part }) => {
    const state = restoredState({ ...sound, ...part }, wallMs, nowMs);
    expect(state.learned.waits).toMatchObject({ factor: 1, stretches: 0 });
    expect(state.service).not.toBe('unknown');
    expect(state.learned.capacity.steps).toHaveLength(2);
  });

  test.each([
    { list: [full, { ...more, replicas: 1_001 }], what: 'more replicas than can be' },
    { list: [full, { ...more, replicas: 4 }], what: 'one count twice' },
    { list: [full, { ...more, busyShare: '1.1' }], what: 'busier than all the time' },
    { list: [full, { ...more, at: agoText(3_700) }], what: 'more than an hour ago' },
    { list: [full, { ...more, at: agoText(-60) }], what: 'of the future' },
    {
      list: Array.from({ length: 9 }, (_, index) => ({ ...full, replicas: index + 1 })),
      what: 'nine of eight',
    },
    { list: { 0: full }, what: 'no list' },
  ])('full replicas: $what', ({ list }) => {
    expect(restoredState({ ...sound, full: list }, wallMs, nowMs).learned.capacity.steps).toEqual([]);
  });

  test('a margin of more than 20 minutes ago', () => {
    const forecast = { ...sound.forecast, at: agoText(1_201) };
    expect(restoredState({ ...sound, forecast }, wallMs, nowMs).keptMargin).toBeUndefined();
  });
});

describe('a hint is no reason for fewer by itself', () => {
  test('shorter waits count only once a stretch has shown them here', () => {
    const shorter = restoredState(
      { ...sound, waits: { factor: '0.5', stretches: 20 } },
      wallMs,
      nowMs,
    ).learned;
    expect(correctionsOf({ ...shorter, capacity: { full: undefined, steps: [] } })).toEqual({});
    const shown = { ...shorter, waits: { ...shorter.waits, isUnproven: false } };
    expect(correctionsOf(shown).waitFactor).toBeCloseTo(0.625);
    expect(correctionsOf(restoredState(sound, wallMs, nowMs).learned).waitFactor).toBeCloseTo(1.62 / 1.25);
  });

  test('growth that was of no use is not asked for again, and what runs is not taken', () => {
    const { capacity } = restoredState(sound, wallMs, nowMs).learned;
    expect(noGainOf(capacity, 0.3, nowMs, 4)?.replicas).toBe(5);
    expect(noGainOf(capacity, 0.3, nowMs, 8)?.replicas).toBe(8);
    // As seen by this process it takes the surplus as well.
    const own = { ...capacity, steps: capacity.steps.map((step, index) => ({ ...step, step: index })) };
    expect(noGainOf(own, 0.3, nowMs, 8)?.replicas).toBe(5);
  });

  test('pods that are idle since the restart are given back no sooner for a known service time', () => {
    const first = (state: typeof initialState) => {
      let now = state;
      for (let second = 0; second < 300; second += 1) {
        const atMs = nowMs + 1_000 * second;
        const seen = observation(pods(6, atMs, 0, { uptimeSeconds: 100 + second, revision: 'abc123' }));
        const decision = decide(now, seen, input(), atMs);
        if (decision.replicas < 6) return second;
        now = decision.next;
      }
      return 300;
    };
    expect(first(restoredState(sound, wallMs, nowMs))).toBeGreaterThanOrEqual(first(initialState));
  });
});

test('what was learned of another revision than the one that serves is not kept', () => {
  const state = restoredState({ ...sound, revision: 'other' }, wallMs, nowMs);
  const { next, why } = decide(
    state,
    observation(pods(4, nowMs, 100, { revision: 'abc123' })),
    input(),
    nowMs,
  );
  expect(next).toMatchObject({
    revision: 'abc123',
    learned: { revision: 'abc123', waits: { stretches: 0 } },
  });
  expect(next.service).toMatchObject({ meanSeconds: expect.closeTo(0.012, 6) });
  expect(why.inputs.fullBusyShare).toBeUndefined();
});
