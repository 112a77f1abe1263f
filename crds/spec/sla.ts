/** `spec.sla`: what the deployment promises. */
import { z } from 'zod';
import { percentPattern } from '../values.ts';
import { type CelRule, describe, duration, durationBetween, rules, whereDurations } from './field.ts';

const latencyField = (percentile: string, example: string) =>
  describe(
    duration().optional(),
    `${percentile} of the answers come within this time, as clients of the pod see it. Example: \`${example}\`. Default: not promised.`,
  );

export const slaSchema = z.strictObject({
  latency: describe(
    z
      .strictObject({
        p50: latencyField('Half', '20ms'),
        p90: latencyField('90 %', '40ms'),
        p95: latencyField('95 %', '50ms'),
        p99: latencyField('99 %', '100ms'),
      })
      .optional(),
    'Latency promises; 429 and 5xx answers count as late. Default: none.',
    rules(
      {
        rule: 'has(self.p50) || has(self.p90) || has(self.p95) || has(self.p99)',
        message: 'promise at least one of p50, p90, p95 and p99, or leave sla.latency out',
        reason: 'FieldValueRequired',
      },
      ...(['p50', 'p90', 'p95', 'p99'] as const).map(
        (name): CelRule => ({
          rule: `!has(self.${name}) || ${whereDurations([`self.${name}`], `duration(self.${name}) > duration('0s')`)}`,
          message: `${name} must be longer than 0: write for instance 50ms`,
          messageExpression: `'${name} is ' + self.${name} + ': it must be longer than 0, for instance 50ms'`,
          fieldPath: `.${name}`,
          reason: 'FieldValueInvalid',
        }),
      ),
      ...(
        [
          ['p50', 'p90'],
          ['p50', 'p95'],
          ['p50', 'p99'],
          ['p90', 'p95'],
          ['p90', 'p99'],
          ['p95', 'p99'],
        ] as const
      ).map(
        ([low, high]): CelRule => ({
          rule: `!has(self.${low}) || !has(self.${high}) || ${whereDurations([`self.${low}`, `self.${high}`], `duration(self.${low}) <= duration(self.${high})`)}`,
          message: `${low} must not be longer than ${high}`,
          messageExpression: `'${low} is ' + self.${low} + ' and ${high} is ' + self.${high} + ': ${low} must not be longer than ${high}'`,
          fieldPath: `.${low}`,
          reason: 'FieldValueInvalid',
        }),
      ),
    ),
  ),
  errorRate: describe(
    z.string().max(8).regex(new RegExp(percentPattern)).optional(),
    'Largest share of requests that may fail: 429, 503, 504 and other 5xx; a client’s own 4xx does not count. Example: `0.1%`. Default: not promised.',
  ),
  window: describe(
    duration().default('5m'),
    'SLO window over which promise and measurement are compared, 10s to 1h. Default: `5m`.',
    rules({
      rule: durationBetween('10s', '1h'),
      message: 'sla.window must be between 10s and 1h',
      messageExpression: "'sla.window is ' + self + ': it must be between 10s and 1h'",
      reason: 'FieldValueInvalid',
    }),
  ),
});
