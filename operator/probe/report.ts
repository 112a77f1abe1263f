/** The check of what a pod says of itself: a number that cannot be is refused whole, never repaired. */
import { z } from 'zod';
import type { LoadReport } from '../../crds/wire.ts';

/** Nothing that a pod counts gets beyond this in a lifetime; it also keeps every sum exact. */
const most = 1e15;
const count = z.int().min(0).max(most);
const amount = z.number().min(0).max(most);
const text = z.string().max(256);

/** No process of this kind does a million requests in a second, and no request takes eleven days. */
const perSecond = z.int().min(0).max(1e6);
const secondsSum = z.number().min(0).max(1e6);

const second = z.object({
  endMs: amount,
  arrivals: perSecond,
  completions: perSecond,
  busySeconds: z.number().min(0).max(1e4),
  serviceCount: perSecond,
  serviceSumSeconds: secondsSum,
  serviceSumSquares: z.number().min(0).max(1e12),
});

const ascending = (values: readonly number[]) =>
  values.every((value, index) => index === 0 || value > (values[index - 1] ?? 0));

const loadReport = z.object({
  version: z.literal(1),
  instance: text.min(1),
  startedAtMs: amount,
  uptimeMs: amount,
  ready: z.boolean(),
  draining: z.boolean(),
  revision: text,
  modelSha256: text,
  parallelism: z.int().min(1).max(100_000),
  counters: z.object({
    arrivals: count,
    succeeded: count,
    clientErrors: count,
    rejected: count,
    failed: count,
    busySeconds: amount,
    serviceCount: count,
    serviceSumSeconds: amount,
    serviceSumSquares: amount,
  }),
  queueLength: count,
  inFlight: count,
  oldestWaitMs: amount,
  latency: z
    .object({ boundsMs: z.array(amount).max(1_024), counts: z.array(count).max(1_025) })
    .refine(({ boundsMs, counts }) => counts.length === boundsMs.length + 1, 'one more count than bounds')
    .refine(({ boundsMs }) => ascending(boundsMs), 'bounds must ascend'),
  seconds: z
    .array(second)
    .max(120)
    .refine((seconds) => ascending(seconds.map(({ endMs }) => endMs)), 'seconds must ascend'),
});

export type ParsedReport = { readonly report: LoadReport } | { readonly refused: string };

/** The report in a body, or why it is none. Fields that this version does not know are left out. */
export function parseReport(body: string): ParsedReport {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { refused: 'no JSON' };
  }
  const parsed = loadReport.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { refused: `${issue?.path.join('.') || 'report'}: ${issue?.message ?? 'not valid'}` };
  }
  if ((parsed.data.seconds.at(-1)?.endMs ?? 0) > parsed.data.uptimeMs + 1_000)
    return { refused: 'seconds: ends after now' };
  return { report: parsed.data };
}
