/** Figures as people read them, rounded so that status changes only when something did. */

/** Two significant digits: 0.4, 41, 120, 1300. */
function significant(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  return Number(value.toPrecision(2));
}

/** `4.2ms`, `41ms`, `1.2s`; `failed` where the percentile is a request that failed. */
export function formatLatency(ms: number): string {
  if (!Number.isFinite(ms)) return 'failed';
  if (ms < 0.1) return '<0.1ms';
  // Below 100 ms two digits are 2.5 % at worst; above, three keep the figure comparable with the promise.
  const rounded = ms < 100 ? significant(ms) : Number(ms.toPrecision(3));
  return rounded >= 1_000 ? `${rounded / 1_000}s` : `${rounded}ms`;
}

/** `0.4/s`, `120/s`; less than a request in three minutes is `0/s`. */
export const formatRate = (perSecond: number): string =>
  `${perSecond < 0.005 ? 0 : significant(perSecond)}/s`;

/** `0%`, `0.02%`, `100%`. */
export const formatPercent = (fraction: number): string => `${significant(fraction * 100)}%`;

/** Whole percent, for shares of traffic and budget. */
export const formatShare = (fraction: number): string => `${Math.round(fraction * 100)}%`;

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** Milliseconds of a timestamp; undefined for none, or for text that is no time. */
export function timestampMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Cuts a message to what a condition may hold. */
export const cutMessage = (text: string, length = 1_024): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
