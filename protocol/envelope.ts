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

/** Name of the tensor that a path leads into, when the request gave one: people know tensors by name, not by place. */
function tensorNameAt(body: unknown, [list, index]: readonly PropertyKey[]): string | undefined {
  if ((list !== 'inputs' && list !== 'outputs') || typeof index !== 'number') return undefined;
  const name = (body as Record<string, { name?: unknown }[] | undefined>)[list]?.[index]?.name;
  return typeof name === 'string' ? name : undefined;
}

/** Checks the frame of a parsed body, or refuses it with the path of what is wrong. */
export const parseEnvelope = (body: unknown): Envelope => {
  const result = envelope.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path ?? [];
  const name = tensorNameAt(body, path);
  const detail = issue?.message ?? 'not an infer request';
  throw refusals.envelope(pathText(path), name === undefined ? detail : `${detail} (tensor '${name}')`);
};
