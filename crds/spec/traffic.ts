/** `spec.traffic`, `spec.rollout`, `spec.access` and `spec.cost`: how requests wait, how revisions change, who may come in, what it costs. */
import { z } from 'zod';
import { pricePattern } from '../values.ts';
import { describe, duration, durationBetween, rules } from './field.ts';

export const trafficSchema = z.strictObject({
  path: describe(
    z.enum(['Auto', 'Gateway', 'Direct']).optional(),
    'Which way requests take. `Gateway`: through the gateway of the namespace, two pods or more that Ballast makes: it holds one queue for all replicas and gives a request only to a replica with a free slot, so that fewer replicas keep the same promise, for one more hop. While no gateway pod is ready, requests go straight to the pods. `Direct`: always straight to the pods, each of which has a queue of its own. `Auto`: Ballast chooses, once for a revision, and says so in `status.traffic`: `Gateway` where scaling.scaleToZero needs it, or where the measured service time shows that it saves a fifth of the CPUs that the promised latency costs; else `Direct`. Default: `Auto`.',
  ),
  shedAt: describe(
    z.enum(['Timeout', 'SLA']).optional(),
    'When a request is refused (429, with Retry-After) instead of waiting. `Timeout`: when it cannot be answered within `timeout`. `SLA`: when its predicted wait exceeds what the highest promised latency T leaves, max(0.8·T − S, S) with the service time S; needs `sla.latency`. A deadline that the client gives (header `Ballast-Deadline-Ms`, gRPC deadline) is kept in both. Default: `Timeout`.',
  ),
  timeout: describe(
    duration().optional(),
    'Longest time that a request may take before it is answered 504, 10ms to 1h. Default: the larger of 1s and ten times the highest promised latency.',
    rules({
      rule: durationBetween('10ms', '1h'),
      message: 'traffic.timeout must be between 10ms and 1h',
      messageExpression: "'traffic.timeout is ' + self + ': it must be between 10ms and 1h'",
      reason: 'FieldValueInvalid',
    }),
  ),
});

export const rolloutSchema = z.strictObject({
  progressDeadline: describe(
    duration().optional(),
    'How long a new revision may take to become ready before it counts as failed, 10s to 24h; the old one keeps serving. Default: `10m`.',
    rules({
      rule: durationBetween('10s', '24h'),
      message: 'rollout.progressDeadline must be between 10s and 24h',
      messageExpression: "'rollout.progressDeadline is ' + self + ': it must be between 10s and 24h'",
      reason: 'FieldValueInvalid',
    }),
  ),
  revisionHistoryLimit: describe(
    z.int().min(0).max(100).optional(),
    'How many old revisions are kept to go back to. Default: 10.',
  ),
  restartedAt: describe(
    z.string().max(64).optional(),
    'Change it to replace every pod with a new one of the same revision, a few at a time. Any text; a time is usual. Example: `2026-11-24T10:00:00Z`. Default: never restarted.',
  ),
});

export const accessSchema = z.strictObject({
  networkPolicy: describe(
    z.enum(['Off', 'Restricted']).optional(),
    '`Restricted` adds a NetworkPolicy: into the pods only on their three ports, out of them only what fetching the model needs. Default: `Off`.',
  ),
});

export const costSchema = z.strictObject({
  perReplicaHour: describe(
    z.string().max(16).regex(new RegExp(pricePattern)).optional(),
    'Price of one replica per hour, in any currency, for `status.cost`. Example: `"0.12"`. Default: reckoned from the price label of the nodes where they may be read, else unknown.',
  ),
});
