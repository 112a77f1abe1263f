/** The contract: one zod schema of a ModelDeployment, from which CRD, JSON Schema and API reference are generated. */
import { z } from 'zod';
import { contractSchema } from './spec/contract.ts';
import { type CelRule, describe, name63, rules } from './spec/field.ts';
import { modelSchema } from './spec/model.ts';
import { runtimeSchema } from './spec/runtime.ts';
import { scalingSchema } from './spec/scaling.ts';
import { slaSchema } from './spec/sla.ts';
import { accessSchema, costSchema, rolloutSchema, trafficSchema } from './spec/traffic.ts';
import { statusSchema } from './status.ts';

export const specSchema = z
  .strictObject({
    model: describe(modelSchema, 'The model to serve.'),
    runtime: describe(runtimeSchema.optional(), 'How the pods run it. A change makes a new revision.'),
    contract: describe(
      contractSchema.optional(),
      'What must hold of the tensors that come in and of those that go out. A change makes a new revision.',
    ),
    sla: describe(
      slaSchema.optional(),
      'What the deployment promises. The autoscaler, status and the error budget read this one block.',
      rules({
        rule: 'has(self.latency) || has(self.errorRate)',
        message: 'promise a latency or an errorRate, or leave sla out',
        reason: 'FieldValueRequired',
      }),
    ),
    traffic: describe(trafficSchema.optional(), 'How requests wait and when they are refused.'),
    scaling: describe(
      scalingSchema.default({ mode: 'SLA', replicas: 1 }),
      'How many replicas run, and who decides it. Default: mode SLA, one replica and more when the promise needs them.',
    ),
    rollout: describe(
      rolloutSchema.optional(),
      'How a new revision replaces the old one: pods are added before others are taken away.',
    ),
    access: describe(accessSchema.optional(), 'Who may reach the pods.'),
    cost: describe(costSchema.optional(), 'What a replica costs, where no node tells its price.'),
    suspend: describe(
      z.boolean().optional(),
      'True stops every pod and keeps everything else; false or absent brings them back. Default: false.',
    ),
  })
  .meta(
    rules(
      {
        rule: "!has(self.traffic) || !has(self.traffic.shedAt) || self.traffic.shedAt != 'SLA' || (has(self.sla) && has(self.sla.latency))",
        message: 'traffic.shedAt: SLA needs a promise to keep: set sla.latency, or shedAt: Timeout',
        fieldPath: '.traffic.shedAt',
        reason: 'FieldValueForbidden',
      },
      {
        rule: "!has(self.scaling.scaleToZero) || !has(self.traffic) || !has(self.traffic.path) || self.traffic.path != 'Direct'",
        message:
          'scaling.scaleToZero needs a gateway, which holds requests while no replica runs: remove traffic.path: Direct, or scaleToZero',
        fieldPath: '.scaling.scaleToZero',
        reason: 'FieldValueForbidden',
      },
    ),
  );

export const modelDeploymentSchema = z.strictObject({
  apiVersion: z.literal('ballast.dev/v1alpha1'),
  kind: z.literal('ModelDeployment'),
  metadata: z.looseObject({ name: name63(), namespace: name63().optional() }),
  spec: specSchema,
  status: statusSchema.optional(),
});

/** Rules at the root of the CRD, where `self.metadata.name` can be read. */
export const rootRules: CelRule[] = [
  {
    rule: "self.metadata.name.size() <= 45 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message:
      'the name must have at most 45 characters: lower-case letters, digits and "-", starting with a letter',
    messageExpression:
      '\'the name "\' + self.metadata.name + \'" must have at most 45 characters: lower-case letters, digits and "-", starting with a letter and ending with a letter or digit\'',
    reason: 'FieldValueInvalid',
  },
];
