/** The text of a load: a line per second and the result. */
import type { LoadResult, Progress } from './tally.ts';

/** `850µs`, `41.2ms`, `1.25s`. */
export function duration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1_000)}µs`;
  if (ms < 1_000) return `${ms < 100 ? ms.toFixed(1) : Math.round(ms)}ms`;
  return `${(ms / 1_000).toFixed(2)}s`;
}

/** One line about one second. */
export function progressLine(
  { second, sent, errors, inFlight, latencyMs }: Progress,
  replicas?: string,
): string {
  const parts = [`${String(second).padStart(4)}s`, `${String(sent).padStart(5)} sent`];
  parts.push(
    latencyMs === undefined
      ? 'no answer'.padEnd(24)
      : `p50 ${duration(latencyMs.p50)}  p95 ${duration(latencyMs.p95)}`.padEnd(24),
  );
  parts.push(`${errors} errors`.padEnd(10), `${inFlight} unanswered`.padEnd(14));
  if (replicas !== undefined) parts.push(`replicas ${replicas}`);
  return `${parts.join('  ').trimEnd()}\n`;
}

/** The result in plain text. */
export function resultText(result: LoadResult): string {
  const { latencyMs, errors, errorExamples } = result;
  const failed = result.sent - result.succeeded;
  const share = result.sent === 0 ? 0 : (100 * failed) / result.sent;
  const lines = [
    '',
    `${result.sent} requests in ${result.seconds.toFixed(1)}s to ${result.url}`,
    `  rate     ${result.achievedRps.toFixed(1)} answered per second (${result.askedRps} asked for)`,
  ];
  if (latencyMs !== undefined) {
    const { p50, p90, p95, p99, max } = latencyMs;
    lines.push(
      `  latency  p50 ${duration(p50)}  p90 ${duration(p90)}  p95 ${duration(p95)}  p99 ${duration(p99)}  max ${duration(max)}`,
    );
  }
  lines.push(`  errors   ${failed === 0 ? 'none' : `${failed} (${share.toFixed(2)}%)`}`);
  for (const [kind, count] of Object.entries(errors)) {
    const example = errorExamples[kind] ?? '';
    lines.push(`           ${count} × ${kind}${example === '' ? '' : `: ${example}`}`);
  }
  return `${lines.join('\n')}\n`;
}
