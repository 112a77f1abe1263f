/** The check of what a pod says of itself: a number that cannot be is refused whole, never repaired. */
import { z } from 'zod';
import { latencyHistogram } from '../../crds/latency-check.ts';
import { secondsCheck } from '../../crds/seconds-check.ts';
import type { LoadReport, LoadSecond } from '../../crds/wire.ts';

/** Nothing that a pod counts gets beyond this in a lifetime; it also keeps every sum exact. */
const most = 1e15;
const count = z.int().min(0).max(most);
const amount = z.number().min(0).max(most);
const text = z.string().max(256);

/** No process of this kind does a million requests in a second, and no request takes eleven days. */
const secondsOf = secondsCheck<LoadSecond>({
  endMs: [most, false],
  arrivals: [1e6, true],
  completions: [1e6, true],
  busySeconds: [1e4, false],
  serviceCount: [1e6, true],
  serviceSumSeconds: [1e6, false],
  serviceSumSquares: [1e12, false],
});

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
  batch: z
    .object({ requests: z.int().min(2).max(100_000), oneMs: amount, fullMs: amount })
    .optional()
    // What makes no sense is left out rather than the whole report refused.
    .catch(undefined),
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
  latency: latencyHistogram,
  seconds: z.unknown(),
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
  const seconds = secondsOf(parsed.data.seconds, 'seconds');
  if (typeof seconds === 'string') return { refused: seconds };
  if ((seconds.at(-1)?.endMs ?? 0) > parsed.data.uptimeMs + 1_000)
    return { refused: 'seconds: ends after now' };
  return { report: { ...parsed.data, seconds } };
}
