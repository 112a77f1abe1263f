/** `spec.scaling`: how many replicas run, and who decides it. */
import { z } from 'zod';
import { pricePattern } from '../values.ts';
import { describe, duration, durationBetween, rules } from './field.ts';

const scalingModes = ['SLA', 'Fixed', 'External'] as const;
const weekDays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const timeOfDay = () =>
  z
    .string()
    .max(5)
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/);
const timezonePattern = /^[A-Za-z]([A-Za-z0-9_+/-]*[A-Za-z0-9])?$/;
const replicas = (min: number) => z.int().min(min).max(1_000);

export const scalingSchema = z
  .strictObject({
    mode: describe(
      z.enum(scalingModes).default('SLA'),
      'Who decides how many replicas run. `SLA`: Ballast, from latency and request rate. `Fixed`: `replicas`. `External`: another autoscaler (HPA, KEDA) through the scale subresource. Default: `SLA`.',
    ),
    minReplicas: describe(
      replicas(1).optional(),
      'Fewest replicas in mode `SLA`; for none at all while nobody asks see scaleToZero. Default: 1.',
    ),
    maxReplicas: describe(
      replicas(1).optional(),
      'Most replicas in mode `SLA`. Default: with an `sla`, a `schedule` or `requestsPerSecondPerReplica` the largest of minReplicas, the schedule and 10, without them minReplicas.',
    ),
    replicas: describe(
      replicas(0).default(1),
      'Replicas in the modes `Fixed` and `External`; `kubectl scale` writes it. In mode `SLA` it cannot be changed. Default: 1.',
    ),
    requestsPerSecondPerReplica: describe(
      z.int().min(1).max(1_000_000).optional(),
      'Requests per second that one replica should get at most, in mode `SLA`: a floor beside the latency promise. Example: 200. Default: measured capacity decides.',
    ),
    priority: describe(
      z.int().min(1).max(1_000).optional(),
      'What a kept promise of this deployment is worth beside those of others, in mode `SLA`, once the cluster is full: then replicas above minReplicas go to where one more is worth the most. With 2 it counts twice. Example: 10. Default: 1.',
    ),
    schedule: describe(
      z
        .array(
          z.strictObject({
            days: describe(
              z.array(z.enum(weekDays)).min(1).max(7).optional(),
              'Days on which the window begins. Example: `[Mon, Fri]`. Default: every day.',
            ),
            from: describe(timeOfDay(), 'Begin of the window, `HH:MM` in 24 hours. Example: `08:00`.'),
            to: describe(
              timeOfDay(),
              'End of the window, `HH:MM`; at or before `from` it is on the next day. Example: `18:30`.',
            ),
            timezone: describe(
              z.string().max(64).regex(timezonePattern).optional(),
              'IANA name of the time zone; summer time is kept. Example: `Europe/Berlin`. Default: `UTC`.',
            ),
            minReplicas: describe(
              replicas(1),
              'Fewest replicas while the window is open, at most maxReplicas. Example: 10.',
            ),
          }),
        )
        .max(20)
        .optional(),
      'Known times of load, in mode `SLA`: while a window is open at least its minReplicas run, of several open ones the largest number. Traffic may ask for more. Example: `[{days: [Mon], from: "08:00", to: "10:00", minReplicas: 10}]`. Default: none.',
    ),
    headroom: describe(
      z
        .strictObject({
          replicas: describe(
            replicas(1).optional(),
            'Replicas to keep room for beside those that run, up to maxReplicas in all. Example: 2.',
          ),
          forecast: describe(
            duration().optional(),
            'Room for what the forecast needs at the end of this time, 10s to 1h: as long as a new node takes until it serves. A forecast never adds more than half of the present rate to it. Example: `2m`.',
            rules({
              rule: durationBetween('10s', '1h'),
              message: 'scaling.headroom.forecast must be between 10s and 1h',
              messageExpression: "'scaling.headroom.forecast is ' + self + ': it must be between 10s and 1h'",
              reason: 'FieldValueInvalid',
            }),
          ),
        })
        .meta(
          rules({
            rule: 'has(self.replicas) || has(self.forecast)',
            message: 'scaling.headroom needs replicas or forecast',
            reason: 'FieldValueInvalid',
          }),
        )
        .optional(),
      'Room on nodes that is kept free ahead of need, in mode `SLA`, so that new replicas do not wait for a node: by a CapacityBuffer (autoscaling.x-k8s.io) where the cluster has that API, elsewhere by placeholder pods that give way. It costs what the replicas would cost, within maxHourlyCost; status.scaling.headroom says what is kept. Of `replicas` and `forecast` the larger counts. Example: `{replicas: 2}`. Default: none.',
    ),
    maxHourlyCost: describe(
      z.string().max(16).regex(new RegExp(pricePattern)).optional(),
      'Most that the replicas may cost per hour, in the currency of cost.perReplicaHour, in mode `SLA`. Above it the count stops, never below minReplicas; without cost.perReplicaHour it has no effect, and status.scaling says so. Example: `"2.50"`. Default: no limit.',
    ),
    scaleToZero: describe(
      z
        .strictObject({
          idleAfter: describe(
            duration().optional(),
            'How long no request must have come before the last replica goes, 10s to 24h. Default: `10m`.',
            rules({
              rule: durationBetween('10s', '24h'),
              message: 'scaling.scaleToZero.idleAfter must be between 10s and 24h',
              messageExpression:
                "'scaling.scaleToZero.idleAfter is ' + self + ': it must be between 10s and 24h'",
              reason: 'FieldValueInvalid',
            }),
          ),
          maxHeldRequests: describe(
            z.int().min(1).max(100_000).optional(),
            'Most requests that each gateway pod holds while the first replica starts; the others are answered 429. Default: 1000.',
          ),
        })
        .optional(),
      'Lets the last replica go while no request comes, in mode `SLA`. The gateway holds the next requests, starts a first replica and hands them over; from one replica on minReplicas counts. Needs the gateway, so traffic.path is `Gateway` or `Auto`. Example: `{}`. Default: at least minReplicas always run.',
    ),
  })
  .meta(
    // `format`, since the API server takes the length of `string(int)` as unbounded and refuses the CRD by its cost.
    rules(
      {
        rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
        message: 'minReplicas must not be larger than maxReplicas',
        messageExpression:
          "'minReplicas is %d and maxReplicas is %d: minReplicas must not be larger than maxReplicas'.format([self.minReplicas, self.maxReplicas])",
        fieldPath: '.minReplicas',
        reason: 'FieldValueInvalid',
      },
      {
        rule: "self.mode == 'SLA' || !(has(self.minReplicas) || has(self.maxReplicas) || has(self.requestsPerSecondPerReplica))",
        message:
          'minReplicas, maxReplicas and requestsPerSecondPerReplica belong to mode SLA: remove them, or set mode: SLA',
        messageExpression:
          "'scaling.mode is ' + self.mode + ': minReplicas, maxReplicas and requestsPerSecondPerReplica belong to mode SLA; remove them, or set mode: SLA'",
        fieldPath: '.mode',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "self.mode == 'SLA' || !has(self.priority)",
        message: 'priority belongs to mode SLA: remove it, or set mode: SLA',
        messageExpression:
          "'scaling.mode is ' + self.mode + ': priority belongs to mode SLA; remove it, or set mode: SLA'",
        fieldPath: '.priority',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "self.mode == 'SLA' || !has(self.schedule)",
        message: 'schedule belongs to mode SLA: remove it, or set mode: SLA',
        messageExpression:
          "'scaling.mode is ' + self.mode + ': schedule belongs to mode SLA; remove it, or set mode: SLA'",
        fieldPath: '.schedule',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "self.mode == 'SLA' || !has(self.maxHourlyCost)",
        message: 'maxHourlyCost belongs to mode SLA: remove it, or set mode: SLA',
        messageExpression:
          "'scaling.mode is ' + self.mode + ': maxHourlyCost belongs to mode SLA; remove it, or set mode: SLA'",
        fieldPath: '.maxHourlyCost',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "self.mode == 'SLA' || !has(self.headroom)",
        message: 'headroom belongs to mode SLA: remove it, or set mode: SLA',
        messageExpression:
          "'scaling.mode is ' + self.mode + ': headroom belongs to mode SLA; remove it, or set mode: SLA'",
        fieldPath: '.headroom',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "self.mode == 'SLA' || !has(self.scaleToZero)",
        message: 'scaleToZero belongs to mode SLA: remove it, or set mode: SLA',
        messageExpression:
          "'scaling.mode is ' + self.mode + ': scaleToZero belongs to mode SLA; remove it, or set mode: SLA'",
        fieldPath: '.scaleToZero',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "self.mode != 'SLA' || self.replicas == 1 || self.replicas == oldSelf.?replicas.orValue(1)",
        message:
          'in scaling.mode SLA Ballast chooses the replicas: set minReplicas and maxReplicas, or mode: Fixed',
        messageExpression:
          "'scaling.replicas cannot become %d: in scaling.mode SLA Ballast chooses the replicas; set minReplicas and maxReplicas, or mode: Fixed'.format([self.replicas])",
        fieldPath: '.replicas',
        reason: 'FieldValueForbidden',
        optionalOldSelf: true,
      },
    ),
  );
