/** The frame of an infer request, checked by zod; the elements themselves are left to the fill loops. */
import * as z from 'zod';
import { refusals } from './errors.ts';

const parameters = z
  .record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean()], { error: 'must be a string, a number or a boolean' }),
  )
  .optional();

const input = z.object({
  name: z.string(),
  shape: z.array(z.number().int()),
  datatype: z.string(),
  parameters,
  data: z.unknown().optional(),
});

const envelope = z.object({
  id: z.string().optional(),
  parameters,
  inputs: z.array(input),
  outputs: z.array(z.object({ name: z.string(), parameters })).optional(),
});

export type Parameters = Readonly<Record<string, string | number | boolean>>;
export type Envelope = z.infer<typeof envelope>;
export type InputEnvelope = Envelope['inputs'][number];

const pathText = (path: readonly PropertyKey[]) =>
  path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`))
    .join('');

/** Checks the frame of a parsed body, or refuses it with the path of what is wrong. */
export const parseEnvelope = (body: unknown): Envelope => {
  const result = envelope.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw refusals.envelope(pathText(issue?.path ?? []), issue?.message ?? 'not an infer request');
};
