/** `spec.scaling`: how many replicas run, and who decides it. */
import { z } from 'zod';
import { describe, duration, durationBetween, rules } from './field.ts';

const scalingModes = ['SLA', 'Fixed', 'External'] as const;
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
      'Most replicas in mode `SLA`. Default: with an `sla` or `requestsPerSecondPerReplica` the larger of minReplicas and 10, without them minReplicas.',
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
            'Most requests that each gateway pod holds while the first replica starts; the others are answered 503. Default: 1000.',
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
