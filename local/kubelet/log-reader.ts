/** Reading a container's log as `kubectl logs` asks for it. */
import type { LogOptions } from '../apiserver/log-source.ts';
import type { ContainerLog, LogLine } from './container-log.ts';

const nano = (timeMs: number): string => `${new Date(timeMs).toISOString().slice(0, -1)}000000Z`;

function render(line: LogLine, timestamps: boolean): string {
  return `${timestamps ? `${nano(line.timeMs)} ` : ''}${line.text}${line.whole ? '\n' : ''}`;
}

/** Number of the first line that the options let through. */
function firstLine(log: ContainerLog, options: LogOptions, nowMs: number): number {
  const { from, to } = log.range;
  let start = from;
  const sinceMs =
    options.sinceTime !== undefined
      ? Date.parse(options.sinceTime)
      : options.sinceSeconds !== undefined
        ? nowMs - options.sinceSeconds * 1000
        : undefined;
  if (sinceMs !== undefined) while (start < to && (log.line(start)?.timeMs ?? 0) < sinceMs) start++;
  if (options.tailLines !== undefined) start = Math.max(start, to - options.tailLines);
  return start;
}

/** The log as text, line by line; with `follow` until the container's run ends or the signal aborts. */
export async function* readLog(
  log: ContainerLog,
  options: LogOptions,
  nowMs: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let next = firstLine(log, options, nowMs);
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  while (!signal.aborted) {
    const { from, to } = log.range;
    next = Math.max(next, from);
    let chunk = '';
    for (; next < to && chunk.length < 65_536; next++) {
      const line = log.line(next);
      if (line !== undefined) chunk += render(line, options.timestamps);
    }
    if (chunk !== '') {
      const bytes = Buffer.byteLength(chunk);
      if (bytes >= left) {
        yield Buffer.from(chunk).subarray(0, left).toString('utf8');
        return;
      }
      left -= bytes;
      yield chunk;
      continue;
    }
    if (!options.follow || log.ended) return;
    await changed(log, signal);
  }
}

function changed(log: ContainerLog, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = log.onChange(done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
