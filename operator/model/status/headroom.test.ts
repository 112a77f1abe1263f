/** The words of the room that is kept, and what it costs. */
import { expect, test } from '@jest/globals';
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import type { HeadroomReading, KeptHeadroom } from '../headroom/reading.ts';
import { plan } from '../plan.ts';
import { makeDeployment, makeSnapshot, type SpecPart } from '../testing/builders.ts';

const kept: KeptHeadroom = {
  form: 'Placeholders',
  replicas: 2,
  inPlace: 1,
  sentence: 'Deployment wine-headroom: 1 of 2 placeholder pods are in place',
};
const spec: SpecPart = {
  cost: { perReplicaHour: '0.12' },
  scaling: { headroom: { replicas: 2 }, maxReplicas: 9 },
};
const statusOf = (
  headroom: HeadroomReading | undefined,
  more: SpecPart = {},
  before?: ModelDeploymentStatus,
) =>
  plan(
    makeSnapshot({
      deployment: makeDeployment(
        { ...spec, ...more, scaling: { ...spec.scaling, ...more.scaling } },
        before === undefined ? {} : { status: before },
      ),
      ...(headroom === undefined ? {} : { headroom }),
    }),
  ).status?.scaling?.headroom;

test('how much, in which form, how far, and at what price', () => {
  expect(statusOf({ wanted: 2, kept })).toEqual({
    replicas: 2,
    form: 'Placeholders',
    inPlace: 1,
    perHour: '0.24',
    message: 'Deployment wine-headroom: 1 of 2 placeholder pods are in place',
  });
  const { inPlace: _, ...rest } = statusOf({ wanted: 2, kept: { ...kept, inPlace: 'unknown' } }) ?? {};
  expect(rest).not.toHaveProperty('inPlace');
  expect(statusOf({ wanted: 2 })).toEqual({
    replicas: 0,
    perHour: '0',
    message: 'room for 2 replicas is being made',
  });
});

test('a price that is unknown is said to be so', () => {
  const { cost: _, ...priceless } = spec;
  const status = plan(makeSnapshot({ deployment: makeDeployment(priceless), headroom: { wanted: 2, kept } }));
  expect(status.status?.scaling?.headroom?.perHour).toBe('unknown');
});

test('why there is none', () => {
  const none = { ...kept, replicas: 0, inPlace: 0 };
  const messageOf = (reading: HeadroomReading, more: SpecPart = {}) => statusOf(reading, more)?.message;
  expect(messageOf({ wanted: 0, kept: none }, { suspend: true })).toBe(
    'no room is kept: spec.suspend is true',
  );
  expect(messageOf({ wanted: 0, kept: none }, { scaling: { maxReplicas: 1 } })).toBe(
    'no room is kept: as many replicas run as maxReplicas allows, 1',
  );
  expect(messageOf({ wanted: 0, kept: none })).toBe('no room is kept: maxHourlyCost is spent');
  expect(messageOf({ wanted: 'unknown' })).toBe('no room is kept yet: the forecast is not known');
  expect(messageOf({ wanted: 'unknown', kept })).toMatch(/so this stays$/);
  expect(messageOf({ wanted: 2, problem: 'cannot patch' })).toMatch(/^cannot patch; /);
});

test('what was kept before a restart is told until something is known; without a wish there is nothing', () => {
  const scaling = {
    headroom: { replicas: 3, form: 'CapacityBuffer' as const, perHour: '0.36', message: '' },
  };
  expect(statusOf({ wanted: 3 }, {}, { scaling })).toMatchObject({
    replicas: 3,
    form: 'CapacityBuffer',
    perHour: '0.36',
  });
  expect(statusOf(undefined)).toBeUndefined();
});
